"""`make destroy ENV=dev`: takes a stage down, in the reverse order of `make deploy`.

The knowledge bucket, the database's last snapshot, and Terraform's state stay.
"""

import argparse
import os
import sys
from datetime import UTC, datetime

from deployed_stage import Stage, open_stage
from programs import confirm, run_script, say
from sam_stack import SamStack
from terraform_core import TerraformCore


def destroy(stage: Stage, *, is_agreed: bool) -> None:
    """Take all of the stage down.

    Raises:
        DeploymentFailed: it was not agreed to, or a step could not be done.
    """
    core, stack = TerraformCore(stage, os.environ), SamStack(stage)
    core.check()
    stack.check()
    core.open()
    confirm(
        f"This deletes {stage.stack} in {stage.account}, {stage.region}: its questions and answers, users, "
        "logs and database, of which a last snapshot stays.",
        stage.stack,
        is_agreed=is_agreed,
    )
    stacked = stack.outputs()
    # RDS takes no name of a snapshot twice.
    snapshot = f"final-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    variables = {"destroyable": True, "final_snapshot": snapshot, "image_tags": {}}

    if core.outputs():
        say("All services stop, and nothing refuses to be deleted any more")
        core.apply(is_agreed=True, **variables)
    if stacked:
        say("The functions, the gateway, and what they kept")
        stack.empty(stacked)
        stack.delete()
    say("The core")
    core.destroy(**variables)

    print(f"\nGone. The snapshot {stage.stack}-{snapshot} stays; so does what automated backups RDS retains.")
    if stacked:
        bucket = stacked["KnowledgeBucket"]
        print(f"What people wrote stays in {bucket}; to delete that too, empty and delete the bucket.")


def main() -> int:
    """Run it; return the exit code."""
    parser = argparse.ArgumentParser(description="Take a stage of text2sql down.")
    parser.add_argument("stage", help="dev or prod")
    parser.add_argument("--yes", action="store_true", help="agree beforehand")
    arguments = parser.parse_args()
    return run_script("destroy", lambda: destroy(open_stage(arguments.stage), is_agreed=arguments.yes))


if __name__ == "__main__":
    sys.exit(main())
