"""The sync's definition, held against the errors, the template and the functions' time limits."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_cloud import read_template
from text2sql import errors
from text2sql.documents.sync import SyncReport
from text2sql.workflow import sync

REPOSITORY = Path(__file__).resolve().parents[2]
MACHINE: dict[str, Any] = yaml.safe_load(
    (REPOSITORY / "statemachines" / "sync_knowledge.asl.yaml").read_text("utf-8")
)
STATES: dict[str, dict[str, Any]] = MACHINE["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
TEMPLATE = read_template()
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]


@pytest.mark.parametrize("name", TASKS)
def test_task_waits_longer_than_its_function_and_may_invoke_it(name: str) -> None:
    function = {**TEMPLATE["Globals"]["Function"], **RESOURCES[name]["Properties"]}
    assert function["Timeout"] < TASKS[name]["TimeoutSeconds"] < MACHINE["TimeoutSeconds"]
    assert TASKS[name]["Arguments"]["FunctionName"] == f"${{{name}Arn}}"
    substitutions = RESOURCES["SyncKnowledge"]["Properties"]["DefinitionSubstitutions"]
    assert substitutions[f"{name}Arn"] == {"Ref": f"{name}.Alias"}
    assert {"Ref": f"{name}.Alias"} in _statement("SyncRole")["Resource"]


def test_sync_leaves_time_for_the_document_that_it_has_begun_and_for_keeping_the_index() -> None:
    assert RESOURCES["SyncDocuments"]["Properties"]["Timeout"] >= sync.SECONDS + 60


@pytest.mark.parametrize("name", TASKS)
def test_errors_that_are_retried_are_retryable_ones_of_ours(name: str) -> None:
    retried = {each for entry in TASKS[name]["Retry"] for each in entry["ErrorEquals"]}
    ours = {each for each in retried if not each.startswith("Lambda.")}
    assert ours
    assert all(getattr(errors, each).retryable for each in ours)
    assert all(entry["JitterStrategy"] == "FULL" for entry in TASKS[name]["Retry"])
    assert TASKS[name]["Catch"][-1]["ErrorEquals"] == ["States.ALL"]


def test_report_adds_up_what_each_round_has_done() -> None:
    told = TASKS["SyncDocuments"]["Assign"]["report"]
    assert tuple(told) == tuple(STATES["Begin"]["Assign"]["report"]) == SyncReport._fields
    for name, text in told.items():
        assert re.search(rf"Payload\.{name}\b", text)
        assert (f"$report.{name} +" in text) == (name != "waiting")


def test_database_is_looked_at_unless_documents_alone_have_changed() -> None:
    """Each word is written by another file: the function's, and the definition."""
    assert STATES["IsDatabaseDue"]["Default"] == "SyncSchema"
    (alone,) = STATES["IsDatabaseDue"]["Choices"]
    assert (alone["Condition"], alone["Next"]) == ("{% $documents_alone %}", "RecordSync")
    told = STATES["Begin"]["Assign"]["documents_alone"]
    assert told == "{% $states.input.documents_alone = true %}"
    assert '{"documents_alone": True}' in Path(sync.__file__).read_text("utf-8")


def test_batch_comes_again_only_after_its_function_must_have_ended() -> None:
    limit = TEMPLATE["Globals"]["Function"]["Timeout"]
    assert RESOURCES["DocumentChanges"]["Properties"]["VisibilityTimeout"] >= 6 * limit


def test_rule_tells_of_documents_alone() -> None:
    pattern = RESOURCES["DocumentsChanged"]["Properties"]["EventPattern"]
    assert pattern["detail"]["object"]["key"] == [{"prefix": "documents/"}]
    assert pattern["detail-type"] == ["Object Created", "Object Deleted"]


def _statement(role: str) -> dict[str, Any]:
    (policy,) = RESOURCES[role]["Properties"]["Policies"]
    found: dict[str, Any] = policy["PolicyDocument"]["Statement"][0]
    return found
