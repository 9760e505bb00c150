"""`make deploy ENV=dev`: from a clone to a running stage on AWS, or the same stage renewed.

Each step is shown before it begins. Terraform's plans and SAM's change set are asked about; YES=1 agrees to
all of them. What failed can be run again: each step does only what is missing.
"""

import argparse
import os
import sys
import time
from pathlib import Path

from deployed_stage import Stage, open_stage
from images import Images
from knowledge_upload import check_knowledge, upload_knowledge
from programs import run_script, say
from sam_stack import SamStack
from smoke_checks import check_gateway, check_guardrail
from terraform_core import TerraformCore
from vault_secrets import read_vault


def deploy(stage: Stage, images: Images, knowledge: Path | None, vault: str, *, is_agreed: bool) -> None:
    """Lay or renew all of the stage.

    Args:
        stage: which.
        images: of its services.
        knowledge: a folder to upload.
        vault: where Vault keeps the secrets; nothing where they are made, or stand in the environment.
        is_agreed: whether nobody is asked.

    Raises:
        DeploymentFailed: a step could not be done.
    """
    secrets = read_vault(vault, os.environ, Path.home()) if vault else {}
    core, stack = TerraformCore(stage, {**os.environ, **secrets}), SamStack(stage)
    for part in (core, images, stack):
        part.check()
    if knowledge:
        check_knowledge(knowledge)

    say(f"The core of {stage.stack}, by Terraform")
    core.open()
    core.apply(is_agreed=is_agreed, image_tags=_running(core))
    made = core.outputs()

    say("The images of the services, by Docker")
    tags = images.push(made["image_repositories"])

    say("The functions and the gateway, by SAM")
    stacked = stack.deploy(made, is_agreed=is_agreed)

    if not made["database_is_follower"]:
        say("The account that questions are asked with")
        account = stack.prepare_database(stacked["PrepareDatabaseName"])
        print(f"{account['user']} is there; its password was {account['password']}.")

    if knowledge:
        say(f"The knowledge of {knowledge}")
        storage = stage.session.client("s3", region_name=stage.region)
        print("\n".join(upload_knowledge(knowledge, stacked["KnowledgeBucket"], storage)))

    say("The services with their images, by Terraform")
    core.apply(is_agreed=is_agreed, image_tags=tags)

    check_gateway(stage, stacked["GatewayUrl"])
    bedrock = stage.session.client("bedrock-runtime", region_name=stage.region)
    check_guardrail(**made["guardrail"], client=bedrock)
    _introduce(stacked, made["cognito_user_pool_id"], has_knowledge=knowledge is not None)


def plan(stage: Stage) -> None:
    """Show what Terraform would change of the core.

    Raises:
        DeploymentFailed: it cannot.
    """
    core = TerraformCore(stage, os.environ)
    core.check()
    core.open()
    core.plan(image_tags=_running(core))


def main() -> int:
    """Run it; return the exit code."""
    parser = argparse.ArgumentParser(description="Lay a stage of text2sql on AWS, or renew it.")
    parser.add_argument("stage", help="dev or prod")
    parser.add_argument("--knowledge", type=Path, help="a folder with policy.yaml and what else is known")
    parser.add_argument("--vault", default="", help="where Vault keeps the secrets, such as secret/text2sql")
    parser.add_argument("--yes", action="store_true", help="agree to all plans beforehand")
    parser.add_argument("--sign", action="store_true", help="sign the images with cosign")
    parser.add_argument("--plan", action="store_true", help="only show what Terraform would change")
    arguments = parser.parse_args()

    def work() -> None:
        started = time.monotonic()
        stage = open_stage(arguments.stage)
        print(f"The stage {stage.name} of the account {stage.account} in {stage.region}.")
        if arguments.plan:
            plan(stage)
            return
        images = Images(stage, are_signed=arguments.sign)
        deploy(stage, images, arguments.knowledge, arguments.vault, is_agreed=arguments.yes)
        print(f"\nDeployed in {(time.monotonic() - started) / 60:.0f} minutes.")

    return run_script("deploy", work)


def _running(core: TerraformCore) -> dict[str, str]:
    """Return the tags of what runs, which goes on running until its new image is there."""
    tags: dict[str, str] = core.outputs().get("image_tags", {})
    return tags


def _introduce(stacked: dict[str, str], pool: str, *, has_knowledge: bool) -> None:
    print(f"\nThe gateway answers at {stacked['GatewayUrl']}.")
    if not has_knowledge:
        print(
            "Without policy.yaml in the bucket "
            f"{stacked['KnowledgeBucket']} no question is answered: KNOWLEDGE=folder uploads it."
        )
    user = f"--user-pool-id {pool} --username you@example.com"
    print(
        "Make a user, and an admin of them:\n"
        f"  aws cognito-idp admin-create-user {user} "
        "--user-attributes Name=email,Value=you@example.com Name=email_verified,Value=true\n"
        f"  aws cognito-idp admin-add-user-to-group {user} --group-name admin"
    )


if __name__ == "__main__":
    sys.exit(main())
