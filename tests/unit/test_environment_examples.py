"""The examples of terraform-core/environments name variables that there are, and no others."""

import re
from pathlib import Path

import pytest

CORE = Path(__file__).parents[2] / "terraform-core"
EXAMPLES = sorted((CORE / "environments").glob("*.tfvars.example"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_names_only_variables_that_there_are(example: Path) -> None:
    declared = {
        name
        for file in CORE.glob("variables*.tf")
        for name in re.findall(r'^variable "(\w+)"', file.read_text("utf-8"), re.MULTILINE)
    }
    named = set(re.findall(r"^(?:# )?(\w+)\s+=", example.read_text("utf-8"), re.MULTILINE))
    assert named
    assert named <= declared


def test_there_is_an_example_for_each_stage() -> None:
    stages = {path.name.partition(".")[0] for path in EXAMPLES}
    assert stages == {"dev", "prod"}
    assert {f"{stage}.tfvars.example" for stage in stages} < {path.name for path in EXAMPLES}
