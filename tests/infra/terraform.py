"""Terraform itself, run on a folder of configuration against the provider's stand-in."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CORE = HERE.parents[1] / "terraform-core"
PYTHON = HERE.parents[1] / ".venv-checks" / "bin" / "python"


@contextmanager
def stand_in(*others: str) -> Iterator[str]:
    """Serve what terraform-core names, and others; give the value for TF_REATTACH_PROVIDERS."""
    named = {
        name if kind == "resource" else f"data.{name}"
        for path in CORE.glob("*.tf")
        for kind, name in re.findall(r'^(resource|data) "(\w+)"', path.read_text("utf-8"), re.MULTILINE)
    }
    command = [PYTHON, HERE / "stand_in.py", *sorted({*named, *others})]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            served = server.stdout.readline().strip()
            assert served, "the stand-in did not start"
            yield served
        finally:
            server.terminate()


@dataclass(frozen=True)
class Terraform:
    """Terraform in one folder; its variables are given as it takes them in the environment."""

    folder: Path
    providers: str

    def run(self, *arguments: str, **variables: str | Path) -> subprocess.CompletedProcess[str]:
        """Run one command."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
        return subprocess.run(
            [PYTHON, HERE / "run_terraform.py", *arguments],
            cwd=self.folder,
            env={
                **environment,
                **{f"TF_VAR_{name}": str(value) for name, value in variables.items()},
                "TF_REATTACH_PROVIDERS": self.providers,
                "TF_CLI_CONFIG_FILE": os.devnull,
                "CHECKPOINT_DISABLE": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def problems(self, **variables: str | Path) -> list[str]:
        """Make a plan, and return what Terraform says against it."""
        said = self.run("plan", "-json", "-input=false", "-out=plan", **variables)
        lines = [json.loads(line) for line in said.stdout.splitlines()]
        found = [line["diagnostic"] for line in lines if line["type"] == "diagnostic"]
        assert (said.returncode != 0) == bool(found), said
        return [f"{each['summary']}: {each['detail']}" for each in found]

    def plan(self, **variables: str | Path) -> dict[str, Any]:
        """Return a plan that nothing is said against."""
        assert self.problems(**variables) == []
        return self._shown("plan")

    def state(self) -> dict[str, Any]:
        """Return what was applied."""
        return self._shown()

    def _shown(self, *what: str) -> dict[str, Any]:
        shown: dict[str, Any] = json.loads(self.run("show", "-json", *what).stdout)
        return shown


def resources(state: dict[str, Any]) -> dict[str, Any]:
    """Return what a plan's `planned_values` or a state's `values` say of each resource, by its address."""
    listed = state["root_module"]["resources"]
    return {each["address"]: each.get("values", {}) for each in listed if each["mode"] == "managed"}


def planned(terraform: Terraform, **variables: str) -> dict[str, Any]:
    """Return what would be made in a folder that nobody changes, by address; the same plan is made once."""
    return resources(_plan_once(terraform, tuple(sorted(variables.items())))["planned_values"])


@cache
def _plan_once(terraform: Terraform, variables: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    return terraform.plan(**dict(variables))


def core(folder: Path, providers: str) -> Terraform:
    """Return Terraform, initialised in a copy of terraform-core that may be changed."""
    shutil.copytree(CORE, folder, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tfvars*"))
    terraform = Terraform(folder, providers)
    said = terraform.run("init", "-input=false")
    assert said.returncode == 0, said
    return terraform
