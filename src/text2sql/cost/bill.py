"""The bill of a month: a usage at prices, service by service."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from text2sql.cost import steps
from text2sql.cost.prices import MILLION, PriceList
from text2sql.cost.usage import Usage
from text2sql.messages import Message

DAYS = 365 / 12
"""Of a month; with 24 hours a day, 730 hours."""
HOURS = 24 * DAYS

_Parts: TypeAlias = tuple[float, float]
"""US dollars that a month costs with no question, and that a question adds."""


class Line(Message):
    """What one service costs, in US dollars."""

    service: str
    fixed: float
    """A month, whatever is asked."""
    per_question: float
    growing: float
    """A month, for the questions."""

    @property
    def total(self) -> float:
        """A month."""
        return self.fixed + self.growing


class Bill(Message):
    """What a month costs, in US dollars."""

    lines: tuple[Line, ...]
    fixed: float
    growing: float
    total: float
    questions: float
    per_question: float
    """What one more question costs."""
    per_answer: float | None
    """All of it, by answered question; None where none is answered."""


def make_bill(usage: Usage, prices: PriceList) -> Bill:
    """Return the bill.

    Raises:
        InvalidPrices: the prices do not know a model or a class that is used.
    """
    questions = usage.questions_per_day * DAYS
    lines = []
    for service, parts in _SERVICES.items():
        fixed, per_question = parts(usage, prices)
        growing = per_question * questions
        lines.append(Line(service=service, fixed=fixed, per_question=per_question, growing=growing))
    total = sum(line.total for line in lines)
    answered = questions * usage.answered_share
    return Bill(
        lines=tuple(lines),
        fixed=sum(line.fixed for line in lines),
        growing=sum(line.growing for line in lines),
        total=total,
        questions=questions,
        per_question=sum(line.per_question for line in lines),
        per_answer=total / answered if answered else None,
    )


def _model(usage: Usage, prices: PriceList) -> _Parts:
    model = prices.model(usage.model)
    calls = 1 + usage.extra_rounds * usage.votes
    plain = 1 - usage.cached_share - usage.written_share
    prompt = (
        plain * model.prompt + usage.cached_share * model.cache_read + usage.written_share * model.cache_write
    )
    call = usage.prompt_tokens * prompt + usage.completion_tokens * model.completion
    return 0, calls * call / MILLION


def _guardrail(usage: Usage, prices: PriceList) -> _Parts:
    policies = ("guardrail_content", "guardrail_topics", "guardrail_personal")
    return 0, usage.guardrail_units * sum(prices.usd(name) for name in policies)


def _functions(usage: Usage, prices: PriceList) -> _Parts:
    seconds = steps.step_gb_seconds(usage.extra_rounds) * prices.usd("lambda_gb_seconds")
    return 0, seconds + steps.step_calls(usage.extra_rounds) * prices.usd("lambda_requests")


def _workflow(usage: Usage, prices: PriceList) -> _Parts:
    standard = steps.step_transitions(usage.extra_rounds) * prices.usd("workflow_transitions")
    express = prices.usd("express_requests")
    express += steps.express_gb_seconds(usage.extra_rounds) * prices.usd("express_gb_seconds")
    return 0, (1 - usage.express_share) * standard + usage.express_share * express


def _gateway(usage: Usage, prices: PriceList) -> _Parts:
    return 0, usage.requests_per_question * prices.usd("gateway_requests")


def _jobs(usage: Usage, prices: PriceList) -> _Parts:
    kept = usage.jobs_gb * (prices.usd("dynamodb_gb") + prices.usd("dynamodb_recovery_gb"))
    writes = steps.WRITE_UNITS * prices.usd("dynamodb_writes")
    return kept, writes + steps.READ_UNITS * prices.usd("dynamodb_reads")


def _buckets(usage: Usage, prices: PriceList) -> _Parts:
    moved = steps.BUCKET_WRITES * prices.usd("s3_writes") + steps.BUCKET_READS * prices.usd("s3_reads")
    return usage.s3_gb * prices.usd("s3_gb"), moved


def _watching(usage: Usage, prices: PriceList) -> _Parts:
    log = prices.usd("log_gb") + steps.KEPT_MONTHS * prices.usd("log_kept_gb")
    fixed = usage.log_gb * log + usage.firehose_gb * prices.usd("firehose_gb")
    fixed += usage.alarms * prices.usd("alarm") + usage.metrics * prices.usd("metric")
    return fixed, steps.LOG_KB / MILLION * log + prices.usd("traces")


def _containers(usage: Usage, prices: PriceList) -> _Parts:
    on_demand, spot = (
        usage.fargate_vcpu * prices.usd(f"fargate{kind}_vcpu")
        + usage.fargate_gb * prices.usd(f"fargate{kind}_gb")
        for kind in ("", "_spot")
    )
    hour = (1 - usage.fargate_spot_share) * on_demand + usage.fargate_spot_share * spot
    return usage.fargate_tasks * usage.hours_per_day * DAYS * hour, 0


def _instances(usage: Usage, prices: PriceList) -> _Parts:
    each = prices.instance(usage.instance_class).usd * usage.hours_per_day * DAYS
    return usage.instances * (each + usage.instance_disk_gb * prices.usd("ec2_disk_gb")), 0


def _databases(usage: Usage, prices: PriceList) -> _Parts:
    copies = _copies(usage)
    hours = prices.database(usage.database_class).usd * usage.database_hours_per_day * DAYS
    kept = usage.database_gb * prices.usd("database_gb")
    backup = usage.databases * usage.database_backup_gb * prices.usd("database_backup_gb")
    return copies * (hours + kept) + backup, 0


def _extended_support(usage: Usage, prices: PriceList) -> _Parts:
    if not usage.database_extended_support:
        return 0, 0
    vcpus = _copies(usage) * prices.database(usage.database_class).vcpus
    hours = usage.database_hours_per_day * DAYS
    return vcpus * hours * prices.usd("database_extended_support"), 0


def _copies(usage: Usage) -> int:
    return usage.databases * (2 if usage.database_multi_az else 1)


def _load_balancers(usage: Usage, prices: PriceList) -> _Parts:
    hour = prices.usd("load_balancer") + usage.load_balancer_units * prices.usd("load_balancer_unit")
    return usage.load_balancers * HOURS * hour, 0


def _nat(usage: Usage, prices: PriceList) -> _Parts:
    return usage.nat_gateways * HOURS * prices.usd("nat_gateway") + usage.nat_gb * prices.usd("nat_gb"), 0


def _endpoints(usage: Usage, prices: PriceList) -> _Parts:
    standing = usage.endpoints * usage.endpoint_zones * HOURS * prices.usd("endpoint")
    return standing + usage.endpoint_gb * prices.usd("endpoint_gb"), 0


def _addresses(usage: Usage, prices: PriceList) -> _Parts:
    return usage.public_addresses * HOURS * prices.usd("public_address"), 0


def _firewall(usage: Usage, prices: PriceList) -> _Parts:
    fixed = usage.waf_acls * prices.usd("waf_acl") + usage.waf_rules * prices.usd("waf_rule")
    return fixed, usage.requests_per_question * prices.usd("waf_requests") if usage.waf_acls else 0


def _transfer(usage: Usage, prices: PriceList) -> _Parts:
    out = usage.transfer_out_gb * prices.usd("transfer_out_gb")
    return out + usage.transfer_zones_gb * prices.usd("transfer_zones_gb"), 0


def _keys(usage: Usage, prices: PriceList) -> _Parts:
    return usage.keys * prices.usd("key"), steps.KEY_REQUESTS * prices.usd("key_requests")


_SERVICES: Mapping[str, Callable[[Usage, PriceList], _Parts]] = {
    "Bedrock model": _model,
    "Bedrock guardrail": _guardrail,
    "Lambda": _functions,
    "Step Functions": _workflow,
    "API Gateway": _gateway,
    "DynamoDB": _jobs,
    "S3": _buckets,
    "CloudWatch, X-Ray, Firehose": _watching,
    "ECS on Fargate": _containers,
    "ECS on EC2": _instances,
    "RDS": _databases,
    "RDS Extended Support": _extended_support,
    "Load balancers": _load_balancers,
    "NAT gateways": _nat,
    "Interface endpoints": _endpoints,
    "Public IPv4 addresses": _addresses,
    "WAF": _firewall,
    "ECR": lambda usage, prices: (usage.image_gb * prices.usd("image_gb"), 0),
    "Secrets Manager": lambda usage, prices: (usage.secrets * prices.usd("secret"), 0),
    "KMS": _keys,
    "Pinecone": lambda usage, prices: (usage.pinecone_plans * prices.usd("pinecone_plan"), 0),
    "Data transfer": _transfer,
}
