"""What all tests share: the database fixtures, and a cache folder that is not the user's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest_plugins = ["database_fixtures"]


@pytest.fixture(autouse=True)
def _no_settings_from_outside(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A test reads no variable of the user's shell, and writes nothing to the user's cache."""
    import os

    for name in list(os.environ):
        if name.startswith("TEXT2SQL_") and name != "TEXT2SQL_MYSQL_ROOT":
            monkeypatch.delenv(name)
    monkeypatch.setenv("TEXT2SQL_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.chdir(tmp_path_factory.mktemp("folder"))


@pytest.fixture(scope="session", autouse=True)
def _service_models_are_read_once() -> Iterator[None]:
    """Each mocked AWS begins a session, which would read megabytes of JSON anew: a minute in all."""
    from botocore.loaders import Loader

    kept: dict[object, object] = {}
    begin = Loader.__init__

    def begin_with_kept(self: Loader, *args: object, **options: object) -> None:
        begin(self, *args, **options)
        self._cache = kept

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loader, "__init__", begin_with_kept)
        yield


@pytest.fixture(scope="session")
def repository() -> Path:
    return Path(__file__).parent.parent
