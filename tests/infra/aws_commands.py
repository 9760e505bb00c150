"""The commands of a shell script that call AWS, and what botocore's models say against them.

The AWS CLI makes its operations and options of those models. Not read here: here-documents, arithmetic,
and the short form of structures (`Key=…,Value=…`).
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from botocore.validate import ParamValidator

GIVEN = "$"
"""Stands where a script puts in a value of its own."""

ITS_OWN = {
    ("configure", "get"): set(),
    ("logs", "tail"): {"follow", "since", "filter-pattern", "format"},
    ("s3", "ls"): {"recursive"},
    ("s3", "sync"): {"exclude"},
    ("cloudtrail", "validate-logs"): {"trail-arn", "start-time", "end-time"},
}
"""Commands of the AWS CLI that no model has, with options of theirs."""

EVERYWHERE = {"region", "query", "output", "profile", "max-items", "source-region"}
"""Options of the AWS CLI itself; `source-region` is its own for snapshots and replicas."""

RENAMED = {"s3api": "s3", "configservice": "config"}
"""Services that the AWS CLI calls otherwise than botocore."""


def commands(script: str) -> list[list[str]]:
    """Return each command as its words, also those within others; what a script puts in reads `$`."""
    found: list[list[str]] = []
    _Reader(script, found).read()
    return found


class _Reader:
    def __init__(self, text: str, found: list[list[str]]) -> None:
        self._text, self._found, self._at = text, found, 0

    def read(self, end: str = "") -> None:
        """Read commands up to the character that ends them."""
        words: list[str] = []
        word: str | None = None
        while self._at < len(self._text):
            sign = self._text[self._at]
            self._at += 1
            if sign == end:
                break
            if sign in "'\"" or sign == "$":
                word = (word or "") + self._value(sign)
            elif sign == "\\":
                self._at += 1
            elif sign in " \t":
                words, word = self._with(words, word), None
            elif sign in "\n|;&<>":
                self._keep(self._with(words, word))
                words, word = [], None
            elif sign == "#" and word is None:
                self._at = (self._text + "\n").index("\n", self._at)
            else:
                word = (word or "") + sign
        self._keep(self._with(words, word))

    def _value(self, sign: str) -> str:
        """Return what is quoted, or put in."""
        if sign == "'":
            closing = self._text.index("'", self._at)
            quoted, self._at = self._text[self._at : closing], closing + 1
            return quoted
        if sign == "$":
            if self._text.startswith("(", self._at):
                self._at += 1
                self.read(")")
            else:
                name = re.compile(r"\{[^}]*\}|\w+|.").match(self._text, self._at)
                self._at = name.end() if name else self._at
            return GIVEN
        quoted = ""
        while (sign := self._text[self._at]) != '"':
            self._at += 1
            quoted += self._value("$") if sign == "$" else sign
        self._at += 1
        return quoted

    @staticmethod
    def _with(words: list[str], word: str | None) -> list[str]:
        return words if word is None else [*words, word]

    def _keep(self, words: list[str]) -> None:
        if words:
            self._found.append(words)


def problems(words: list[str]) -> Iterator[str]:
    """Yield what is wrong with a command, whose first word is `aws`."""
    service, operation, *rest = words[1:]
    own = ITS_OWN.get((service, operation))
    options = _options(rest if operation != "wait" else rest[1:])
    if own is not None:
        yield from (f"no option --{name}" for name in options.keys() - own - EVERYWHERE)
        return
    try:
        names = _operations(RENAMED.get(service, service))
        waiters = _waiters(RENAMED.get(service, service))
    except UnknownServiceError:
        yield f"no service {service}"
        return
    known = names.get(operation) if operation != "wait" else names.get(waiters.get(rest[0], ""))
    if known is None:
        yield f"no operation {service} {operation}"
        return
    members = dict(known.input_shape.members) if known.input_shape else {}
    spelled = {xform_name(member, "-"): member for member in members}
    no = {
        f"no-{option}": member for option, member in spelled.items() if members[member].type_name == "boolean"
    }
    for name, values in options.items():
        if name in EVERYWHERE and name not in spelled:
            continue
        member = spelled.get(name) or no.get(name)
        if member is None:
            yield f"no option --{name}"
        else:
            yield from (f"--{name}: {problem}" for problem in _unlike(members[member], values))
    required = set(known.input_shape.required_members) if known.input_shape else set()
    missing = required - {spelled.get(name) for name in options}
    yield from (f"--{xform_name(member, '-')} is missing" for member in missing)


def _options(words: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    values: list[str] = []
    for word in words:
        if word.startswith("--"):
            values = found.setdefault(word.removeprefix("--"), [])
        else:
            values.append(word)
    return found


def _unlike(shape: Any, values: list[str]) -> Iterator[str]:
    if shape.type_name == "boolean":
        yield from (f"takes no value {value}" for value in values)
        return
    if not values:
        yield "has no value"
        return
    if values[0][0] in "[{" and GIVEN not in values[0]:
        report = ParamValidator().validate(json.loads(values[0]), shape)
        if report.has_errors():
            yield report.generate_report()
        return
    if shape.type_name == "list":
        shape = shape.member
    elif len(values) > 1:
        yield f"takes one value, not {values}"
    allowed = getattr(shape, "enum", None)
    for value in values:
        if GIVEN not in value and allowed and value not in allowed:
            yield f"takes no {value}"
        if shape.type_name in {"integer", "long"} and GIVEN not in value and not value.isdigit():
            yield f"takes a number, not {value}"


@cache
def _operations(service: str) -> dict[str, Any]:
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name, "-"): model.operation_model(name) for name in model.operation_names}


@cache
def _waiters(service: str) -> dict[str, str]:
    try:
        model = botocore.session.get_session().get_waiter_model(service)
    except UnknownServiceError:  # it has none
        return {}
    operations = {name: model.get_waiter(name).operation for name in model.waiter_names}
    return {xform_name(name, "-"): xform_name(operation, "-") for name, operation in operations.items()}
