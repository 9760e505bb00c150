"""The local index: what all indexes must do."""

from pathlib import Path

import pytest

from document_index_contract import DocumentIndexContract
from text2sql.documents.local_index import LocalIndex


class LocalWorld:
    """Files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, datasource: str = "shop") -> LocalIndex:
        return LocalIndex(self._folder / f"{datasource}.sqlite")

    def settle(self) -> None:
        pass

    def keep_all(self) -> None:
        pass

    def fail(self) -> None:
        (self._folder / "shop.sqlite").unlink()
        (self._folder / "shop.sqlite").mkdir()


class TestLocalIndex(DocumentIndexContract):
    @pytest.fixture
    def world(self, tmp_path: Path) -> LocalWorld:
        return LocalWorld(tmp_path)
