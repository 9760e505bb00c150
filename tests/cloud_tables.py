"""The template's tables, made in a stand-in for DynamoDB as the deployment makes them."""

from typing import Any

from local_cloud import read_template

_KEYS = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes")


def create_table(client: Any, logical_id: str, name: str) -> None:
    """Make a table of template.yaml under another name."""
    told = read_template()["Resources"][logical_id]["Properties"]
    client.create_table(TableName=name, **{key: told[key] for key in _KEYS if key in told})
