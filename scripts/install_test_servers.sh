#!/bin/sh
# Brings the database servers that the tests start: MariaDB from the system's packages, and on Debian a
# real MySQL in a private folder that is no part of the system. Does nothing where they are there already.
#
# Always ends with 0: what could not be brought is said here, noted in .cache/<server>.missing, and the
# tests for that server are skipped with this reason.
set -u

repository=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cache=$repository/.cache
mysql_root=${TEXT2SQL_MYSQL_ROOT:-$cache/mysql-root}
mkdir -p "$cache"

give_up() { # server, reason
  printf '%s\n' "$2" >"$cache/$1.missing"
  printf 'test server %s: %s\n' "$1" "$2" >&2
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# ── MariaDB ──────────────────────────────────────────────────────────────────────────────────────

has_mariadb() {
  command -v mariadbd >/dev/null && return
  for folder in /usr/sbin /usr/libexec /usr/local/sbin /opt/homebrew/opt/mariadb/bin /usr/local/opt/mariadb/bin; do
    [ -x "$folder/mariadbd" ] && return
  done
  return 1
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

install_mariadb() {
  if command -v apt-get >/dev/null; then
    if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; then
      give_up mariadb 'installing it takes root: sudo apt-get install mariadb-server-core mariadb-client-core'
      return
    fi
    # A fresh machine has no package lists yet, and an old one has stale ones.
    apt_install mariadb-server-core mariadb-client-core ||
      { as_root apt-get update -q && apt_install mariadb-server-core mariadb-client-core; }
  elif command -v brew >/dev/null; then
    brew install mariadb
  fi
  has_mariadb || give_up mariadb 'no mariadbd here, and neither apt-get nor brew brought one; install MariaDB'
}

# ── MySQL ────────────────────────────────────────────────────────────────────────────────────────

has_mysql() {
  [ -e "$mysql_root/complete" ] && return
  for server in "$(command -v mysqld)" /opt/homebrew/opt/mysql/bin/mysqld /usr/local/opt/mysql/bin/mysqld; do
    # Debian's MariaDB also answers to the name mysqld.
    [ -x "$server" ] && ! "$server" --version | grep -qi mariadb && return
  done
  return 1
}

debian_mirror() { # the first one of the machine's own sources, of either format
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    grep -v '^[[:space:]]*#' | grep -oE 'https?://[^[:space:]]+/debian/?([[:space:]]|$)' | head -n 1 | tr -d '[:space:]'
}

write_apt_configuration() { # folder, mirror
  mkdir -p "$1/etc/apt/apt.conf.d" "$1/etc/apt/preferences.d" "$1/etc/apt/sources.list.d" \
    "$1/etc/apt/trusted.gpg.d" "$1/state/lists/partial" "$1/cache/archives/partial"
  : >"$1/status" # nothing counts as installed, so all libraries come along
  # Debian's stable suites hold no MySQL.
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $2 sid main" >"$1/etc/apt/sources.list"
  cat >"$1/apt.conf" <<END
Dir "$1";
Dir::Etc "$1/etc/apt";
Dir::State "$1/state";
Dir::State::status "$1/status";
Dir::Cache "$1/cache";
Dir::Log "$1";
APT::Sandbox::User "$(id -un)";
APT::Install-Recommends "false";
// A mirror may be a copy frozen in time; the signature is checked all the same.
Acquire::Check-Valid-Until "false";
END
  # The machine's own way out, if it has one, and nothing else of its configuration.
  apt-config dump Acquire::http::Proxy | grep -v ' "";$' >>"$1/apt.conf"
  apt-config dump Acquire::https::Proxy | grep -v ' "";$' >>"$1/apt.conf"
}

download_and_unpack() { # apt folder, target
  export APT_CONFIG="$1/apt.conf"
  apt-get update -q && apt-get install -y -q --download-only mysql-server-core || return 1
  unset APT_CONFIG
  mkdir -p "$2"
  # As Debian merges /bin, /sbin and /lib into /usr; older packages still name them.
  for link in bin sbin lib lib64; do
    mkdir -p "$2/usr/$link" && ln -sfn "usr/$link" "$2/$link"
  done
  for package in "$1"/cache/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" |
      tar -x -C "$2" --no-same-owner --keep-directory-symlink --exclude='./usr/share/doc' --exclude='./usr/share/man' ||
      return 1
  done
  [ -x "$2/usr/sbin/mysqld" ]
}

install_mysql() {
  mirror=$(debian_mirror)
  if [ -z "$mirror" ] || ! command -v dpkg-deb >/dev/null; then
    give_up mysql 'no MySQL server here, and this is no Debian to bring one; install mysqld'
    return
  fi
  parts=$mysql_root.parts
  rm -rf "$parts" "$mysql_root"
  write_apt_configuration "$parts/apt" "$mirror"
  # Into a folder beside it and renamed at the end, so that a broken-off run leaves nothing that looks whole.
  if (download_and_unpack "$parts/apt" "$parts/root") >"$cache/mysql-install.log" 2>&1; then
    : >"$parts/root/complete"
    mv "$parts/root" "$mysql_root"
    rm -f "$cache/mysql-install.log"
  else
    give_up mysql "$(grep '^E:' "$cache/mysql-install.log" | head -n 1) (see .cache/mysql-install.log)"
  fi
  rm -rf "$parts"
}

has_mariadb || install_mariadb
has_mysql || install_mysql
has_mariadb && rm -f "$cache/mariadb.missing"
has_mysql && rm -f "$cache/mysql.missing"
exit 0
