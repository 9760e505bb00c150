"""A table of Amazon DynamoDB whose key is `id`, in plain values; what it holds is not known here.

In expressions `#name` is an attribute, for many plain names are DynamoDB's own words, and `:name` a value.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from text2sql.errors import JobStoreUnavailable

Item = dict[str, Any]
"""Attributes by name: text, whole numbers, truth values, lists, and sets of text."""


class Table:
    """One table; safe for threads. boto3's client is made by `connect` for the first call.

    Every method raises JobStoreUnavailable where DynamoDB does not answer.
    """

    def __init__(self, name: str, connect: Callable[[], Any]) -> None:
        self._name = name
        self._connect = connect

    def get(self, key: str, *names: str) -> Item | None:
        """Return an item as it is now, or some of its attributes."""
        expression = ", ".join(f"#{name}" for name in names)
        only = {"ProjectionExpression": expression, "ExpressionAttributeNames": _names(expression)}
        with _translated():
            found = self._client.get_item(
                TableName=self._name, Key=_typed({"id": key}), ConsistentRead=True, **(only if names else {})
            )
        return _plain(found["Item"]) if "Item" in found else None

    def update(self, key: str, change: str, values: Item, *conditions: str) -> Item | None:
        """Change an item that is there, and for which the conditions hold, and return it; else None."""
        from botocore.exceptions import ClientError

        condition = " AND ".join(("attribute_exists(#id)", *conditions))
        with _translated():
            try:
                changed = self._client.update_item(
                    **self._write(key, change, condition, values), ReturnValues="ALL_NEW"
                )
            except ClientError as error:
                if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                    return None
                raise
        return _plain(changed["Attributes"])

    def put_and_update(
        self, item: Item, put_if: str, key: str, change: str, update_if: str, values: Item
    ) -> tuple[str, str] | None:
        """Put an item and change another one, or neither; then return DynamoDB's reasons for each.

        `values` are those of the change; `put_if` knows the item's attributes, such as `:id`.
        """
        from botocore.exceptions import ClientError

        put = {"TableName": self._name, "Item": _typed(item), **put_condition(put_if, item)}
        with _translated():
            try:
                self._client.transact_write_items(
                    TransactItems=[{"Put": put}, {"Update": self._write(key, change, update_if, values)}]
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != "TransactionCanceledException":
                    raise
                first, second = (each.get("Code", "") for each in error.response["CancellationReasons"])
                return first, second
        return None
