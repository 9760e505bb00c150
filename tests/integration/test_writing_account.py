"""A question to a server whose account can write: refused before the model is asked, or known of."""

from collections.abc import Callable

import pytest

from database_fixtures import WRITER, WRITER_PASSWORD, LentDatabase
from scripted_model import ScriptedModel
from text2sql import services
from text2sql.cli.main import run

Ask = Callable[..., int]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> ScriptedModel:
    model = ScriptedModel(["```sql\nSELECT name FROM customers\n```"] * 2)
    # A command makes its services itself, from settings, and no setting names a scripted model.
    monkeypatch.setattr(services, "open_model", lambda *_: model)
    return model


@pytest.fixture
def ask(server_database: LentDatabase, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Give what asks one question as the user who may write everything, with the options it is given."""
    server_database.load("CREATE TABLE customers (name VARCHAR(9))", "INSERT INTO customers VALUES ('Ada')")
    url = server_database.url
    assert url
    monkeypatch.setenv("TEXT2SQL_DATABASE_URL", f"mysql://{WRITER}@{url.host}:{url.port}/{url.database}")
    monkeypatch.setenv("TEXT2SQL_DATABASE_PASSWORD", WRITER_PASSWORD)
    return lambda *options: run(["ask", *options, "What are the customers called?"])


def test_question_is_refused_before_the_model_is_asked(
    ask: Ask, model: ScriptedModel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask("--json") == 12
    printed = capsys.readouterr().out
    assert "DATABASE_ACCOUNT_CAN_WRITE" in printed
    assert "CREATE USER 'text2sql_reader'@'%'" in printed
    assert WRITER_PASSWORD not in printed
    assert model.prompts == []


@pytest.mark.usefixtures("model")
def test_question_is_answered_for_somebody_who_knows(
    ask: Ask, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask("--i-know") == 0
    assert "Ada" in capsys.readouterr().out
    monkeypatch.setenv("TEXT2SQL_I_KNOW", "true")
    assert ask() == 0
