"""Writes docs/openapi.json, the API's description; a test compares the two."""

import json
from pathlib import Path

from text2sql_api.main import create_routes
from text2sql_api.openapi import describe

TARGET = Path(__file__).parents[1] / "docs" / "openapi.json"

if __name__ == "__main__":
    TARGET.write_text(json.dumps(describe(create_routes()), indent=2) + "\n", "utf-8")
