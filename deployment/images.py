"""The images of the services: each is built of a commit, pushed once, and signed where that is asked for."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime

from deployed_stage import Stage
from programs import REPOSITORY, DeploymentFailed, Programs, say

FOLDERS = {"backend": "api", "frontend": "web"}
"""Of `containers/`, by the services' names in terraform-core."""
SOURCES = (".dockerignore", "LICENSE", "README.md", "containers", "pyproject.toml", "requirements", "src")
"""What goes into images, or says how they are built; .dockerignore narrows it."""
PLATFORM = "linux/amd64"
"""What the task definitions ask for."""
DOCKER = "Install Docker, or what understands its commands, and start it."
COSIGN = "Install cosign 2: https://docs.sigstore.dev/cosign/system_config/installation/"


class Images:
    """The images of one stage."""

    def __init__(self, stage: Stage, *, are_signed: bool) -> None:
        """Start nothing yet.

        Args:
            stage: whose images they are.
            are_signed: whether cosign signs each, as whoever its identity provider says that runs this.
        """
        self._stage = stage
        self._are_signed = are_signed
        self._programs = Programs(stage.environment)
        self._registry = stage.session.client("ecr", region_name=stage.region)

    def check(self) -> None:
        """Make sure that images can be built, and signed where they are.

        Raises:
            DeploymentFailed: they cannot.
        """
        self._programs.find("docker", DOCKER)
        if self._are_signed:
            self._programs.find("cosign", COSIGN)

    def push(self, repositories: Mapping[str, str]) -> dict[str, str]:
        """Build, push and sign what ECR has not yet; return the tag of each service that has a folder.

        Raises:
            DeploymentFailed: docker or cosign failed.
        """
        tag = self._tag()
        services = {
            service: f"{repositories[service]}:{tag}"
            for service, folder in FOLDERS.items()
            if (REPOSITORY / "containers" / folder / "Dockerfile").is_file()
        }
        missing = {service: image for service, image in services.items() if not self._digest(image)}
        if services and (missing or self._are_signed):
            self._sign_in(next(iter(services.values())).partition("/")[0])
        for service, image in missing.items():
            say(f"The image of the {service}: {tag}")
            file = REPOSITORY / "containers" / FOLDERS[service] / "Dockerfile"
            self._programs.run("docker", "build", "--platform", PLATFORM, "--file", file, "--tag", image, ".")
            self._programs.run("docker", "push", image)
        if self._are_signed:
            for image in services.values():
                self._sign(image)
        return dict.fromkeys(services, tag)

    def _tag(self) -> str:
        """Return the last commit of what goes into images; with a time behind it, where files differ."""
        now = f"{datetime.now(UTC):%Y%m%d%H%M%S}"
        try:
            commit = self._programs.read(
                "git", "log", "-1", "--format=%h", "--abbrev=12", "--", *SOURCES
            ).strip()
            is_clean = not self._programs.read("git", "status", "--porcelain", "--", *SOURCES).strip()
        except (DeploymentFailed, FileNotFoundError):
            return now  # not a clone, but a copy of one
        return commit if commit and is_clean else f"{commit}-{now}".lstrip("-")

    def _digest(self, image: str) -> str:
        """Return the digest of an image in ECR; nothing where it is not there."""
        repository, _, tag = image.partition("/")[2].partition(":")
        wanted = [{"imageTag": tag}]
        try:
            found = self._registry.describe_images(repositoryName=repository, imageIds=wanted)
        except self._registry.exceptions.ImageNotFoundException:
            return ""
        return next((str(each["imageDigest"]) for each in found["imageDetails"]), "")

    def _sign(self, image: str) -> None:
        """Sign what the tag means, once: cosign keeps the signature beside it, under a tag of the digest."""
        repository, _, _ = image.rpartition(":")
        digest = self._digest(image)
        if not self._digest(f"{repository}:{digest.replace(':', '-')}.sig"):
            self._programs.run("cosign", "sign", "--yes", f"{repository}@{digest}")

    def _sign_in(self, registry: str) -> None:
        (given,) = self._registry.get_authorization_token()["authorizationData"]
        user, _, password = base64.b64decode(given["authorizationToken"]).decode().partition(":")
        self._programs.run("docker", "login", "--username", user, "--password-stdin", registry, text=password)
