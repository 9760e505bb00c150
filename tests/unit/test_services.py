"""The composition root: which adapter a setting chooses. Nothing is connected to."""

import sqlite3
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from small_shop import write_small_shop
from text2sql import services
from text2sql.errors import DatabaseNotFound, GuardrailUnavailable, InvalidKnowledge, InvalidSettings
from text2sql.execution.mysql import MysqlDatabase
from text2sql.execution.port import QueryLimits
from text2sql.execution.sqlite import SqliteDatabase
from text2sql.generation.bedrock import BedrockModel
from text2sql.generation.embedded import EmbeddedModel
from text2sql.generation.openai import OpenAiModel
from text2sql.generation.retrying import RetryingModel
from text2sql.guardrail.bedrock import BedrockGuardrail
from text2sql.guardrail.local import LocalGuardrail
from text2sql.settings import Settings

SQLITE = "sqlite:///shop.db"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give a Region and credentials that no one accepts, and hide those of whoever runs the tests."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def settings(**values: Any) -> Settings:
    return Settings(database_url=values.pop("database_url", SQLITE), **values)


@pytest.mark.parametrize(
    ("provider", "kind"), [("embedded", EmbeddedModel), ("openai", OpenAiModel), ("bedrock", BedrockModel)]
)
@pytest.mark.usefixtures("aws")
def test_model_is_chosen_by_its_provider(provider: str, kind: type) -> None:
    opened = services.open_model(settings(model_provider=provider, model_price_input=Decimal(3)))
    assert isinstance(opened, kind)


def test_throttled_model_is_asked_again() -> None:
    assert isinstance(services.open_services(settings()).model, RetryingModel)


@pytest.mark.usefixtures("aws")
def test_guardrail_is_chosen_by_its_provider() -> None:
    assert isinstance(services.open_guardrail(settings()), LocalGuardrail)
    chosen = settings(guardrail_provider="bedrock", guardrail_id="abc")
    assert isinstance(services.open_guardrail(chosen), BedrockGuardrail)


def test_bedrock_guardrail_without_an_id_names_the_variable() -> None:
    with pytest.raises(InvalidSettings) as caught:
        services.open_guardrail(settings(guardrail_provider="bedrock"))
    assert "TEXT2SQL_GUARDRAIL_ID" in caught.value.remedy


@pytest.mark.usefixtures("aws")
def test_bedrock_guardrail_without_a_region_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(GuardrailUnavailable):
        services.open_guardrail(settings(guardrail_provider="bedrock", guardrail_id="abc"))


@pytest.mark.parametrize(
    ("url", "kind"), [(SQLITE, SqliteDatabase), ("mysql://me@nowhere.invalid/shop", MysqlDatabase)]
)
def test_database_is_chosen_by_its_url(url: str, kind: type) -> None:
    assert isinstance(services.open_services(settings(database_url=url)).database, kind)


@pytest.mark.parametrize(
    ("values", "characters"),
    [
        ({}, 6_000),
        ({"model_provider": "openai"}, 60_000),
        ({"schema_characters": 500}, 500),
    ],
)
def test_schema_gets_the_room_that_the_model_can_read(values: dict[str, Any], characters: int) -> None:
    assert services.open_services(settings(**values)).schema_characters == characters


def test_limits_are_those_of_the_settings() -> None:
    chosen = settings(
        row_limit=5,
        result_bytes=6,
        query_timeout=7,
        scan_rows=8,
        join_rows=9,
        repairs=1,
        question_characters=9,
    )
    opened = services.open_services(chosen)
    assert opened.limits == QueryLimits(rows=5, bytes=6, seconds=7, scan_rows=8, join_rows=9)
    assert (opened.repairs, opened.question_characters) == (1, 9)


def test_limits_without_settings_are_those_of_the_port() -> None:
    assert services.open_services(settings()).limits == QueryLimits()


def test_catalog_is_read_when_asked_for_and_then_kept(tmp_path: Path) -> None:
    opened = services.open_services(settings(database_url=f"sqlite:///{tmp_path / 'shop.db'}"))
    with pytest.raises(DatabaseNotFound):
        opened.catalog()
    path = write_small_shop(tmp_path / "shop.db")
    catalog = opened.catalog()
    assert {table.name for table in catalog.tables} == {"customers", "orders", "order_items"}
    path.unlink()
    assert opened.catalog() is catalog


def test_knowledge_gives_the_day_the_terms_and_the_descriptions(tmp_path: Path) -> None:
    (tmp_path / "catalog.yaml").write_text(
        "as_of: 2025-06-30\ntables:\n  customers:\n    description: Who buys.\n", "utf-8"
    )
    (tmp_path / "glossary.yaml").write_text("terms:\n- term: revenue\n  meaning: The total.\n", "utf-8")
    path = write_small_shop(tmp_path / "shop.db")
    opened = services.open_services(settings(database_url=f"sqlite:///{path}", knowledge_dir=tmp_path))
    assert opened.today == date(2025, 6, 30)
    assert opened.knowledge_base.retrieve("What is our revenue?", 4)[0].source == "glossary: revenue"
    customers = next(table for table in opened.catalog().tables if table.name == "customers")
    assert customers.description == "Who buys."


def test_without_knowledge_years_count_from_today() -> None:
    before = date.today()  # noqa: DTZ011 — the asker's day, as the services take it
    opened = services.open_services(settings())
    assert before <= opened.today <= date.today()  # noqa: DTZ011


def test_missing_knowledge_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidKnowledge):
        services.open_services(settings(knowledge_dir=tmp_path / "nowhere"))


def test_one_file_has_one_cached_catalog_however_it_is_named(tmp_path: Path) -> None:
    path = write_small_shop(tmp_path / "shop.db")
    (tmp_path / "link.db").symlink_to(path)
    for name in ("shop.db", "link.db"):
        services.open_catalog(settings(database_url=f"sqlite:///{tmp_path / name}"))
    assert len(list((services.cache_folder(settings()) / "catalogs").iterdir())) == 1


def test_cache_folder_may_be_named_by_the_home_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert services.cache_folder(settings(cache_dir=Path("~/cache"))) == tmp_path / "cache"


def test_refreshed_catalog_shows_what_the_schema_has_become(tmp_path: Path) -> None:
    path = write_small_shop(tmp_path / "shop.db")
    opened = services.open_services(settings(database_url=f"sqlite:///{path}", cache_dir=tmp_path / "cache"))
    before = opened.catalog()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("ALTER TABLE customers ADD COLUMN city TEXT")
    assert opened.catalog() is before
    opened.refresh_catalog()
    columns = {table.name: [column.name for column in table.columns] for table in opened.catalog().tables}
    assert "city" in columns["customers"]


def test_stored_values_are_read_into_the_cache_folder_and_waited_for(tmp_path: Path) -> None:
    path = write_small_shop(tmp_path / "shop.db")
    given = settings(database_url=f"sqlite:///{path}", cache_dir=tmp_path / "cache")
    values = services.open_values(given, None)
    assert values is not None
    assert [each.text for each in values.find(["ada"])] == ["Ada"]
    assert len(list((tmp_path / "cache" / "values").iterdir())) == 1


def test_column_that_the_knowledge_calls_private_is_not_read(tmp_path: Path) -> None:
    path = write_small_shop(tmp_path / "shop.db")
    notes = "tables: {customers: {columns: {name: 'PII: who it is'}}}"
    (tmp_path / "catalog.yaml").write_text(notes, "utf-8")
    given = settings(database_url=f"sqlite:///{path}", cache_dir=tmp_path / "cache", knowledge_dir=tmp_path)
    values = services.open_values(given, None)
    assert values is not None
    assert values.find(["ada"]) == []
    assert len(values.find(["corporate"])) == 1
    customers = services.open_catalog(given).tables[0]
    assert [column.samples for column in customers.columns][1:] == [(), ("Corporate", "Consumer")]


def test_index_of_stored_values_is_one_for_each_database(tmp_path: Path) -> None:
    one, other = settings(cache_dir=tmp_path), settings(database_url="sqlite:///b.db", cache_dir=tmp_path)
    assert services.values_index(one) is services.values_index(settings(cache_dir=tmp_path))
    assert services.values_index(one) is not services.values_index(other)
