"""A table of Amazon DynamoDB whose key is `id`, in plain values; what it holds is not known here.

In expressions `#name` is an attribute, for many plain names are DynamoDB's own words, and `:name` a value.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, NamedTuple

from text2sql.errors import JobStoreUnavailable

Item = dict[str, Any]
"""Attributes by name: text, whole numbers, truth values, lists, and sets of text."""


class Write(NamedTuple):
    """An item that is put whole, or changed, if a condition holds."""

    item: Item
    """All of it, or where it is changed its key alone."""
    condition: str
    values: Item
    """What the condition and the change name."""
    change: str = ""


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

        write = Write({"id": key}, " AND ".join(("attribute_exists(#id)", *conditions)), values, change)
        with _translated():
            try:
                changed = self._client.update_item(**self._request(write), ReturnValues="ALL_NEW")
            except ClientError as error:
                if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                    return None
                raise
        return _plain(changed["Attributes"])

    def write(self, *writes: Write) -> tuple[str, ...]:
        """Do all of it, or nothing and return DynamoDB's reason for each."""
        from botocore.exceptions import ClientError

        parts = [{"Update" if write.change else "Put": self._request(write)} for write in writes]
        with _translated():
            try:
                self._client.transact_write_items(TransactItems=parts)
            except ClientError as error:
                if error.response["Error"]["Code"] != "TransactionCanceledException":
                    raise
                return tuple(each.get("Code", "") for each in error.response["CancellationReasons"])
        return ()

    def query(
        self, index: str, condition: str, only: str, values: Item, *, backwards: bool, page: int | None
    ) -> Iterator[Item]:
        """Yield an index's items for which the conditions on the key and on all of it hold, in its order.

        `page` is how many are read at once, where it is known how many are wanted.
        """
        request = {
            "TableName": self._name,
            "IndexName": index,
            "KeyConditionExpression": condition,
            "FilterExpression": only,
            "ExpressionAttributeNames": _names(condition, only),
            "ExpressionAttributeValues": _typed(values),
            "ScanIndexForward": not backwards,
            **({"Limit": page} if page else {}),
        }
        return self._pages(lambda: self._client.query, request)

    def scan(self, only: str, values: Item) -> Iterator[Item]:
        """Yield all items for which the condition holds, in no order; the whole table is read."""
        request = {
            "TableName": self._name,
            "FilterExpression": only,
            "ExpressionAttributeNames": _names(only),
            "ExpressionAttributeValues": _typed(values),
        }
        return self._pages(lambda: self._client.scan, request)

    def _pages(self, operation: Callable[[], Any], request: dict[str, Any]) -> Iterator[Item]:
        """Yield the items of all pages; the client is made with the first."""
        while True:
            with _translated():
                found = operation()(**request)
            yield from map(_plain, found["Items"])
            if "LastEvaluatedKey" not in found:
                return
            request["ExclusiveStartKey"] = found["LastEvaluatedKey"]

    def _request(self, write: Write) -> dict[str, Any]:
        item = {"Key": _typed(write.item), "UpdateExpression": write.change}
        return {
            "TableName": self._name,
            **(item if write.change else {"Item": _typed(write.item)}),
            "ConditionExpression": write.condition,
            "ExpressionAttributeNames": _names(write.change, write.condition),
            "ExpressionAttributeValues": _typed(write.values),
        }

    @cached_property
    def _client(self) -> Any:
        return self._connect()


def unavailable() -> JobStoreUnavailable:
    """Return what is raised where DynamoDB does not answer."""
    return JobStoreUnavailable("The questions' store does not answer.", remedy="Ask again in a while.")


@contextmanager
def _translated() -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise unavailable() from error


def _names(*expressions: str) -> dict[str, str]:
    return {name: name[1:] for text in expressions for name in re.findall(r"#\w+", text)}


def _typed(item: Mapping[str, object]) -> dict[str, dict[str, Any]]:
    return {name: _typed_value(value) for name, value in item.items()}


def _typed_value(value: object) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, set):
        return {"SS": sorted(value)}
    if isinstance(value, list):
        return {"L": [_typed_value(each) for each in value]}
    return {"S": str(value)}


def _plain(item: Mapping[str, dict[str, Any]]) -> Item:
    return {name: _plain_value(typed) for name, typed in item.items()}


def _plain_value(typed: dict[str, Any]) -> Any:
    ((kind, value),) = typed.items()
    if kind == "N":
        return int(value)
    if kind == "SS":
        return set(value)
    return [_plain_value(each) for each in value] if kind == "L" else value
