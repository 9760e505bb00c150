"""The Lambda handlers in this process, on the inputs of `events/`: what goes out, and how errors are told."""

import importlib.util
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cloud_tables import create_table
from job_store_contract import MANY, job
from model_server import Fault, ScriptedModelServer
from small_shop import write_small_shop
from text2sql import services
from text2sql.datasource.policy.access import Access
from text2sql.documents.sync import SyncReport
from text2sql.errors import (
    InvalidPolicy,
    JobStoreUnavailable,
    ModelThrottled,
    QueryCancelled,
    SqlRejected,
    Text2SqlError,
)
from text2sql.execution.sqlite import SqliteDatabase
from text2sql.messages import StepName
from text2sql.settings import Settings
from text2sql.workflow import function as surroundings
from text2sql.workflow import job as jobs
from text2sql.workflow.events import StepError
from text2sql.workflow.parcels_s3 import open_parcels

REPOSITORY = Path(__file__).resolve().parents[2]
EVENTS = sorted((REPOSITORY / "events").rglob("*.json"))
CONTEXT = SimpleNamespace(
    function_name="f",
    memory_limit_in_mb=512,
    invoked_function_arn="arn",
    aws_request_id="request",
    get_remaining_time_in_millis=lambda: 60_000,
)
Invoke = Callable[..., dict[str, Any]]
POLICY = """
attributes: {segment: text}
groups:
  everyone:
    tables:
      customers: {deny: [segment], rows: "segment = {caller.segment}"}
      order_items: {}
"""


@pytest.fixture
def model() -> Iterator[ScriptedModelServer]:
    with ScriptedModelServer(["SELECT name FROM customers"]) as server:
        yield server


@pytest.fixture
def invoke(model: ScriptedModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Invoke]:
    """Return what runs a function on one of the inputs, with a small shop and a scripted model behind it."""
    variables = {
        "TEXT2SQL_DATABASE_URL": f"sqlite:///{write_small_shop(tmp_path / 'shop.db')}",
        "TEXT2SQL_MODEL_PROVIDER": "openai",
        "TEXT2SQL_MODEL_NAME": model.models[0],
        "TEXT2SQL_MODEL_BASE_URL": model.base_url,
        "TEXT2SQL_PARCELS_BUCKET": "parcels",
        "TEXT2SQL_MODEL_REPLIES_TABLE": "replies",
        "TEXT2SQL_JOBS_TABLE": "jobs",
        "TEXT2SQL_RESULTS_BUCKET": "results",
        "TEXT2SQL_KNOWLEDGE_BUCKET": "knowledge",
        "TEXT2SQL_CACHE_DIR": str(tmp_path / "cache"),
        "POWERTOOLS_TRACE_DISABLED": "true",
        "POWERTOOLS_METRICS_NAMESPACE": "Text2Sql",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    # A Lambda function lives in a process of its own; here each test stands for one.
    memories = (
        surroundings._settings,
        open_parcels,
        jobs.open_jobs,
        services.open_knowledge_bucket,
        services.open_document_bucket,
        services.values_index,
    )
    for memory in memories:
        memory.cache_clear()

    def run(name: str, **fields: object) -> dict[str, Any]:
        step, _, _ = name.partition("/")
        path = REPOSITORY / "functions" / step / "handler.py"
        spec = importlib.util.spec_from_file_location(f"{step}_handler", path)
        assert spec is not None
        assert spec.loader is not None
        handler = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(handler)
        event = json.loads((REPOSITORY / "events" / f"{name}.json").read_text("utf-8"))
        return json.loads(json.dumps(handler.handle({**event, **fields}, CONTEXT)))

    with mock_aws():
        for bucket in ("parcels", "results", "knowledge"):
            boto3.client("s3").create_bucket(Bucket=bucket)
        boto3.client("s3").put_object(Bucket="knowledge", Key="policy.yaml", Body=POLICY)
        create_table(boto3.client("dynamodb"), "ModelReplies", "replies")
        create_table(boto3.client("dynamodb"), "Jobs", "jobs")
        jobs.open_jobs().submit(job().model_copy(update={"id": "job-1"}), MANY)
        yield run
    for memory in memories:
        memory.cache_clear()


def test_every_function_has_an_input() -> None:
    folders = {path.parent.name for path in (REPOSITORY / "functions").glob("*/handler.py")}
    assert {path.parent.name for path in EVENTS} == folders


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("check_question/asked", {"text": "What are the customers called?"}),
        ("check_question/masked", {"text": "Orders of the customer with SSN {US_SOCIAL_SECURITY_NUMBER}?"}),
        ("rewrite_question/leans", {"read_as": "What are the customers' segments?", "earlier": []}),
        ("generate_sql/first_draft", {"kind": "draft", "sql": "SELECT name FROM customers"}),
        ("generate_sql/repair", {"kind": "draft"}),
        ("validate_sql/draft", {"sql": "SELECT\n  name\nFROM customers\nLIMIT 1001"}),
    ],
)
def test_step_returns_its_message_and_its_record(
    invoke: Invoke, model: ScriptedModelServer, name: str, expected: dict[str, object]
) -> None:
    if "read_as" in expected:
        model.script([str(expected["read_as"])])
    returned = invoke(name)
    assert expected.items() <= returned["output"].items()
    assert returned["record"]["status"] == "succeeded"
    assert bool(returned["record"]["usage"]) == name.startswith(("rewrite_question", "generate_sql"))


def test_answer_leaves_the_parcel_of_rows_as_it_was(invoke: Invoke) -> None:
    returned = invoke("compose_answer/rows")
    assert returned["output"]["answer"]["sentence"] == "Three customers: Ada, Grace and Linus."
    executed = json.loads(returned["output"]["executed"]["text"])
    assert executed["result"]["rows"] == [["Ada"], ["Grace"], ["Linus"]]
    assert returned["record"]["status"] == "succeeded"


def test_rows_with_masked_personal_data_are_a_parcel_of_their_own(invoke: Invoke) -> None:
    event = json.loads((REPOSITORY / "events" / "compose_answer" / "rows.json").read_text("utf-8"))
    executed = json.loads(event["executed"]["text"])
    executed["valid"]["masks_personal_data"] = True
    executed["result"]["rows"] = [[f"{number} is the number 123-45-6789"] for number in range(1000)]
    invoked = invoke("compose_answer/rows", executed={"text": json.dumps(executed)})["output"]
    assert invoked["executed"] == {"text": "", "key": "job-1/shown.json"}
    stored = boto3.client("s3").get_object(Bucket="parcels", Key="job-1/shown.json")["Body"].read().decode()
    assert "123-45-6789" not in stored + json.dumps(invoked)
    assert json.loads(stored)["result"]["rows"][7] == ["7 is the number {US_SOCIAL_SECURITY_NUMBER}"]


def test_question_that_stands_alone_is_read_as_it_is_without_the_model(
    invoke: Invoke, model: ScriptedModelServer
) -> None:
    output = invoke("rewrite_question/stands_alone")["output"]
    assert output["screening"]["text"] == "How many orders were placed in 2025?"
    assert (output["read_as"], output["earlier"], model.completions) == (None, [], [])


def test_retrieved_context_fits_what_the_next_functions_are_given(invoke: Invoke) -> None:
    output = invoke("retrieve_context/anybody")["output"]
    assert "CREATE TABLE customers" in output["context"]["text"]
    assert '"order_items"' in output["access"]["text"]


def test_caller_is_told_what_the_policy_shows_to_the_groups_and_attributes(invoke: Invoke) -> None:
    output = invoke("retrieve_context/anybody")["output"]
    assert "segment" not in output["context"]["text"]
    assert "CREATE TABLE orders" not in output["context"]["text"]
    assert json.loads(output["access"]["text"])["attributes"] == {"segment": "Corporate"}


def test_bucket_without_a_policy_shows_nobody_anything(invoke: Invoke) -> None:
    boto3.client("s3").delete_object(Bucket="knowledge", Key="policy.yaml")
    with pytest.raises(InvalidPolicy):
        invoke("retrieve_context/anybody")
    boto3.client("s3").put_object(Bucket="knowledge", Key="policy.yaml", Body=POLICY)
    invoke("retrieve_context/anybody")


def test_stored_values_are_told_and_a_first_draft_is_held_against_them(invoke: Invoke) -> None:
    services.open_values(Settings(), None)
    retrieved = invoke("retrieve_context/anybody", question="Which segment has grace?")["output"]
    access = {"text": Access(catalog=services.open_catalog(Settings())).model_dump_json()}
    draft = {"kind": "draft", "sql": "SELECT name FROM customers WHERE segment = 'corporate'"}
    valid = invoke("validate_sql/draft", draft=draft, access=access)["output"]
    assert "has 'Grace'" not in retrieved["context"]["text"]  # the policy filters these rows
    with pytest.raises(SqlRejected) as caught:
        invoke("execute_sql/valid", valid=valid)
    told = json.loads(str(caught.value))["feedback"]
    assert told["code"] == "VALUE_NOT_STORED"
    assert told["text"] == "customers.segment has no 'corporate', but 'Corporate'."
    invoke("execute_sql/valid", valid=valid, attempt=2)


def test_verified_query_goes_from_the_bucket_to_the_answer_past_the_model(
    invoke: Invoke, model: ScriptedModelServer
) -> None:
    query = {"question": "What do the items cost?", "sql": "SELECT line_total FROM order_items"}
    approved = {**query, "approved_by": "Ada", "approved_on": "2026-03-01"}
    body = json.dumps({"queries": [approved]})
    boto3.client("s3").put_object(Bucket="knowledge", Key="verified.yaml", Body=body)
    retrieved = invoke("retrieve_context/anybody", question="what do the items cost")["output"]
    draft = invoke("generate_sql/first_draft", context=retrieved["context"])["output"]
    valid = invoke("validate_sql/draft", draft=draft, access=retrieved["access"])["output"]
    executed = invoke("execute_sql/valid", valid=valid)["output"]["executed"]
    shown = invoke("compose_answer/rows", context=retrieved["context"], executed=executed)["output"]
    composed = shown["answer"]
    assert draft["sql"] == query["sql"]
    assert "Ada approved it" in next(c["detail"] for c in composed["checks"] if c["name"] == "verified query")
    assert model.completions == []
    feedback = [{"sql": query["sql"], "code": "QUERY_FAILED", "text": "It failed."}]
    repaired = invoke("generate_sql/repair", context=retrieved["context"], feedback=feedback)["output"]
    assert repaired["verified"] is None
    assert len(model.completions) > 0


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("check_question/asked", "CheckQuestion"),
        ("rewrite_question/leans", "RewriteQuestion"),
        ("retrieve_context/anybody", "RetrieveContext"),
        ("generate_sql/first_draft", "GenerateSql"),
        ("validate_sql/draft", "ValidateSql"),
        ("execute_sql/valid", "ExecuteSql"),
        ("compose_answer/rows", "ComposeAnswer"),
    ],
)
def test_step_is_noted_in_the_job_and_not_begun_when_it_was_cancelled(
    invoke: Invoke, model: ScriptedModelServer, name: str, step: StepName
) -> None:
    invoke(name)
    asked = len(model.completions)
    jobs.open_jobs().request_cancel("job-1")
    event = {"job_id": "job-1", "attempt": 3} if name.startswith("generate") else {}
    with pytest.raises(QueryCancelled) as caught:
        invoke(name, **event)
    assert StepError.model_validate_json(str(caught.value)).failure.code == "QUERY_CANCELLED"
    found = jobs.open_jobs().find("job-1")
    assert found is not None
    assert [(record.step, record.status, record.code) for record in found.steps] == [
        (step, "started", None),
        (step, "succeeded", None),
        (step, "started", None),
        (step, "failed", "QUERY_CANCELLED"),
    ]
    assert len(model.completions) == asked


def test_step_that_cannot_be_noted_is_done_all_the_same(
    invoke: Invoke, caplog: pytest.LogCaptureFixture
) -> None:
    boto3.client("dynamodb").delete_table(TableName="jobs")
    assert invoke("validate_sql/draft")["record"]["status"] == "succeeded"
    assert caplog.messages == ["the job does not show the step"]


def test_rows_of_the_database_are_a_parcel(invoke: Invoke) -> None:
    assert '"Grace"' in invoke("execute_sql/valid")["output"]["executed"]["text"]


def test_rejected_draft_leaves_under_its_name_with_what_a_repair_needs(invoke: Invoke) -> None:
    with pytest.raises(SqlRejected) as caught:
        invoke("validate_sql/forbidden")
    told = StepError.model_validate_json(str(caught.value))
    assert told.record.code == told.failure.code == "SQL_REJECTED"
    assert told.feedback is not None
    assert told.feedback.code == "NOT_A_SELECT"


def test_throttled_model_leaves_under_its_name(invoke: Invoke, model: ScriptedModelServer) -> None:
    model.script([Fault.error(429)])
    with pytest.raises(ModelThrottled) as caught:
        invoke("generate_sql/first_draft")
    assert StepError.model_validate_json(str(caught.value)).feedback is None


def test_same_request_again_is_answered_from_memory(invoke: Invoke, model: ScriptedModelServer) -> None:
    first = invoke("generate_sql/first_draft")
    assert invoke("generate_sql/first_draft") == first
    assert len(model.completions) == 1
    invoke("generate_sql/repair")
    assert [request.body.get("n") for request in model.completions] == [None, None, 2]


def test_failed_request_is_made_again(invoke: Invoke, model: ScriptedModelServer) -> None:
    model.script([Fault.error(429), "SELECT 1"])
    with pytest.raises(ModelThrottled):
        invoke("generate_sql/first_draft")
    assert invoke("generate_sql/first_draft")["output"]["sql"] == "SELECT 1"


def test_memory_that_is_gone_is_told_as_an_error_that_is_retried(invoke: Invoke) -> None:
    boto3.client("dynamodb").delete_table(TableName="replies")
    with pytest.raises(JobStoreUnavailable):
        invoke("generate_sql/first_draft")


def test_error_that_nobody_expects_leaves_without_its_text_and_is_logged_with_it(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TEXT2SQL_QUESTION_CHARACTERS", "hunter2")
    with pytest.raises(Text2SqlError) as caught:
        invoke("check_question/asked")
    assert type(caught.value) is Text2SqlError
    assert "hunter2" not in str(caught.value)
    assert caplog.messages == ["the step broke"]
    assert "hunter2" in caplog.text


def test_metrics_and_log_hold_no_question(
    invoke: Invoke, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SqlRejected):
        invoke("validate_sql/forbidden")
    assert caplog.messages == ["the step failed"]
    (metrics,) = [line for line in capsys.readouterr().out.splitlines() if '"Seconds"' in line]
    assert json.loads(metrics)["Failed"] == [1.0]
    assert "customers" not in metrics + caplog.text


@pytest.mark.parametrize(
    ("name", "expected", "steps"),
    [
        ("record_outcome/answered", {"outcome": "answered", "code": None}, 6),
        ("record_outcome/timed_out", {"outcome": "failed", "code": "MODEL_TIMED_OUT"}, 3),
        ("record_outcome/stopped", {"outcome": "failed", "code": "JOB_INTERRUPTED"}, 0),
    ],
)
def test_outcome_is_kept_once(
    invoke: Invoke, name: str, expected: dict[str, Any], steps: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [invoke(name), invoke(name)] == [expected, expected]
    kept = jobs.open_jobs().find("job-1")
    assert kept is not None
    assert kept.reply is not None
    assert len(kept.reply.steps) == steps
    rows = jobs.open_jobs().get_rows("job-1", 0, 9)
    assert rows == (('["Ada"]', '["Grace"]', '["Linus"]') if expected["code"] is None else ())
    lines = [line for line in capsys.readouterr().out.splitlines() if f'"{expected["outcome"]}"' in line]
    assert [json.loads(line)[expected["outcome"]] for line in lines] == [[1.0], [0.0]]


@pytest.mark.filterwarnings("ignore:No application metrics")
def test_outcome_that_cannot_be_kept_is_told_as_an_error_that_is_retried(invoke: Invoke) -> None:
    boto3.client("dynamodb").delete_table(TableName="jobs")
    with pytest.raises(JobStoreUnavailable):
        invoke("record_outcome/answered")


def test_documents_go_from_the_bucket_to_the_question_and_are_gone_when_they_are_deleted(
    invoke: Invoke,
) -> None:
    storage = boto3.client("s3")
    storage.put_object(
        Bucket="knowledge", Key="documents/glossary.md", Body="- Loyal customer: one with a segment.\n"
    )
    storage.put_object(Bucket="knowledge", Key="documents/broken.pdf", Body=b"%PDF-1.4")
    question = "How many loyal customers are there?"
    assert "Loyal customer" not in str(invoke("retrieve_context/anybody", question=question))
    synced = invoke("sync_documents/changes")
    assert synced == {"indexed": 1, "removed": 0, "failed": 1, "waiting": 0, "ingestion": None}
    assert invoke("check_ingestion/running") == {"status": "done", "failed": 0}
    assert invoke("record_sync/done", report={name: synced[name] for name in SyncReport._fields}) == {
        "state": "done"
    }
    services.open_document_bucket.cache_clear()  # a function elsewhere
    told = str(invoke("retrieve_context/anybody", question=question))
    assert "document: glossary.md, Loyal customer" in told
    storage.delete_object(Bucket="knowledge", Key="documents/glossary.md")
    services.open_document_bucket.cache_clear()
    assert invoke("sync_documents/changes")["removed"] == 1
    services.open_document_bucket.cache_clear()
    assert "Loyal customer" not in str(invoke("retrieve_context/anybody", question=question))
    (record,) = services.open_document_bucket(Settings())[0].history().syncs
    assert (record.id, record.state) == ("changes-4f1c2a9e-0001", "done")
    assert (record.indexed, record.failed, record.schema_changes, record.misfits) == (1, 1, 3, 1)


def test_schema_is_read_anew_for_all_functions_and_what_no_longer_fits_it_is_told(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    storage = boto3.client("s3")
    metric = "metrics: [{metric: vips, meaning: The best, sql: COUNT(vip), tables: [customers]}]"
    storage.put_object(Bucket="knowledge", Key="metrics.yaml", Body=metric)
    assert invoke("sync_schema/nightly") == {"changes": 0, "misfits": 1}
    assert "metric: vips" in capsys.readouterr().out
    with closing(sqlite3.connect(tmp_path / "shop.db")) as shop, shop:
        shop.execute("ALTER TABLE customers ADD COLUMN vip INTEGER")
    assert invoke("sync_schema/nightly") == {"changes": 1, "misfits": 0}
    assert "customers.vip is new" in capsys.readouterr().out
    monkeypatch.setenv("TEXT2SQL_CACHE_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setattr(SqliteDatabase, "read_catalog", None)  # whoever needs it takes the bucket's
    surroundings._settings.cache_clear()
    assert "vip" in invoke("retrieve_context/anybody")["output"]["context"]["text"]


def test_knowledge_that_describes_what_is_gone_is_a_misfit(invoke: Invoke) -> None:
    notes = "tables: {returns: {description: Goods that came back}}"
    boto3.client("s3").put_object(Bucket="knowledge", Key="catalog.yaml", Body=notes)
    assert invoke("sync_schema/nightly") == {"changes": 0, "misfits": 1}


def test_sync_that_was_broken_off_is_recorded_as_failed(invoke: Invoke) -> None:
    assert invoke("record_sync/done", error="GuardrailUnavailable") == {"state": "failed"}
    (record,) = services.open_document_bucket(Settings())[0].history().syncs
    assert record.problem == "The sync was broken off: GuardrailUnavailable. The next one goes on."
    boto3.client("s3").put_object(Bucket="knowledge", Key="index/syncs.json", Body=b"{")
    assert invoke("record_sync/done") == {"state": "done"}


def test_error_of_a_sync_holds_no_text_of_others(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_settings: Settings) -> None:
        raise RuntimeError("a secret")  # no adapter of ours does

    monkeypatch.setattr(services, "open_guardrail", broken)
    with pytest.raises(Text2SqlError) as caught:
        invoke("sync_documents/changes")
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
