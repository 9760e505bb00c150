"""Terraform for the tests of the infrastructure."""

from collections.abc import Iterator

import pytest

from infra.terraform import Terraform, core, stand_in


@pytest.fixture(scope="session")
def providers() -> Iterator[str]:
    """Give the value for TF_REATTACH_PROVIDERS."""
    with stand_in("aws_s3_bucket_versioning") as served:
        yield served


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory, providers: str) -> Terraform:
    """Return Terraform in a copy of terraform-core that nothing is applied from."""
    return core(tmp_path_factory.mktemp("infra") / "terraform-core", providers)
