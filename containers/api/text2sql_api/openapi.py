"""The API's description, and the page that shows it: plain HTML, which fetches nothing from elsewhere."""

from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from text2sql_api.gate import PUBLIC
from text2sql_api.views import Problem

_SCHEMAS = "#/components/schemas/{model}"
_STYLE = """<style>
body { font: 16px/1.5 system-ui; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse }
td, th { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top }
</style>"""


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the description: with the problems, and with the token that all but the public paths need."""
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    components = document.setdefault("components", {})
    schema = Problem.model_json_schema(ref_template=_SCHEMAS)
    components["schemas"] |= {**schema.pop("$defs"), "Problem": schema}
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation["security"] = [] if path in PUBLIC else [{"token": []}]
    return document


def render_page(document: dict[str, Any]) -> str:
    """Return the description as a page to read."""
    title = escape(document["info"]["title"])
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>",
        _STYLE,
        f"<h1>{title}</h1><p>{escape(document['info'].get('description', ''))}</p>",
        "<p>The whole description, for tools: <a href=/openapi.json>openapi.json</a>.</p>",
    ]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parts.append(f"<h2><code>{method.upper()} {escape(path)}</code></h2>")
            parts.append(f"<p>{escape(operation.get('description', ''))}</p>")
            parts.append(_table("Parameter", _parameters(operation)))
            parts.append(_table("Reply", _replies(operation)))
    return "\n".join([*parts, "</html>"])


def _parameters(operation: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (f"{each['name']} ({each['in']})", each.get("description", ""))
        for each in operation.get("parameters", ())
    ]


def _replies(operation: dict[str, Any]) -> list[tuple[str, str]]:
    return [(status, told["description"]) for status, told in operation["responses"].items()]


def _table(heading: str, rows: list[tuple[str, str]]) -> str:
    if not rows:
        return ""
    cells = "".join(f"<tr><td><code>{escape(name)}</code><td>{escape(told)}" for name, told in rows)
    return f"<table><tr><th>{heading}<th>{cells}</table>"
