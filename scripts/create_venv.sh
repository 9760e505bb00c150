#!/bin/sh
# Creates the virtual environment $1 with a Python of 3.11 or later, installing one where the system has none.
set -eu
venv=$1

find_python() {
  for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return 0
    fi
  done
  return 1
}

install_python() {
  if command -v apt-get >/dev/null; then
    as_root=''
    [ "$(id -u)" = 0 ] || as_root=sudo
    echo 'Installing Python with apt-get …' >&2
    $as_root apt-get update -q >&2
    $as_root apt-get install -y -q --no-install-recommends python3 python3-venv >&2
    find_python >/dev/null || $as_root apt-get install -y -q --no-install-recommends python3.11 python3.11-venv >&2
  elif command -v brew >/dev/null; then
    echo 'Installing Python with brew …' >&2
    brew install python@3.13 >&2
  fi
}

python=$(find_python) || { install_python && python=$(find_python); } || {
  echo 'text2sql needs Python 3.11 or later with its venv module. Install it, then run make again.' >&2
  exit 1
}
"$python" -m venv --clear "$venv"
