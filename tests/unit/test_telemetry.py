from decimal import Decimal

import pytest

from text2sql.errors import ModelThrottled
from text2sql.messages import StepRecord, Usage
from text2sql.telemetry import StepLog, count_repairs


def usage(tokens: int, cost: str | None = None, model: str = "m") -> Usage:
    return Usage(
        model=model,
        prompt_tokens=tokens,
        cached_tokens=1,
        completion_tokens=2,
        cost_usd=None if cost is None else Decimal(cost),
    )


def test_step_that_ends_well_is_recorded_once_and_told_twice() -> None:
    told: list[StepRecord] = []
    log = StepLog(told.append)
    with log.step("GenerateSql", 2):
        assert [record.status for record in told] == ["started"]
        assert log.records == []
    assert [record.status for record in told] == ["started", "succeeded"]
    assert log.records == told[1:]
    record = log.records[0]
    assert (record.step, record.attempt, record.code, record.usage) == ("GenerateSql", 2, None, None)
    assert 0 < record.seconds <= log.seconds


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ModelThrottled("later"), "MODEL_THROTTLED"),
        (ValueError("bug"), "INTERNAL_ERROR"),
        (KeyboardInterrupt(), "INTERNAL_ERROR"),
    ],
)
def test_step_that_an_error_leaves_has_failed_with_its_code(error: BaseException, code: str) -> None:
    log = StepLog()

    def run() -> None:
        with log.step("GenerateSql"):
            log.add_usage(usage(5))
            raise error

    with pytest.raises(type(error)):
        run()
    assert [(record.status, record.code) for record in log.records] == [("failed", code)]
    assert log.records[0].usage == usage(5)


def test_usage_counts_to_the_running_step_and_to_the_total() -> None:
    log = StepLog()
    for tokens in (5, 7):
        with log.step("GenerateSql"):
            log.add_usage(usage(tokens, "0.5"))
    assert [record.usage for record in log.records] == [usage(5, "0.5"), usage(7, "0.5")]
    assert log.usage == Usage(
        model="m", prompt_tokens=12, cached_tokens=2, completion_tokens=4, cost_usd=Decimal("1.0")
    )


def test_one_call_of_unknown_cost_makes_the_total_unknown_but_no_other_step() -> None:
    log = StepLog()
    for cost in ("0.5", None):
        with log.step("GenerateSql"):
            log.add_usage(usage(5, cost))
    assert [record.usage and record.usage.cost_usd for record in log.records] == [Decimal("0.5"), None]
    assert log.usage.cost_usd is None


def test_nothing_asked_of_a_model_is_no_usage() -> None:
    assert StepLog().usage == Usage()


def test_repair_is_a_draft_that_failed_and_went_back() -> None:
    def steps(*ends: str) -> list[StepRecord]:
        records = []
        for end in ends:
            step, attempt, code = end.split(":")
            status = "failed" if code else "succeeded"
            records.append(
                StepRecord.model_validate(
                    {"step": step, "attempt": attempt, "status": status, "code": code or None}
                )
            )
        return records

    assert count_repairs([]) == 0
    seconded = steps("GenerateSql:1:", "ExecuteSql:1:", "GenerateSql:2:", "ExecuteSql:2:")
    assert count_repairs(seconded) == 0
    repaired = steps("GenerateSql:1:", "ValidateSql:1:SQL_REJECTED", "GenerateSql:2:", "ValidateSql:2:")
    assert count_repairs(repaired) == 1
    gave_up = [*repaired[:2], *steps("GenerateSql:2:REPLY_UNUSABLE"), *steps("GenerateSql:3:QUERY_FAILED")]
    assert count_repairs(gave_up) == 2
    assert count_repairs(steps("RetrieveContext:1:DATABASE_UNAVAILABLE")) == 0
