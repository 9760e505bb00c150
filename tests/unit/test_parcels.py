"""Parcels: what comes out is what went in, in the state or beside it."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import boto3
import pytest
from moto import mock_aws

from small_shop import small_catalog
from text2sql.datasource.policy.access import Access
from text2sql.errors import JobStoreUnavailable
from text2sql.messages import Cell, ResultColumn, ResultSet
from text2sql.workflow.parcel import INLINE_BYTES, pack, unpack
from text2sql.workflow.parcels_s3 import S3Parcels


class FolderOfOne:
    """A store in memory."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def put(self, key: str, text: str) -> None:
        self.texts[key] = text

    def get(self, key: str) -> str:
        return self.texts[key]


def result(*cells: Cell) -> ResultSet:
    column = ResultColumn(name="c", type="unknown")
    return ResultSet(columns=(column,), rows=tuple((cell,) for cell in cells), truncated=False)


CELLS: tuple[Cell, ...] = (
    None,
    True,
    1,
    10**30,
    1.5,
    float("inf"),
    Decimal("1234.50"),
    "12.50",
    '{"$decimal": "1"}',
    "2025-01-01",
    "\u202eé😀\x00",
    b"\x00\xff",
    date(2025, 1, 31),
    datetime(2025, 1, 31, 23, 59, 59, 1, tzinfo=UTC),
    datetime(2025, 1, 31),  # noqa: DTZ001 — as a database has it
    time(1, 2, 3),
    timedelta(days=-1, microseconds=5),
)


def test_cells_keep_their_types() -> None:
    packed = pack(result(*CELLS), "k", FolderOfOne())
    cells = [row[0] for row in unpack(packed, ResultSet, FolderOfOne()).rows]
    assert cells == list(CELLS)
    assert [type(cell) for cell in cells] == [type(cell) for cell in CELLS]


def test_access_comes_back_whole() -> None:
    access = Access(
        catalog=small_catalog(), hidden=frozenset({"salaries", "a.b"}), attributes={"n": Decimal(5)}
    )
    assert unpack(pack(access, "k", FolderOfOne()), Access, FolderOfOne()) == access


@pytest.mark.parametrize(("characters", "beside"), [(INLINE_BYTES // 2, False), (INLINE_BYTES, True)])
def test_large_parcel_travels_beside_the_state(characters: int, beside: bool) -> None:
    store = FolderOfOne()
    packed = pack(result("é" * (characters // 2)), "job/result.json", store)
    assert (packed.key, bool(packed.text)) == (("job/result.json", False) if beside else ("", True))
    assert list(store.texts) == (["job/result.json"] if beside else [])
    assert unpack(packed, ResultSet, store) == result("é" * (characters // 2))


def test_s3_gives_back_what_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="parcels")
        store = S3Parcels("parcels", lambda: client)
        store.put("job/a.json", '{"é": "😀"}')
        assert store.get("job/a.json") == '{"é": "😀"}'
        with pytest.raises(JobStoreUnavailable):
            store.get("job/b.json")
        with pytest.raises(JobStoreUnavailable):
            S3Parcels("elsewhere", lambda: client).put("job/a.json", "{}")
