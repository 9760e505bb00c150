"""Whether a model could be asked, by the settings; nobody asks it."""

import socket
from pathlib import Path

import pytest

from text2sql.errors import ModelNotInstalled, ModelUnavailable
from text2sql.services import check_model
from text2sql.settings import Settings


def test_embedded_model_that_was_not_fetched_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(ModelNotInstalled):
        check_model(Settings(cache_dir=tmp_path))


def test_server_that_listens_is_ready_and_one_that_does_not_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        check_model(Settings(model_provider="openai", model_base_url=url))
    with pytest.raises(ModelUnavailable):
        check_model(Settings(model_provider="openai", model_base_url=url))


@pytest.mark.parametrize("url", ["", "http://", "http://127.0.0.1:99999/v1", "file:///etc/passwd"])
def test_address_that_is_none_is_not_ready(url: str) -> None:
    with pytest.raises(ModelUnavailable):
        check_model(Settings(model_provider="openai", model_base_url=url))
