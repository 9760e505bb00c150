"""Files that must agree: settings and their table, README and Makefile, locks and their rules."""

import re
from pathlib import Path

import pytest

from text2sql.settings import Settings
from text2sql_api.settings import ApiSettings

ROOT = Path(__file__).parents[2]


def _read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def test_configuration_lists_each_setting_with_its_default() -> None:
    rows = re.findall(
        r"^\| `TEXT2SQL_(\w+)` \| (?:`([^`]*)`)? ?\|", _read("docs/configuration.md"), re.MULTILINE
    )
    documented = {name.lower(): default for name, default in rows}
    of_the_api = {f"api_{name}": field for name, field in ApiSettings.model_fields.items()}
    fields = {**Settings.model_fields, **of_the_api}
    assert list(documented) == list(fields)
    for name, field in fields.items():
        default = field.default
        if hasattr(default, "get_secret_value"):
            default = default.get_secret_value()
        told = "" if default is None else f"{default:g}" if isinstance(default, float) else str(default)
        assert documented[name] == told, name


def test_readme_names_only_targets_that_make_has() -> None:
    targets = set(re.findall(r"^([a-z-]+):", _read("Makefile"), re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z-]+)", _read("README.md")))
    assert {"ask", "test"} <= named <= targets


@pytest.mark.parametrize(
    "document", ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
def test_links_lead_to_files_that_are_there(document: str) -> None:
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", _read(document)):
        assert (ROOT / document).parent.joinpath(link).exists(), link


@pytest.mark.parametrize("lock", ["cli", "dev"])
def test_lock_holds_hashes_and_no_addresses(lock: str) -> None:
    text = _read(f"requirements/{lock}.txt")
    assert "://" not in text
    packages = re.findall(r"^([a-z][\w.-]*)==", text, re.MULTILINE)
    assert len(packages) > 20
    assert text.count("--hash=sha256:") >= len(packages)


def test_ci_runs_make_test_and_nothing_else() -> None:
    commands = [line for line in _read(".ci/run").splitlines() if line and not line.startswith("#")]
    assert len(commands) == 1
    assert "make --no-print-directory test" in commands[0]
