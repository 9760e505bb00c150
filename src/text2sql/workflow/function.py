"""What surrounds a step when it runs as a Lambda function: the event, the clock, the log, and its errors."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeVar, cast

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from text2sql import ending
from text2sql.errors import RepairableError, SqlRejected, Text2SqlError
from text2sql.execution.cancel import refuse_cancelled
from text2sql.messages import Feedback, Message, StepName, StepRecord
from text2sql.settings import Settings
from text2sql.telemetry import StepLog
from text2sql.workflow.events import StepError, StepEvent
from text2sql.workflow.job import JobNotes, open_jobs
from text2sql.workflow.parcel import ParcelStore
from text2sql.workflow.parcels_s3 import open_parcels

_E = TypeVar("_E", bound=StepEvent)
_settings = cache(Settings)
Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


@dataclass(frozen=True)
class Surroundings:
    """What a step works with beside its event."""

    settings: Settings
    parcels: ParcelStore
    log: StepLog
    job: JobNotes


def observed(name: str, work: Callable[[dict[str, Any], Logger, Metrics], dict[str, Any]]) -> Handler:
    """Return a Lambda handler whose log lines bear the job's id, with a trace segment and metrics."""
    logger = Logger(service=name)
    metrics = Metrics(namespace="Text2Sql", service=name)

    @logger.inject_lambda_context(correlation_id_path="job_id", clear_state=True)
    @metrics.log_metrics(capture_cold_start_metric=True)
    @_trace(name)
    def handle(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
        return work(event, logger, metrics)

    return cast("Handler", handle)


def _trace(name: str) -> Callable[[Handler], Handler]:
    """Return a decorator that adds a trace segment, without what goes in and out.

    A function that calls no service goes without it, for the tracer's import takes 100 ms.
    """
    if os.environ.get("POWERTOOLS_TRACE_DISABLED") == "true":
        return lambda handler: handler
    tracer = Tracer(service=name, auto_patch=False)
    return partial(tracer.capture_lambda_handler, capture_response=False, capture_error=False)


def task_function(name: str, work: Callable[[dict[str, Any], Logger, Metrics], dict[str, Any]]) -> Handler:
    """Return a Lambda handler of what no question waits for; its errors are ours, without others' text."""

    def watched(event: dict[str, Any], logger: Logger, metrics: Metrics) -> dict[str, Any]:
        has_failed = 1
        try:
            done = work(event, logger, metrics)
            has_failed = 0
        except Text2SqlError as error:
            logger.warning("the task failed", code=error.code)
            raise
        except Exception:
            logger.exception("the task broke")
            raise Text2SqlError(ending.broken().message) from None
        finally:
            metrics.add_metric("Failed", MetricUnit.Count, has_failed)
        return done

    return observed(name, watched)


def step_function(
    name: StepName, kind: type[_E]
) -> Callable[[Callable[[_E, Surroundings], Message]], Handler]:
    """Turn a step into a Lambda handler that returns the step's `output` and its `record`.

    The job is told when the step begins and ends. A step that nobody wants any more is not begun, and
    ends with QueryCancelled.

    An error of ours leaves it as it is, so that the state machine knows it by its class's name, with a
    `StepError` as its text. Any other error is logged, and leaves as an INTERNAL_ERROR without its text.
    """

    def decorate(step: Callable[[_E, Surroundings], Message]) -> Handler:
        def work(event: dict[str, Any], logger: Logger, metrics: Metrics) -> dict[str, Any]:
            job = JobNotes(str(event.get("job_id", "")), open_jobs())
            log = StepLog(job.note)
            try:
                with log.step(name, event.get("attempt", 1)):
                    refuse_cancelled(job.cancelled)
                    around = Surroundings(_settings(), open_parcels(), log, job)
                    output = step(kind.model_validate(event), around)
            except Text2SqlError as error:
                logger.warning("the step failed", code=error.code)
                raise _told(error, log.records[-1])  # noqa: B904 — it is the same error
            except Exception:
                logger.exception("the step broke")
                broken = ending.broken()
                unnamed = Text2SqlError(broken.message, remedy=broken.remedy)
                raise _told(unnamed, log.records[-1]) from None
            finally:
                _measure(metrics, log.records[-1])
                if job.missed:
                    logger.warning("the job does not show the step", missed=job.missed)
            return {
                "output": output.model_dump(mode="json"),
                "record": log.records[-1].model_dump(mode="json"),
            }

        return observed(name, work)

    return decorate


def _told(error: Text2SqlError, record: StepRecord) -> Text2SqlError:
    feedback = None
    if isinstance(error, RepairableError):
        code = error.reason if isinstance(error, SqlRejected) else error.code
        feedback = Feedback(sql="", code=code, text=error.feedback)
    failure = ending.failure_of(error)
    error.args = (StepError(record=record, failure=failure, feedback=feedback).model_dump_json(),)
    return error


def _measure(metrics: Metrics, record: StepRecord) -> None:
    metrics.add_metric("Seconds", MetricUnit.Seconds, record.seconds)
    metrics.add_metric("Failed", MetricUnit.Count, 1 if record.code else 0)
    if record.usage:
        metrics.add_metric("PromptTokens", MetricUnit.Count, record.usage.prompt_tokens)
        metrics.add_metric("CompletionTokens", MetricUnit.Count, record.usage.completion_tokens)
