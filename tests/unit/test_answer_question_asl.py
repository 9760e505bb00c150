"""The state machine's definition, held against the pipeline, the errors and the template."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_cloud import read_template
from text2sql import errors
from text2sql.errors import RepairableError, Text2SqlError
from text2sql.generation.bedrock import ATTEMPTS
from text2sql.pipeline import STEPS
from text2sql.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
TEXT = (REPOSITORY / "statemachines" / "answer_question.asl.yaml").read_text("utf-8")
MACHINE: dict[str, Any] = yaml.safe_load(TEXT)
STATES: dict[str, dict[str, Any]] = MACHINE["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
TEMPLATE = read_template()
FUNCTIONS = {
    name: {**TEMPLATE["Globals"]["Function"], **resource["Properties"]}
    for name, resource in TEMPLATE["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function" and name in STATES
}
ERRORS = dict(inspect.getmembers(errors, inspect.isclass))
LAMBDA_ERRORS = {"ServiceException", "AWSLambdaException", "SdkClientException", "TooManyRequestsException"}
ELSEWHERE = {"ModelDownloadFailed", "TooManyJobs", "WorkflowUnavailable"}
"""Errors worth a retry that no step raises."""


def error_names(state: dict[str, Any], kind: str) -> list[str]:
    return [name for entry in state.get(kind, []) for name in entry["ErrorEquals"]]


def following(state: dict[str, Any]) -> Iterator[str]:
    """Return every state that may come after this one."""
    for place in (state, *state.get("Choices", []), *state.get("Catch", [])):
        if "Next" in place:
            yield place["Next"]
    if "Default" in state:
        yield state["Default"]


def test_tasks_are_the_steps_in_their_order() -> None:
    assert tuple(TASKS) == (*STEPS, "RecordOutcome")
    assert tuple(FUNCTIONS) == tuple(TASKS)


@pytest.mark.parametrize("name", TASKS)
def test_task_invokes_the_function_of_its_name(name: str) -> None:
    assert TASKS[name]["Arguments"]["FunctionName"] == f"${{{name}Arn}}"
    folder = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    handler = REPOSITORY / "functions" / folder / "handler.py"
    assert len(handler.read_text("utf-8").splitlines()) < 30


@pytest.mark.parametrize("name", TASKS)
def test_task_ends_in_time_is_retried_with_jitter_and_caught(name: str) -> None:
    task = TASKS[name]
    assert task["TimeoutSeconds"] > FUNCTIONS[name]["Timeout"]
    assert all(entry["JitterStrategy"] == "FULL" for entry in task["Retry"])
    assert all("States.ALL" not in entry["ErrorEquals"] for entry in task["Retry"])
    assert task["Catch"][-1]["ErrorEquals"] == ["States.ALL"]
    assert [entry["ErrorEquals"] for entry in task["Catch"][:-1]].count(["States.ALL"]) == 0


def test_one_try_of_every_step_fits_into_the_time_of_the_machine() -> None:
    assert sum(task["TimeoutSeconds"] for task in TASKS.values()) < MACHINE["TimeoutSeconds"] < 300


@pytest.mark.parametrize("name", TASKS)
def test_every_error_name_exists(name: str) -> None:
    for error in error_names(TASKS[name], "Retry") + error_names(TASKS[name], "Catch"):
        service, _, kind = error.rpartition(".")
        assert kind in {"": ERRORS, "Lambda": LAMBDA_ERRORS, "States": {"ALL"}}[service]


def test_every_error_that_may_be_gone_in_a_while_is_retried_and_no_other() -> None:
    retried = {name for task in TASKS.values() for name in error_names(task, "Retry") if "." not in name}
    retryable = {name for name, kind in ERRORS.items() if issubclass(kind, Text2SqlError) and kind.retryable}
    assert retried == retryable - ELSEWHERE


def test_every_error_that_a_repair_can_help_goes_back_to_the_model_and_no_other() -> None:
    repaired = {
        name
        for task in TASKS.values()
        for entry in task["Catch"]
        if entry["Next"] == "CanRepair"
        for name in entry["ErrorEquals"]
    }
    assert repaired == {
        name for name, kind in ERRORS.items() if issubclass(kind, RepairableError) and kind != RepairableError
    }


@pytest.mark.parametrize("name", STEPS)
def test_step_of_a_cancelled_job_is_not_retried_and_ends_in_record_outcome(name: str) -> None:
    assert not {"QueryCancelled", "Text2SqlError"} & {*error_names(TASKS[name], "Retry")}
    catches = [
        entry for entry in TASKS[name]["Catch"] if {"QueryCancelled", "States.ALL"} & {*entry["ErrorEquals"]}
    ]
    assert [entry["Next"] for entry in catches] == ["RecordOutcome"]


def test_every_path_ends_in_record_outcome() -> None:
    reached, pending = set(), [MACHINE["StartAt"]]
    while pending:
        if (name := pending.pop()) not in reached:
            reached.add(name)
            pending.extend(following(STATES[name]))
    assert reached == set(STATES)
    ends = {name for name, state in STATES.items() if not list(following(state))}
    assert ends == {"NotRecorded"}
    assert [name for name, state in STATES.items() if "NotRecorded" in following(state)] == ["RecordOutcome"]
    assert [name for name, state in STATES.items() if state.get("End")] == ["RecordOutcome"]


def test_substitutions_and_variables_are_all_given() -> None:
    machine = TEMPLATE["Resources"]["AnswerQuestion"]["Properties"]
    assert set(re.findall(r"\$\{(\w+)\}", TEXT)) == set(machine["DefinitionSubstitutions"])
    used = set(re.findall(r"\$([a-z_]+)\b(?!\()", TEXT)) - {"states", "told"}
    assert used == set(STATES["Begin"]["Assign"])
    assert TEMPLATE["Parameters"]["Repairs"]["Default"] == Settings().repairs


def test_model_gives_up_before_its_function_does() -> None:
    shared = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    for name, calls in (("RewriteQuestion", ATTEMPTS), ("GenerateSql", ATTEMPTS + 1)):
        variables = shared | TEMPLATE["Resources"][name]["Properties"]["Environment"]["Variables"]
        assert calls * float(variables["TEXT2SQL_MODEL_TIMEOUT"]) <= FUNCTIONS[name]["Timeout"]
    assert Settings().query_timeout < FUNCTIONS["ExecuteSql"]["Timeout"]
