"""`make deploy` and `make destroy`, on real Terraform over the stand-in, a local AWS, and a gateway of ours.

What stands for docker and sam notes how it is called, and leaves in that AWS what they would.
"""

import io
import json
import re
import shutil
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.deployment_world import PREPARED, REPOSITORY, STACK, Gateway, World, lay_out
from local_cloud import LocalCloud
from processes import free_port

PYTHON = REPOSITORY / ".venv-cloud" / "bin" / "python"
TAG = "0123456789ab"
REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
IMAGE = f"{REGISTRY}/{STACK}/backend:{TAG}"


@pytest.fixture
def world(tmp_path: Path, providers: str) -> Iterator[World]:
    with Gateway() as gateway, LocalCloud(tmp_path, free_port(), PYTHON) as cloud:
        threading.Thread(target=gateway.serve_forever, daemon=True).start()
        cloud.client("ecr").create_repository(repositoryName=f"{STACK}/backend")
        prepare(cloud, PREPARED)
        yield lay_out(tmp_path, cloud, gateway, providers)
        gateway.shutdown()


def prepare(cloud: LocalCloud, reply: dict[str, Any], error: str = "") -> None:
    """Put a function into the cloud that replies as PrepareDatabase does."""
    code = io.BytesIO()
    body = f"raise RuntimeError({error!r})" if error else f"return {reply!r}"
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("handler.py", f"def handle(event, context):\n    {body}\n")
    functions = cloud.client("lambda")
    if error:
        functions.delete_function(FunctionName="prepare-database")
    functions.create_function(
        FunctionName="prepare-database",
        Runtime="python3.11",
        Role="arn:aws:iam::123456789012:role/any",
        Handler="handler.handle",
        Code={"ZipFile": code.getvalue()},
    )


def shop(world: World) -> str:
    """Return a knowledge folder with one document and a file that no function reads."""
    folder = world.folder.parent / "shop"
    (folder / "documents").mkdir(parents=True)
    for name in ("policy.yaml", "catalog.yaml", "glossary.yaml", "questions.yaml"):
        shutil.copy(REPOSITORY / "examples" / "shop" / name, folder)
    (folder / "documents" / "terms.md").write_text("# Terms\n\nA return is what came back.\n", "utf-8")
    (folder / "documents" / ".hidden").write_text("", "utf-8")
    return str(folder)


def of(program: str, calls: list[str]) -> list[str]:
    """Return what one program was called with."""
    return [call.removeprefix(f"{program} ") for call in calls if call.startswith(f"{program} ")]


def test_stage_is_laid_then_renewed_by_what_is_missing_alone_then_taken_down(world: World) -> None:
    laid = world.make("deploy", "dev", "--yes", "--knowledge", shop(world))
    assert laid.returncode == 0, laid.stderr
    calls = world.calls()
    steps = [call.split()[:2] for call in calls if not call.startswith("terraform output")]
    assert [" ".join(step) for step in steps] == [
        *("terraform version", "terraform init", "terraform workspace", "terraform plan", "terraform apply"),
        *("docker login", "docker read", "docker build", "docker push"),
        *("sam build", "sam deploy"),
        *("terraform plan", "terraform apply"),
    ]
    login, has_read, build, push = of("docker", calls)
    assert (login, has_read) == (f"login --username AWS --password-stdin {REGISTRY}", "read True")
    assert build == f"build --platform linux/amd64 --file containers/api/Dockerfile --tag {IMAGE} ."
    assert push == f"push {IMAGE}"
    deployed = of("sam", calls)[1]
    assert deployed.startswith(f"deploy --config-env=default --stack-name={STACK} --region=eu-central-1 ")
    assert deployed.endswith("--parameter-overrides Stage=dev AllowedOrigins=http://aws_lb.dns_name")
    first, second = (call for call in of("terraform", calls) if call.startswith("plan"))
    assert first.endswith("-var=image_tags={}")
    assert second.endswith(f'-var=image_tags={{"backend": "{TAG}"}}')
    listed = world.cloud.client("s3").list_objects_v2(Bucket=f"{STACK}-knowledge")["Contents"]
    assert {each["Key"] for each in listed} == {
        *("policy.yaml", "catalog.yaml", "glossary.yaml", "documents/terms.md"),
    }
    assert "text2sql_reader is there; its password was made." in laid.stdout
    assert f"The gateway answers at {world.gateway.url}." in laid.stdout
    assert [path for path, _ in world.gateway.asked] == [
        *("/healthz", "/v1/queries", "/machine/v1/queries"),
        "/guardrail/aws_bedrock_guardrail.guardrail_id/version/aws_bedrock_guardrail_version.version/apply",
    ]

    renewed = world.make("deploy", "dev", STACK_STAYS="1")
    assert renewed.returncode == 0, renewed.stderr
    calls = world.calls()
    assert not of("docker", calls)
    assert not any(call.startswith("apply") for call in of("terraform", calls)), "nobody was asked"
    assert "No changes." in renewed.stdout
    assert "no question is answered: KNOWLEDGE=folder uploads it" in renewed.stdout

    kept = world.make("destroy", "dev", typed="yes\n")
    assert (kept.returncode, "Nothing was changed." in kept.stderr) == (1, True)
    assert not of("sam", world.calls())
    world.cloud.client("s3").put_object(Bucket=f"{STACK}-results", Key="rows", Body=b"1")
    gone = world.make("destroy", "dev", typed=f"{STACK}\n")
    assert gone.returncode == 0, gone.stderr
    calls = world.calls()
    assert [" ".join(call.split()[:2]) for call in calls if "output" not in call][3:] == [
        *("terraform plan", "terraform apply", "sam delete", "terraform destroy"),
    ]
    (planned,) = (call for call in of("terraform", calls) if call.startswith("plan"))
    assert "-var=destroyable=true" in planned
    assert "-var=final_snapshot=final-20" in planned
    assert f"The snapshot {STACK}-final-20" in gone.stdout
    assert f"What people wrote stays in {STACK}-knowledge" in gone.stdout
    buckets = {each["Name"] for each in world.cloud.client("s3").list_buckets()["Buckets"]}
    assert f"{STACK}-results" not in buckets
    state = world.folder / "terraform-core" / "terraform.tfstate.d" / "dev-eu-central-1" / "terraform.tfstate"
    assert json.loads(state.read_text("utf-8"))["resources"] == []


def test_plan_is_shown_and_changes_nothing_unless_it_is_agreed_to(world: World) -> None:
    for typed in ("no\n", ""):
        refused = world.make("deploy", "dev", typed=typed)
        assert refused.returncode == 1
        assert "to add, 0 to change, 0 to destroy" in refused.stdout
        assert "Nothing was changed." in refused.stderr
        calls = world.calls()
        assert not any(call.startswith(("terraform apply", "docker", "sam")) for call in calls)
    assert not list((world.folder / "terraform-core").glob("*.tfplan"))


def test_plan_alone_asks_nothing_and_takes_a_regions_own_settings(world: World) -> None:
    environments = world.folder / "terraform-core" / "environments"
    own = (environments / "dev.tfvars").read_text("utf-8") + "read_replica = true\n"
    (environments / "dev.eu-central-1.tfvars").write_text(own, "utf-8")
    shown = world.make("deploy", "dev", "--plan", TF_CLI_ARGS_plan="-no-color")
    assert shown.returncode == 0, shown.stderr
    assert "to add, 0 to change, 0 to destroy" in shown.stdout
    assert "aws_db_instance.replica[0] will be created" in shown.stdout
    assert "Apply this plan?" not in shown.stdout
    *_, planned = world.calls()
    assert planned.startswith("terraform plan -lock=false ")


def test_administrators_password_is_made_until_there_is_one(world: World) -> None:
    given = world.folder.parent / "admin-password"
    seen = []
    for kept in ("", "", "the-one-that-is-kept"):
        if kept:
            world.cloud.client("secretsmanager").create_secret(
                Name=f"{STACK}/database-admin", SecretString=json.dumps({"password": kept})
            )
        assert world.make("deploy", "dev", "--plan").returncode == 0
        seen.append(given.read_text("utf-8").strip())
    assert len(set(seen)) == 3
    assert re.fullmatch(r"[\w-]{40}", seen[0])
    assert seen[2] == "the-one-that-is-kept"


def test_gateways_secret_is_in_no_output_no_call_and_no_state(world: World) -> None:
    secret = "a-word-of-the-gateway-1"
    laid = world.make(
        "deploy", "dev", "--yes", TF_VAR_gateway_secret=secret, TF_VAR_gateway_secret_version="1"
    )
    assert laid.returncode == 0, laid.stderr
    written = [path.read_bytes() for path in world.folder.parent.rglob("*") if path.is_file()]
    assert not any(secret.encode() in content for content in written)
    assert secret not in laid.stdout + laid.stderr
    assert "aws_secretsmanager_secret_version.gateway" in laid.stdout


def test_image_is_signed_once_by_its_digest_before_it_runs(world: World) -> None:
    laid = world.make("deploy", "dev", "--yes", "--sign")
    assert laid.returncode == 0, laid.stderr
    calls = world.calls()
    (signed,) = of("cosign", calls)
    assert re.fullmatch(rf"sign --yes {REGISTRY}/{STACK}/backend@sha256:[0-9a-f]{{64}}", signed)
    (pushed,) = (index for index, call in enumerate(calls) if call.startswith("docker push"))
    assert pushed < calls.index(f"cosign {signed}") < calls.index("sam build")
    again = world.make("deploy", "dev", "--yes", "--sign", STACK_STAYS="1")
    assert again.returncode == 0, again.stderr
    assert not of("cosign", world.calls())


def test_image_is_of_the_last_commit_that_went_into_it(world: World) -> None:
    tag = world.commit()
    # What Terraform leaves in a clone goes into no image.
    (world.folder / "terraform-core" / ".terraform.lock.hcl").write_text("", "utf-8")
    pushed = []
    for stays in ("", "1"):
        laid = world.make("deploy", "dev", "--yes", STACK_STAYS=stays)
        assert laid.returncode == 0, laid.stderr
        pushed += [call for call in of("docker", world.calls()) if call.startswith("push")]
    assert pushed == [f"push {IMAGE.replace(TAG, tag)}"]


def test_tag_of_what_is_not_committed_has_a_time(world: World) -> None:
    world.change_files(is_changed=True)
    laid = world.make("deploy", "dev", "--yes")
    assert laid.returncode == 0, laid.stderr
    (push,) = (call for call in of("docker", world.calls()) if call.startswith("push"))
    assert push.rpartition(":")[2].startswith(f"{TAG}-20")


def test_database_that_cannot_be_prepared_is_told_with_where_its_log_is(world: World) -> None:
    prepare(world.cloud, {}, error="The user boss may not make accounts.")
    failed = world.make("deploy", "dev", "--yes")
    assert failed.returncode == 1
    assert "PrepareDatabase failed: The user boss may not make accounts." in failed.stderr
    assert "the log group /text2sql/dev" in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "variables", "told"),
    [
        (["stage"], {}, "Say ENV=dev or ENV=prod"),
        ([""], {}, "Say ENV=dev or ENV=prod"),
        (["prod"], {}, "Copy terraform-core/environments/prod.tfvars.example"),
        (["dev"], {"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, "Set AWS_REGION"),
        (["dev"], {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "AWS does not take your credentials"),
        (["dev"], {"PATH": "/nowhere"}, "There is no program terraform"),
        (["dev", "--knowledge", "nowhere"], {}, "There is no folder nowhere"),
    ],
    ids=["other stage", "no stage", "no variables", "no Region", "no AWS", "no Terraform", "no knowledge"],
)
def test_what_is_missing_is_told_before_anything_is_done(
    world: World, arguments: list[str], variables: dict[str, str], told: str
) -> None:
    failed = world.make("deploy", *arguments, "--yes", **variables)
    assert failed.returncode == 1
    assert told in failed.stderr
    assert "Traceback" not in failed.stderr
    assert not any(call.startswith(("terraform init", "docker", "sam")) for call in world.calls())


def test_policy_is_asked_for_before_anything_is_done(world: World) -> None:
    folder = Path(shop(world))
    (folder / "policy.yaml").write_text("groups: 1\n", "utf-8")
    failed = world.make("deploy", "dev", "--yes", "--knowledge", str(folder))
    assert (failed.returncode, "policy.yaml" in failed.stderr) == (1, True)
    assert not any(call.startswith("terraform init") for call in world.calls())


def test_backend_without_its_settings_is_told(world: World) -> None:
    core = world.folder / "terraform-core"
    shutil.copy(core / "backend.tf.example", core / "backend.tf")
    failed = world.make("deploy", "dev", "--yes")
    assert failed.returncode == 1
    assert "Copy dev.backend.hcl.example beside it" in failed.stderr
