"""What the tests share: a small shop, the services that answer about it, a model from a script."""

from datetime import date
from pathlib import Path

import pytest

from scripted_model import ScriptedModel, ScriptedReply, SetModel
from small_shop import write_small_shop
from text2sql import services as wiring
from text2sql.execution.sqlite import SqliteDatabase
from text2sql.guardrail.local import LocalGuardrail
from text2sql.pipeline import Services
from text2sql.retrieval.local import LocalKnowledgeBase


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write_small_shop(tmp_path / "shop.db")


@pytest.fixture
def services(shop: Path) -> Services:
    """Everything but the model, with the catalog read already."""
    database = SqliteDatabase(shop)
    catalog = database.read_catalog()
    return Services(
        guardrail=LocalGuardrail(4000),
        knowledge_base=LocalKnowledgeBase(()),
        model=ScriptedModel(()),
        database=database,
        catalog=lambda: catalog,
        today=date(2025, 6, 1),
        votes=3,
    )


@pytest.fixture
def set_model(monkeypatch: pytest.MonkeyPatch, shop: Path) -> SetModel:
    """Give the function that sets what the model says about the shop, which each module sets up itself."""
    assert shop.exists()

    def set_replies(*replies: ScriptedReply) -> ScriptedModel:
        model = ScriptedModel(replies)
        # A command makes its services itself, from settings, and no setting names a scripted model.
        monkeypatch.setattr(wiring, "open_model", lambda *_: model)
        return model

    return set_replies
