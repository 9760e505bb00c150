"""Keeps what the embedded model made of a system prompt on disk, so that it is read once and not again."""

import contextlib
import hashlib
import shutil
from pathlib import Path

import httpx

KEPT = 5
"""How many system prompts are kept; the one used longest ago goes first."""
FREE_BYTES = 1024 * 1024 * 1024
"""Nothing is saved where less than this is free."""
ACTION_SECONDS = 30.0


class PrefixCache:
    """The saved states of one server's only slot, a file for each system prompt.

    A file's name ends in a digest of what it holds: llama.cpp aborts on a cut file, and answers nonsense from
    a changed one.
    """

    def __init__(self, folder: Path, *, fingerprint: str, http: httpx.Client, url: str, key: str) -> None:
        self._folder = folder
        self._fingerprint = fingerprint
        self._http = http
        self._slot = f"{url}/slots/0"
        self._headers = {"Authorization": f"Bearer {key}"}

    def restore(self, system: str) -> bool:
        """Put the server where it was after reading `system`; return whether that was possible."""
        for path in self._folder.glob(f"{self._name(system)}-*.state"):
            if path.name == self._whole_name(system, path) and self._act("restore", path.name):
                with contextlib.suppress(OSError):
                    path.touch()
                return True
            path.unlink(missing_ok=True)
        return False

    def save(self, system: str) -> None:
        """Keep what the server has just made of `system`; a full disk is no error."""
        new = self._folder / "new.tmp"
        try:
            if shutil.disk_usage(self._folder).free < FREE_BYTES:
                return
            if self._act("save", new.name):
                new.replace(self._folder / self._whole_name(system, new))
            kept = sorted(self._folder.glob("*.state"), key=lambda path: path.stat().st_mtime, reverse=True)
            for path in kept[KEPT:]:
                path.unlink(missing_ok=True)
        except OSError:
            pass
        finally:
            new.unlink(missing_ok=True)

    def _name(self, system: str) -> str:
        return hashlib.sha256(f"{self._fingerprint}\n{system}".encode()).hexdigest()[:32]

    def _whole_name(self, system: str, path: Path) -> str:
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        return f"{self._name(system)}-{content[:32]}.state"

    def _act(self, action: str, name: str) -> bool:
        try:
            answer = self._http.post(
                self._slot,
                params={"action": action},
                json={"filename": name},
                headers=self._headers,
                timeout=ACTION_SECONDS,
            )
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK
