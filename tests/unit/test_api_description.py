"""The API's description: as committed, as shown, and kept by the replies to requests made from it."""

import json
import re
from functools import reduce
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from api_world import Client, Issuer, open_world
from text2sql.documents.folder import FolderStore
from text2sql.documents.folder_library import FolderLibrary
from text2sql.documents.local_index import LocalIndex
from text2sql.errors import Text2SqlError
from text2sql.guardrail.local import LocalGuardrail
from text2sql_api import errors
from text2sql_api.errors import RequestError
from text2sql_api.main import create_routes
from text2sql_api.openapi import describe

EXAMPLES = 15
"""Requests for each path: good ones, and such as go against the description."""
BEYOND_THE_DESCRIPTION = positive_data_acceptance
"""An empty question and a cursor that nobody gave out are as described, and refused all the same."""
OPERATIONS = [
    f"{method.upper()} {path}"
    for path, operations in describe(create_routes())["paths"].items()
    for method in operations
]

WITHOUT_PARAMETERS = {"GET /healthz", "GET /readyz"}


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


def test_committed_description_is_the_one_that_is_served(repository: Path) -> None:
    committed = json.loads((repository / "docs" / "openapi.json").read_text("utf-8"))
    assert committed == describe(create_routes()), "write it anew with make openapi"


@pytest.mark.parametrize(
    "mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value
)
@pytest.mark.parametrize("label", OPERATIONS)
def test_every_reply_is_as_described(
    label: str, mode: GenerationMode, tmp_path: Path, issuer: Issuer
) -> None:
    seen: set[int] = set()
    store, index = FolderStore(tmp_path / "documents"), LocalIndex(tmp_path / "index.sqlite")
    library = FolderLibrary(store, index, LocalGuardrail(4000), tmp_path / "syncs.json")
    with open_world(
        tmp_path, issuer=issuer, libraries={"shop": library}, requests_per_minute=100_000, user_jobs=1000
    ) as world:
        client = world.client("root", "admin")
        ids = {"shop": "shop", "job": client.ask()["id"]}
        schema = schemathesis.openapi.from_asgi("/openapi.json", world.app)
        operation = schema.find_operation_by_label(label)
        assert operation

        @seed(1)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Case) -> None:
            if mode is GenerationMode.POSITIVE and "{id}" in label:
                names = {"id": ids["shop" if "datasources" in label else "job"], "name": "a.md"}
                case.path_parameters = {name: names[name] for name in case.path_parameters}
                if isinstance(case.body, dict) and "name" in case.body:
                    case.body["name"] = names["name"]
            reply = case.call_and_validate(headers=client.headers, excluded_checks=[BEYOND_THE_DESCRIPTION])
            seen.add(reply.status_code)

        if mode is GenerationMode.POSITIVE or label not in WITHOUT_PARAMETERS:
            ask()
            assert mode is GenerationMode.NEGATIVE or min(seen) < 300, "nothing was let in"


def test_document_names_only_paths_that_there_are(repository: Path) -> None:
    text = (repository / "docs" / "api.md").read_text("utf-8")
    found = set(re.findall(r"/(?:v1|api)/[\w:/{}.]*\w}?", text))
    examples = {r"/[0-9a-f]{32}": "/{id}", "/shop/": "/{id}/", r"/\w+\.md": "/{name}"}
    named = reduce(lambda paths, each: {re.sub(*each, path) for path in paths}, examples.items(), found)
    assert len(named) > 5
    assert named <= {label.partition(" ")[2] for label in OPERATIONS}


def test_page_of_the_description_names_each_path_and_fetches_nothing(tmp_path: Path) -> None:
    with open_world(tmp_path) as world:
        page = Client(world.app).get("/docs").text
    for label in OPERATIONS:
        assert f"<code>{label}</code>" in page
    assert "http" not in page
    assert "<script" not in page


def _request_errors(kind: type[Text2SqlError] = RequestError) -> list[type[Text2SqlError]]:
    return [kind, *(error for child in kind.__subclasses__() for error in _request_errors(child))]


def test_problems_are_documented_as_they_are(repository: Path) -> None:
    text = (repository / "docs" / "errors.md").read_text("utf-8")
    section = text.partition("\n## Problems of the API\n")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+ \| \w+) \| .+\. \| .+\. \|$", section, re.MULTILINE))
    kinds = [kind for kind in _request_errors() if kind.__module__ == errors.__name__]
    expected = {kind.code: f"{kind.status} | {'yes' if kind.retryable else 'no'}" for kind in kinds}
    assert rows == expected
