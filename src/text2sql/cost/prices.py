"""The file of prices: its format, and reading it."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field, StringConstraints, field_validator

from text2sql.errors import InvalidPrices
from text2sql.messages import Message
from text2sql.yaml_file import YamlFile

BUILT_IN = Path(__file__).with_name("prices.yaml")
MILLION = 1_000_000
UNITS: Mapping[str, str] = {
    "fargate_vcpu": "vCPU-hour",
    "fargate_gb": "GB-hour",
    "fargate_spot_vcpu": "vCPU-hour",
    "fargate_spot_gb": "GB-hour",
    "ec2_disk_gb": "GB-month",
    "database_gb": "GB-month",
    "database_backup_gb": "GB-month",
    "database_extended_support": "vCPU-hour",
    "load_balancer": "hour",
    "load_balancer_unit": "LCU-hour",
    "nat_gateway": "hour",
    "nat_gb": "GB",
    "endpoint": "hour",
    "endpoint_gb": "GB",
    "public_address": "hour",
    "waf_acl": "month",
    "waf_rule": "month",
    "waf_requests": "million requests",
    "gateway_requests": "million requests",
    "lambda_requests": "million requests",
    "lambda_gb_seconds": "million GB-seconds",
    "workflow_transitions": "million transitions",
    "express_requests": "million requests",
    "express_gb_seconds": "million GB-seconds",
    "dynamodb_writes": "million units",
    "dynamodb_reads": "million units",
    "dynamodb_gb": "GB-month",
    "dynamodb_recovery_gb": "GB-month",
    "s3_gb": "GB-month",
    "s3_writes": "million requests",
    "s3_reads": "million requests",
    "log_gb": "GB",
    "log_kept_gb": "GB-month",
    "alarm": "month",
    "metric": "month",
    "traces": "million traces",
    "firehose_gb": "GB",
    "image_gb": "GB-month",
    "secret": "month",
    "key": "month",
    "key_requests": "million requests",
    "guardrail_content": "million text units",
    "guardrail_topics": "million text units",
    "guardrail_personal": "million text units",
    "pinecone_plan": "month",
    "transfer_out_gb": "GB",
    "transfer_zones_gb": "GB",
}
"""Every price that a bill may need, and what it must be for; `month` and `hour` are for one thing."""

_Usd = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Month = Annotated[str, StringConstraints(pattern=r"^20\d\d-(0[1-9]|1[0-2])(-[0-3]\d)?$")]
_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_Named = TypeVar("_Named")


class _Dated(Message):
    known: _Month
    """The month or the day that the price can be vouched for."""
    source: _Text
    """Where the price is published."""
    seen: str = ""
    """Another page that names the same price, with its date."""


class Price(_Dated):
    """US dollars for one unit."""

    usd: _Usd
    unit: str


class MachinePrice(_Dated):
    """US dollars for an hour of a database or an instance of one class."""

    usd: _Usd
    vcpus: Annotated[int, Field(gt=0)]


class ModelPrice(_Dated):
    """US dollars for a million tokens."""

    prompt: _Usd
    cache_read: _Usd
    cache_write: _Usd
    completion: _Usd


class PriceList(Message):
    """All prices of one region."""

    region: _Text
    written: date
    verified: bool = False
    """Whether somebody compared the prices with the live price pages on that day."""
    prices: dict[str, Price]
    models: dict[str, ModelPrice]
    databases: dict[str, MachinePrice]
    instances: dict[str, MachinePrice]

    @field_validator("prices")
    @classmethod
    def _hold_what_a_bill_needs(cls, prices: dict[str, Price]) -> dict[str, Price]:
        for name in prices:
            if name not in UNITS:
                message = f"there is no price {name} in a bill"
                raise ValueError(message)
        for name, unit in UNITS.items():
            if name not in prices:
                message = f"the price {name} is missing"
                raise ValueError(message)
            if prices[name].unit != unit:
                message = f"{name} must be for the unit {unit}, not {prices[name].unit}"
                raise ValueError(message)
        return prices

    def usd(self, name: str) -> float:
        """Return US dollars for one unit; where it is for a million, for one of those."""
        price = self.prices[name]
        return price.usd / MILLION if price.unit.startswith("million ") else price.usd

    def model(self, name: str) -> ModelPrice:
        """Return what a model's tokens cost.

        Raises:
            InvalidPrices: the file does not name the model.
        """
        return _find(self.models, "model", name)

    def database(self, name: str) -> MachinePrice:
        """Return what a class of databases costs in one Availability Zone.

        Raises:
            InvalidPrices: the file does not name the class.
        """
        return _find(self.databases, "database class", name)

    def instance(self, name: str) -> MachinePrice:
        """Return what a class of EC2 instances costs.

        Raises:
            InvalidPrices: the file does not name the class.
        """
        return _find(self.instances, "instance class", name)


def read_prices(path: Path | None = None) -> PriceList:
    """Return the prices of a file, or those that come with the package.

    Raises:
        InvalidPrices: it cannot be read, does not follow the format, or lacks a price.
    """
    return YamlFile(path or BUILT_IN, PriceList, InvalidPrices, "docs/cost.md").content


def _find(known: Mapping[str, _Named], kind: str, name: str) -> _Named:
    if name not in known:
        raise InvalidPrices(
            f"The prices know no {kind} {name}.",
            remedy=f"They know {', '.join(known) or 'none'}; more with --prices FILE, see docs/cost.md.",
        )
    return known[name]
