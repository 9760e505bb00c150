"""Terraform for the tests of the infrastructure."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from infra.terraform import CORE, Terraform, core, resources, stand_in


@pytest.fixture(scope="session")
def providers() -> Iterator[str]:
    """Give the value for TF_REATTACH_PROVIDERS."""
    with stand_in("aws_s3_bucket_versioning") as served:
        yield served


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory, providers: str) -> Terraform:
    """Return Terraform in a copy of terraform-core that nothing is applied from."""
    folder = tmp_path_factory.mktemp("infra") / "terraform-core"
    shutil.copy(CORE.parent / "guardrail.yaml", folder.parent)
    return core(folder, providers)


@pytest.fixture(scope="session", params=["dev", "prod"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, providers: str) -> Any:
    """Return all resources that were made for a stage, by their addresses, with what the stand-in made up."""
    folder = tmp_path_factory.mktemp(request.param) / "terraform-core"
    shutil.copy(CORE.parent / "guardrail.yaml", folder.parent)
    terraform = core(folder, providers)
    said = terraform.run("apply", "-auto-approve", "-input=false", stage=request.param)
    assert said.returncode == 0, said
    return resources(terraform.state()["values"])
