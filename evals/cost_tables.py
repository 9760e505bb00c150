"""Prints the tables of docs/cost.md: the presets' bills, the brief's table beside ours, and what levers do.

A test holds the page to it, so that no figure there is older than the prices and the presets.
"""

from collections.abc import Iterable, Mapping
from functools import cache

import click

from text2sql.cost.bill import Bill, make_bill
from text2sql.cost.prices import read_prices
from text2sql.cost.usage import read_presets, read_usage

BRIEF: Mapping[str, tuple[int, int, tuple[str, ...]]] = {
    "ECS on Fargate, 4 tasks": (150, 200, ("ECS on Fargate",)),
    "ECS on EC2, 2 to 5 t3.medium": (60, 150, ("ECS on EC2",)),
    "RDS, db.t3.medium Multi-AZ": (120, 140, ("RDS",)),
    "2 load balancers": (35, 40, ("Load balancers",)),
    "NAT gateway": (40, 80, ("NAT gateways",)),
    "S3": (5, 15, ("S3",)),
    "ECR, 10 GB": (1, 2, ("ECR",)),
    "2 secrets": (1, 1, ("Secrets Manager",)),
    "Bedrock": (50, 500, ("Bedrock model", "Bedrock guardrail")),
    "Pinecone": (70, 70, ("Pinecone",)),
    "CloudWatch Logs": (10, 30, ("CloudWatch, X-Ray, Firehose",)),
    "Data transfer": (20, 50, ("Data transfer",)),
}
"""What the brief's table says in US dollars a month, and which lines of ours that is."""
BRIEF_TOTAL = (562, 1208)

LEVERS: tuple[tuple[str, str, str], ...] = (
    ("prod", "a smaller model", "model=claude-haiku-4-5"),
    ("prod", "no prompt cache: what it saves", "cached_share=0 written_share=0"),
    ("prod", "6,000 characters of schema", "prompt_tokens=2080 cached_share=0 written_share=0"),
    ("prod", "one draft, no votes", "votes=1"),
    ("prod", "only verified queries", "prompt_tokens=0 completion_tokens=0"),
    ("prod", "the local guardrail", "guardrail_units=0"),
    ("prod", "all on the express machine", "express_share=1"),
    ("prod", "half the tasks on Spot", "fargate_spot_share=0.5"),
    ("prod", "no interface endpoints", "endpoints=0 endpoint_gb=0 nat_gb=100"),
    ("prod", "one NAT gateway", "nat_gateways=1 public_addresses=4"),
    ("prod", "a database in one zone", "database_multi_az=false"),
    ("dev", "the database stopped at night", "database_hours_per_day=10"),
    ("dev", "six endpoints, no NAT gateway", "nat_gateways=0 nat_gb=0 public_addresses=0 endpoints=6"),
    ("brief", "MySQL 8.4 instead of 8.0", "database_extended_support=false"),
    ("brief", "no instances beside Fargate", "instances=0"),
)


_prices = cache(read_prices)


def presets_table() -> str:
    """Return a row for each service, and a column for each preset."""
    bills = {name: _bill(name) for name in read_presets()}
    rows = [_row("US dollars a month", [f"`{name}`" for name in bills]), _rule(len(bills))]
    for number, line in enumerate(next(iter(bills.values())).lines):
        totals = [bill.lines[number].total for bill in bills.values()]
        if any(totals):
            rows.append(_row(line.service, [_usd(total) for total in totals]))
    for name, values in (
        ("fixed", [_usd(bill.fixed) for bill in bills.values()]),
        ("by questions", [_usd(bill.growing) for bill in bills.values()]),
        ("**total**", [f"**{_usd(bill.total)}**" for bill in bills.values()]),
        ("questions a month", [f"{bill.questions:,.0f}" for bill in bills.values()]),
        ("an answered question", [f"{bill.per_answer:.4f}" for bill in bills.values()]),
        ("one more question", [f"{bill.per_question:.4f}" for bill in bills.values()]),
    ):
        rows.append(_row(name, values))
    return "\n".join(rows)


def brief_table() -> str:
    """Return the brief's lines beside those of the presets that have its sizes."""
    bills = [_bill("brief"), _bill("brief-base")]
    rows = [_row("US dollars a month", ["the brief", "`brief`", "`brief-base`"]), _rule(3)]
    told: set[str] = set()
    for name, (low, high, services) in BRIEF.items():
        told |= set(services)
        span = f"{low}" if low == high else f"{low} to {high}"
        rows.append(_row(name, [span, *(_usd(_sum(bill, services)) for bill in bills)]))
    rows += [
        _row(line.service, ["", *(_usd(_sum(bill, (line.service,))) for bill in bills)])
        for line in bills[0].lines
        if line.service not in told and line.total
    ]
    low, high = BRIEF_TOTAL
    rows.append(_row("**total**", [f"{low:,} to {high:,}", *(f"**{_usd(bill.total)}**" for bill in bills)]))
    return "\n".join(rows)


def levers_table() -> str:
    """Return what each change makes of its preset's total."""
    rows = [
        "| preset | what | `--set` | total | difference |",
        "|---|---|---|--:|--:|",
    ]
    for preset, what, changes in LEVERS:
        before = _bill(preset).total
        after = _bill(preset, changes).total
        shown = " ".join(f"`{change}`" for change in changes.split())
        rows.append(f"| `{preset}` | {what} | {shown} | {_usd(after)} | {after - before:+,.2f} |")
    return "\n".join(rows)


def _bill(preset: str, changes: str = "") -> Bill:
    pairs = [(name, value) for name, _, value in (change.partition("=") for change in changes.split())]
    return make_bill(read_usage(preset, changes=pairs), _prices())


def _sum(bill: Bill, services: Iterable[str]) -> float:
    return sum(line.total for line in bill.lines if line.service in services)


def _row(first: str, cells: Iterable[str]) -> str:
    return f"| {first} | {' | '.join(cells)} |"


def _rule(columns: int) -> str:
    return "|---" + "|--:" * columns + "|"


def _usd(amount: float) -> str:
    return f"{amount:,.2f}"


if __name__ == "__main__":
    click.echo(f"{presets_table()}\n\n{brief_table()}\n\n{levers_table()}")
