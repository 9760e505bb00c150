"""The bill of a month: its arithmetic by hand, its files, and what it must agree with."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from cost_tables import BRIEF, BRIEF_TOTAL, brief_table, levers_table, presets_table

from local_cloud import read_template
from text2sql.cli.main import run
from text2sql.cost import steps
from text2sql.cost.bill import Bill, make_bill
from text2sql.cost.prices import BUILT_IN, UNITS, PriceList, read_prices
from text2sql.cost.usage import Usage, read_presets, read_usage
from text2sql.errors import InvalidPrices, InvalidSettings

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "cost.md"
PRICES = read_prices()


def parts(usage: Usage, service: str, prices: PriceList = PRICES) -> tuple[float, float]:
    """Return what a month costs without questions, and what a question adds."""
    (line,) = (line for line in make_bill(usage, prices).lines if line.service == service)
    return line.fixed, line.per_question


def edited(tmp_path: Path, old: str, new: str) -> Path:
    text = BUILT_IN.read_text("utf-8")
    assert text.count(old) == 1, old
    path = tmp_path / "prices.yaml"
    path.write_text(text.replace(old, new), "utf-8")
    return path


# ── the arithmetic ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("service", "usage", "fixed", "per_question"),
    [
        # 730 h * 4 * (0.04048 + 4 * 0.004445)
        ("ECS on Fargate", Usage(fargate_tasks=4), 170.1192, 0),
        # half of that on Spot, which is 70 % off
        ("ECS on Fargate", Usage(fargate_tasks=4, fargate_spot_share=0.5), 110.57748, 0),
        # 10 h of 24
        ("ECS on Fargate", Usage(fargate_tasks=4, hours_per_day=10), 70.883, 0),
        # 730 * 0.0416 + 30 * 0.08
        ("ECS on EC2", Usage(instances=1), 32.768, 0),
        # both copies: 2 * (730 * 0.068 + 20 * 0.115) + 20 * 0.095
        ("RDS", Usage(databases=1, database_multi_az=True, database_backup_gb=20), 105.78, 0),
        # 2 copies * 2 vCPUs * 730 * 0.10
        ("RDS Extended Support", Usage(databases=1, database_multi_az=True), 0, 0),
        (
            "RDS Extended Support",
            Usage(databases=1, database_multi_az=True, database_extended_support=True),
            292,
            0,
        ),
        # each of two: 730 * (0.0225 + 0.5 * 0.008)
        ("Load balancers", Usage(load_balancers=2, load_balancer_units=0.5), 38.69, 0),
        # 730 * 0.045 + 100 * 0.045
        ("NAT gateways", Usage(nat_gateways=1, nat_gb=100), 37.35, 0),
        # 6 * 3 * 730 * 0.01 + 50 * 0.01
        ("Interface endpoints", Usage(endpoints=6, endpoint_zones=3, endpoint_gb=50), 131.9, 0),
        ("Public IPv4 addresses", Usage(public_addresses=7), 25.55, 0),
        # 5 + 6; 12 requests * 0.60 / 1e6
        ("WAF", Usage(waf_acls=1, waf_rules=6), 11, 0.0000072),
        ("WAF", Usage(), 0, 0),
        # 1,000 * 3 / 1e6 + 100 * 15 / 1e6
        ("Bedrock model", Usage(prompt_tokens=1000, completion_tokens=100, extra_rounds=0), 0, 0.0045),
        # two further rounds of three drafts: seven calls
        ("Bedrock model", Usage(prompt_tokens=1000, completion_tokens=100, extra_rounds=2), 0, 0.0315),
        # by kind of token: 1,000 * (0.1 * 3 + 0.8 * 0.30 + 0.1 * 3.75) / 1e6
        (
            "Bedrock model",
            Usage(
                prompt_tokens=1000, completion_tokens=0, extra_rounds=0, cached_share=0.8, written_share=0.1
            ),
            0,
            0.000915,
        ),
        # 2 units * (0.15 + 0.15 + 0.10) / 1,000
        ("Bedrock guardrail", Usage(), 0, 0.0008),
        # 0.5 GB * 6.1 s * 13.3334 / 1e6 + 7 * 0.20 / 1e6
        ("Lambda", Usage(extra_rounds=0), 0, 0.00004206687),
        # 13 * 0.025 / 1,000
        ("Step Functions", Usage(extra_rounds=0), 0, 0.000325),
        ("Step Functions", Usage(extra_rounds=2), 0, 0.000575),
        # 1 / 1e6 + 6.1 s * 1/16 GB * 16.67 / 1e6
        ("Step Functions", Usage(extra_rounds=0, express_share=1), 0, 0.00000735544),
        ("API Gateway", Usage(requests_per_question=12), 0, 0.000012),
        # 90 * 0.625 / 1e6 + 60 * 0.125 / 1e6
        ("DynamoDB", Usage(jobs_gb=2), 0.9, 0.00006375),
        # 4 * 5 / 1e6 + 10 * 0.40 / 1e6
        ("S3", Usage(s3_gb=100), 2.3, 0.000024),
        # 10 * 0.53 + 10 * 0.029 + 11 * 0.10 + 10 * 0.30; 25 KB * 0.53 / GB + 5 / 1e6
        (
            "CloudWatch, X-Ray, Firehose",
            Usage(log_gb=10, firehose_gb=10, alarms=11, metrics=10),
            9.69,
            0.00001825,
        ),
        ("ECR", Usage(image_gb=10), 1, 0),
        ("Secrets Manager", Usage(secrets=2), 0.8, 0),
        ("KMS", Usage(keys=3), 3, 0.000015),
        ("Pinecone", Usage(pinecone_plans=1), 50, 0),
        # 100 * 0.09 + 100 * 0.02
        ("Data transfer", Usage(transfer_out_gb=100, transfer_zones_gb=100), 11, 0),
    ],
)
def test_line_is_what_a_hand_computes(service: str, usage: Usage, fixed: float, per_question: float) -> None:
    assert parts(usage, service) == (pytest.approx(fixed), pytest.approx(per_question))


def test_growing_part_is_linear_in_the_questions_and_the_fixed_part_stays() -> None:
    one, two, ten = (
        make_bill(read_usage("prod", changes=[("questions_per_day", number)]), PRICES)
        for number in (100, 200, 1000)
    )
    assert one.fixed == two.fixed == ten.fixed > 0
    assert one.growing > 0
    assert (two.growing, ten.growing) == (pytest.approx(2 * one.growing), pytest.approx(10 * one.growing))
    assert two.total - one.total == pytest.approx(one.per_question * 100 * 365 / 12)


def test_without_questions_the_fixed_part_is_left_and_no_answer_has_a_cost() -> None:
    bill = make_bill(read_usage("prod", changes=[("questions_per_day", 0)]), PRICES)
    assert bill.growing == 0
    assert bill.total == bill.fixed > 0
    assert bill.per_answer is None


def test_nothing_used_costs_nothing() -> None:
    assert make_bill(Usage(), PRICES).total == 0


def test_cost_of_an_answer_is_the_total_by_those_that_were_answered() -> None:
    usage = Usage(questions_per_day=12, answered_share=0.5, secrets=100, extra_rounds=0)
    bill = make_bill(usage, PRICES)
    assert bill.questions == pytest.approx(365)
    assert bill.per_answer == pytest.approx((40 + 365 * bill.per_question) / 182.5)


def test_total_is_the_sum_of_its_lines() -> None:
    bill = make_bill(read_usage("brief"), PRICES)
    assert bill.total == pytest.approx(sum(line.fixed + line.growing for line in bill.lines))
    assert bill.total == pytest.approx(bill.fixed + bill.growing)


def test_every_price_matters_to_a_bill() -> None:
    everything = {name: 1 for name, field in Usage.model_fields.items() if field.annotation in {int, float}}
    shares = {"cached_share": 0.3, "written_share": 0.3, "express_share": 0.5, "fargate_spot_share": 0.5}
    usage = Usage.model_validate({**everything, **shares, "database_extended_support": True})
    total = make_bill(usage, PRICES).total
    for name, price in PRICES.prices.items():
        dearer = PRICES.prices | {name: price.model_copy(update={"usd": price.usd * 2})}
        assert make_bill(usage, PRICES.model_copy(update={"prices": dearer})).total > total, name


# ── the file of prices ───────────────────────────────────────────────────────────────────────────


def test_built_in_prices_name_their_page_and_do_not_claim_to_be_verified() -> None:
    assert PRICES.region == "us-east-1"
    assert not PRICES.verified
    groups: tuple[Mapping[str, Any], ...] = (PRICES.prices, PRICES.models, PRICES.databases, PRICES.instances)
    for name, price in (pair for group in groups for pair in group.items()):
        assert price.source.startswith("https://"), name
        assert price.known <= PRICES.written.isoformat(), name
    assert set(PRICES.prices) == set(UNITS)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  secret: {usd: 0.40", "  secrets: {usd: 0.40", "there is no price secrets"),
        ("  key: {usd: 1.00", "  # key: {usd: 1.00", "the price key is missing"),
        ("{usd: 0.10, unit: month, known", "{usd: 0.10, unit: year, known", "must be for the unit month"),
        ("nat_gateway: {usd: 0.045", "nat_gateway: {usd: -1", "greater than or equal to 0"),
        ("nat_gateway: {usd: 0.045", "nat_gateway: {usd: cheap", "prices.nat_gateway.usd"),
        (
            "secret: {usd: 0.40, unit: month, known: 2025-06",
            "secret: {usd: 0.40, unit: month, known: now",
            "known",
        ),
        ("region: us-east-1\n", "", "region"),
        ("region: us-east-1\n", "region: us-east-1\nzone: a\n", "zone"),
        ("models:  #", "models: [", "prices.yaml, line"),
    ],
)
def test_file_that_does_not_follow_the_format_is_refused(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    with pytest.raises(InvalidPrices, match=re.escape(told)) as raised:
        read_prices(edited(tmp_path, old, new))
    assert "docs/cost.md" in raised.value.remedy


def test_complaint_names_the_line(tmp_path: Path) -> None:
    path = edited(tmp_path, "nat_gateway: {usd: 0.045", "nat_gateway: {usd: cheap")
    line = 1 + path.read_text("utf-8").partition("nat_gateway:")[0].count("\n")
    with pytest.raises(InvalidPrices, match=f"prices.yaml, line {line}:"):
        read_prices(path)


def test_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidPrices, match="cannot be read"):
        read_prices(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        (Usage(model="gpt-0"), "no model gpt-0"),
        (Usage(database_class="db.z9"), "no database class db.z9"),
        (Usage(instance_class="z9"), "no instance class z9"),
    ],
)
def test_what_the_prices_do_not_know_is_an_error_that_names_what_they_do(usage: Usage, told: str) -> None:
    with pytest.raises(InvalidPrices, match=told) as raised:
        make_bill(usage, PRICES)
    assert "medium" in raised.value.remedy or "claude-sonnet-4-6" in raised.value.remedy


def test_own_prices_are_taken(tmp_path: Path) -> None:
    prices = read_prices(edited(tmp_path, "secret: {usd: 0.40", "secret: {usd: 4"))
    assert parts(Usage(secrets=2), "Secrets Manager", prices) == (8, 0)


# ── the usage ────────────────────────────────────────────────────────────────────────────────────


def test_file_wins_over_the_preset_and_an_option_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "usage.yaml"
    path.write_text("secrets: 7\nnat_gateways: 5\ndatabase_multi_az: true\n", "utf-8")
    usage = read_usage("dev", path, [("secrets", "9")])
    assert (usage.secrets, usage.nat_gateways, usage.database_multi_az) == (9, 5, True)
    assert usage.model_dump(exclude={"secrets", "nat_gateways", "database_multi_az"}) == read_presets()[
        "dev"
    ].model_dump(exclude={"secrets", "nat_gateways", "database_multi_az"})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("tasks", "4"), "tasks"),
        (("fargate_tasks", "many"), "fargate_tasks"),
        (("questions_per_day", "-1"), "questions_per_day"),
        (("questions_per_day", "inf"), "questions_per_day"),
        (("hours_per_day", "25"), "hours_per_day"),
        (("answered_share", "0"), "answered_share"),
        (("cached_share", "0.99"), "may not be more than 1 together"),
    ],
)
def test_value_out_of_its_range_is_refused(change: tuple[str, str], told: str) -> None:
    with pytest.raises(InvalidSettings, match=told):
        read_usage("prod", changes=[change])


def test_file_of_usage_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "usage.yaml"
    path.write_text("secrets: 7\ntasks: 5\n", "utf-8")
    with pytest.raises(InvalidSettings, match=r"usage.yaml, line 2: tasks"):
        read_usage("dev", path)


def test_preset_that_is_not_there_is_told() -> None:
    with pytest.raises(InvalidSettings, match="no preset test") as raised:
        read_usage("test")
    assert "dev, prod, brief" in raised.value.remedy


# ── what it must agree with ──────────────────────────────────────────────────────────────────────


def walk(states: Mapping[str, Any], name: str, last: str, chosen: Mapping[str, str]) -> list[str]:
    """Return the states from `name` to `last`, by what choices choose if not their default."""
    passed = [name]
    while passed[-1] != last:
        state = states[passed[-1]]
        ways = {choice["Next"] for choice in state.get("Choices", ())} | {state.get("Default")}
        following = chosen.get(passed[-1]) or state.get("Next") or state["Default"]
        assert state["Type"] != "Choice" or following in ways
        passed.append(following)
    return passed


def test_transitions_are_those_of_the_state_machine() -> None:
    definition = yaml.safe_load((ROOT / "statemachines" / "answer_question.asl.yaml").read_text("utf-8"))
    states = definition["States"]
    straight = walk(states, definition["StartAt"], "RecordOutcome", {"IsDraft": "ValidateSql"})
    assert len(straight) == steps.STATES
    assert [name for name in straight if states[name]["Type"] == "Task"] == list(steps.STEP_SECONDS)
    assert "CanRepair" in {catch["Next"] for catch in states["ExecuteSql"]["Catch"]}
    again = walk(states, "CanRepair", "ExecuteSql", {"CanRepair": "GenerateSql", "IsDraft": "ValidateSql"})
    assert len(again) == steps.ROUND_STATES
    assert tuple(name for name in again if states[name]["Type"] == "Task") == steps.ROUND


def test_functions_and_what_is_kept_are_those_of_the_template() -> None:
    template = read_template()
    memory = template["Globals"]["Function"]["MemorySize"]
    for name in steps.STEP_SECONDS:
        properties = template["Resources"][name]["Properties"]
        assert properties.get("MemorySize", memory) == steps.MEMORY_GB * 1024, name
        assert steps.STEP_SECONDS[name] <= properties.get("Timeout", 15)
    assert template["Globals"]["Function"]["Architectures"] == ["arm64"]  # whose price the file has
    kinds = [each["Type"] for each in template["Resources"].values()]
    assert read_usage("dev").alarms == kinds.count("AWS::CloudWatch::Alarm")
    assert template["Parameters"]["LogRetentionDays"]["Default"] == steps.KEPT_MONTHS * 30


def test_defaults_are_what_was_measured() -> None:
    measured = json.loads((ROOT / "evals/results/accuracy-check-votes-1-mysql.json").read_text("utf-8"))
    usage = Usage()
    assert usage.extra_rounds == pytest.approx(measured["drafts"] - 1)
    assert usage.completion_tokens == measured["completion_tokens"]
    default = json.loads((ROOT / "evals/results/accuracy-check-default-mysql.json").read_text("utf-8"))
    assert usage.answered_share == default["ran"] / default["share"]["of"]
    assert f'"prompt_tokens": {usage.prompt_tokens:.0f},' in (ROOT / "docs/api.md").read_text("utf-8")


@pytest.mark.parametrize("table", [presets_table, brief_table, levers_table])
def test_page_shows_the_tables_that_the_prices_make(table: Any) -> None:
    assert table() in PAGE.read_text("utf-8"), "put in what evals/cost_tables.py prints"


def test_page_lists_each_name_of_a_usage_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `([^`]*)` \| .{10,}\. \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    fields = {name: field.default for name, field in Usage.model_fields.items()}
    shown = {
        name: str(default).lower() if isinstance(default, bool) else f"{default}"
        for name, default in fields.items()
    }
    assert dict(rows) == shown


def test_brief_adds_up_to_its_total_but_for_pinecone() -> None:
    lows, highs, _ = zip(*BRIEF.values(), strict=True)
    assert (sum(lows), sum(highs) - 70) == BRIEF_TOTAL


# ── the command ──────────────────────────────────────────────────────────────────────────────────


def test_command_prints_a_table_by_service(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", "--preset", "dev", "--questions-per-day", "500"]) == 0
    out, err = capsys.readouterr()
    bill = make_bill(read_usage("dev", changes=[("questions_per_day", 500)]), PRICES)
    assert err == ""
    assert re.search(rf"^Total +{bill.fixed:.2f} +{bill.growing:.2f} +{bill.total:.2f}$", out, re.MULTILINE)
    assert f"${bill.per_answer:.4f} an answered question; one more question costs" in out
    assert "15,208 questions a month" in out
    assert "not verified" in out
    assert "RDS " in out
    assert "Pinecone" not in out


def test_command_prints_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", "--preset", "prod", "--model", "claude-haiku-4-5", "--set", "keys=9", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    usage = Usage.model_validate(told["usage"])
    assert (usage.model, usage.keys, told["prices_verified"]) == ("claude-haiku-4-5", 9, False)
    assert Bill.model_validate(told["bill"]) == make_bill(usage, PRICES)


def test_command_tells_when_nothing_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", "--questions-per-day", "0"]) == 0
    assert "No question is asked; one more question costs" in capsys.readouterr().out


def test_shown_prices_can_be_given_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", "--show-prices"]) == 0
    path = tmp_path / "mine.yaml"
    path.write_text(capsys.readouterr().out.replace("verified: false", "verified: true"), "utf-8")
    assert run(["cost", "--prices", str(path)]) == 0
    assert "2026-11-23, verified" in capsys.readouterr().out


def test_help_names_every_preset(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", "--help"]) == 0
    told = re.search(r"--preset NAME +([^.]*)\.", capsys.readouterr().out)
    assert told
    assert re.findall(r"[a-z]+(?:-[a-z]+)?", told[1].replace(" or ", " ")) == list(read_presets())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--model", "gpt-0"], "[INVALID_PRICES]"),
        (["--prices", "none.yaml"], "[INVALID_PRICES]"),
        (["--preset", "none"], "[INVALID_SETTINGS]"),
        (["--usage", "none.yaml"], "[INVALID_SETTINGS]"),
        (["--set", "keys"], "Write NAME=VALUE"),
    ],
)
def test_command_tells_what_is_wrong(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["cost", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err
