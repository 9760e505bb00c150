"""What zizmor says of the workflows, and that it would say so of a mistake."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ZIZMOR = REPOSITORY / ".venv-checks" / "bin" / "zizmor"
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))


def judged(path: Path) -> subprocess.CompletedProcess[str]:
    """Return what zizmor says, which asks nobody for it; it ends with 0 where it finds nothing."""
    return subprocess.run(
        [ZIZMOR, "--offline", "--no-progress", "--no-config", "--persona=pedantic", "--color=never", path],
        env={name: value for name, value in os.environ.items() if name not in ("GH_TOKEN", "GITHUB_TOKEN")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflow_has_no_weakness(path: Path) -> None:
    said = judged(path)
    assert said.returncode == 0, said.stdout
    assert "zizmor:" not in path.read_text("utf-8"), "nothing is left out"


@pytest.mark.parametrize(
    ("good", "bad", "weakness"),
    [
        ("checkout@11bd71901bbe5b1630ceea73d27597364c9af683", "checkout@v4", "unpinned-uses"),
        ("persist-credentials: false", "fetch-depth: 1", "artipacked"),
        ("permissions: {}", "permissions: write-all", "excessive-permissions"),
        ("run: .ci/run", "run: echo ${{ github.event.pull_request.title }}", "template-injection"),
    ],
)
def test_mistake_in_a_workflow_is_seen(tmp_path: Path, good: str, bad: str, weakness: str) -> None:
    text = (REPOSITORY / ".github" / "workflows" / "check.yml").read_text("utf-8")
    assert good in text
    mistaken = tmp_path / ".github" / "workflows" / "check.yml"
    mistaken.parent.mkdir(parents=True)
    mistaken.write_text(text.replace(good, bad), "utf-8")
    said = judged(mistaken)
    assert said.returncode != 0
    assert weakness in said.stdout


def written(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run what writes the settings of a stage in a copy of the folders that it works in."""
    core = tmp_path / "terraform-core"
    (core / "environments").mkdir(parents=True)
    shutil.copy(REPOSITORY / "terraform-core" / "backend.tf.example", core)
    shutil.copytree(REPOSITORY / "scripts", tmp_path / "scripts")
    return subprocess.run(
        ["sh", tmp_path / "scripts" / "write_stage_settings.sh"],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_settings_of_a_stage_are_written_where_terraform_looks_for_them(tmp_path: Path) -> None:
    said = written(tmp_path, STAGE="dev", TFVARS='stage = "dev"\nmfa = "ON"', BACKEND='bucket = "b"')
    assert said.returncode == 0, said.stderr
    core = tmp_path / "terraform-core"
    assert (core / "environments" / "dev.tfvars").read_text("utf-8") == 'stage = "dev"\nmfa = "ON"\n'
    assert (core / "environments" / "dev.backend.hcl").read_text("utf-8") == 'bucket = "b"\n'
    assert 'backend "s3"' in (core / "backend.tf").read_text("utf-8")


def test_setting_that_is_not_there_is_told_before_anything_is_written(tmp_path: Path) -> None:
    said = written(tmp_path, STAGE="dev", TFVARS='stage = "dev"')
    assert (said.returncode, "The variable BACKEND has no value" in said.stderr) == (1, True)
    assert not (tmp_path / "terraform-core" / "backend.tf").exists()
