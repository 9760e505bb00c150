"""What the tests of the commands share: a model from a script."""

from pathlib import Path

import pytest

from scripted_model import ScriptedModel, ScriptedReply, SetModel
from text2sql import services


@pytest.fixture
def set_model(monkeypatch: pytest.MonkeyPatch, shop: Path) -> SetModel:
    """Give the function that sets what the model says about the shop, which each module sets up itself."""
    assert shop.exists()

    def set_replies(*replies: ScriptedReply) -> ScriptedModel:
        model = ScriptedModel(replies)
        # A command makes its services itself, from settings, and no setting names a scripted model.
        monkeypatch.setattr(services, "open_model", lambda *_: model)
        return model

    return set_replies
