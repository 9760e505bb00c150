"""What SAM and cfn-lint say of the template."""

import os
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def test_template_is_valid_and_free_of_lint(tmp_path: Path) -> None:
    done = subprocess.run(
        [REPOSITORY / ".venv-cloud/bin/sam", "validate", "--lint", "--region", "eu-central-1"],
        cwd=REPOSITORY,
        env={**os.environ, "HOME": str(tmp_path), "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
