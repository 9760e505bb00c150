"""The API's image without a container engine: its Dockerfile's commands are run, and what they build."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from dockerfile import Stage, read_copy, read_stages
from model_server import ScriptedModelServer
from processes import free_port
from small_shop import write_small_shop

REPOSITORY = Path(__file__).resolve().parents[2]
CHECKS = REPOSITORY / ".venv-checks/bin"
CONTAINERS = REPOSITORY / "containers"
STAGES = read_stages(CONTAINERS / "api/Dockerfile")
IMAGE = STAGES["api"]
LATE = ("boto3", "cryptography", "glin_profanity", "pymysql", "sqlglot", "yaml")
"""What the code imports only when a setting or a question asks for it."""
FOR_OTHERS = ("text2sql.workflow", "text2sql.generation.embedded_server", "text2sql.answer.terminal")
"""What runs elsewhere, on libraries that the image has not."""
LEFT_OUT = ("pip", "hatchling", "xllamacpp", "rich", "pytest")


def test_dockerfiles_are_free_of_lint() -> None:
    files = sorted(CONTAINERS.glob("*/Dockerfile"))
    command = [CHECKS / "hadolint", "--no-color", "--failure-threshold", "style", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not list(REPOSITORY.glob(".hadolint*"))
    assert not [path for path in files if "hadolint ignore" in path.read_text("utf-8")]


def test_compose_file_is_one() -> None:
    read = "import sys, compose_spec; compose_spec.PyCompose.from_yaml(sys.stdin.read())"
    text = (CONTAINERS / "compose.yaml").read_text("utf-8")
    done = subprocess.run(
        [CHECKS / "python", "-c", read], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@dataclass
class Disk:
    """Stands for the image's file system: its absolute paths lie under `root`."""

    root: Path

    def path(self, path: str) -> Path:
        return self.root / path.removeprefix("/")

    def under_root(self, text: str) -> str:
        """Return a command or a search path with the image's own folders put under `root`."""
        return re.sub(r"(?<![\w./])/(?=(?:opt|tmp)\b)", f"{self.root}/", text)

    def variables(self, *stages: Stage) -> dict[str, str]:
        """Return the machine's variables that are not Python's or ours, and on them what the stages set."""
        found = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TEXT2SQL_"))
        }
        for stage in stages:
            for name, value in stage.variables().items():
                found[name] = self.under_root(value).replace("$PATH", found["PATH"])
        return found

    def files(self, folder: str) -> dict[Path, float]:
        """Return when each file was written."""
        return {path: path.stat().st_mtime for path in self.path(folder).rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Disk:
    """Return what the stages build: nothing but what the last one copies is left."""
    base, disk = tmp_path_factory.mktemp("base"), Disk(tmp_path_factory.mktemp("disk"))
    subprocess.run([sys.executable, "-m", "venv", base], check=True)
    build = STAGES["build"]
    variables = disk.variables(build)
    variables |= {
        "PATH": f"{base / 'bin'}:{variables['PATH']}",
        "PIP_NO_CACHE_DIR": "0",
    }  # for the tests' time
    work = disk.path(build.the("WORKDIR"))
    for name, text in build.steps:
        if name == "COPY":
            copy_from_repository(text, work)
        elif name == "RUN":
            done = subprocess.run(
                ["/bin/sh", "-c", disk.under_root(text)],
                cwd=work,
                env=variables,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
    kept = read_copy(IMAGE.the("COPY"))
    assert (kept.stage, kept.sources) == ("build", (kept.target,))
    (image_root,) = {path for path in disk.root.iterdir() if path != work}
    assert disk.path(kept.target).parent == image_root
    shutil.rmtree(work)
    shutil.rmtree(base)
    return disk


def copy_from_repository(text: str, work: Path) -> None:
    copy = read_copy(text)
    for source in copy.sources:
        into = work / copy.target / (Path(source).name if copy.target.endswith("/") else "")
        into.parent.mkdir(parents=True, exist_ok=True)
        if (REPOSITORY / source).is_dir():
            shutil.copytree(REPOSITORY / source, into, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(REPOSITORY / source, into)


def command(disk: Disk, instruction: str, variables: dict[str, str]) -> list[str]:
    program, *arguments = IMAGE.command(instruction)
    found = shutil.which(program, path=variables["PATH"])
    assert found
    assert Path(found).is_relative_to(disk.root)
    return [found, *arguments]


@contextmanager
def serving(disk: Disk, shop: Path, model: ScriptedModelServer) -> Iterator[tuple[str, dict[str, str]]]:
    """Start the image's command at the loopback address; lend its own, and the variables that it has."""
    port = free_port()
    variables = disk.variables(IMAGE) | {
        "TEXT2SQL_API_HOST": "127.0.0.1",
        "TEXT2SQL_API_PORT": str(port),
        "TEXT2SQL_DATABASE_URL": f"sqlite:///{shop}",
        "TEXT2SQL_MODEL_PROVIDER": "openai",
        "TEXT2SQL_MODEL_BASE_URL": model.base_url,
    }
    arguments = [*command(disk, "ENTRYPOINT", variables), *IMAGE.command("CMD")]
    log = shop.with_name("log")
    with log.open("w") as stream:
        process = subprocess.Popen(arguments, cwd=shop.parent, env=variables, stderr=stream)
        try:
            for _ in range(300):
                if "Serving at" in log.read_text("utf-8"):
                    break
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(0.05)
            yield f"http://127.0.0.1:{port}", variables
            process.send_signal(getattr(signal, IMAGE.the("STOPSIGNAL")))
            assert process.wait(10) in {0, -signal.SIGTERM}, log.read_text("utf-8")
        finally:
            process.kill()
            process.wait()


def test_image_answers_and_writes_nothing_outside_its_volume(disk: Disk, tmp_path: Path) -> None:
    shop = write_small_shop(tmp_path / "shop.db")
    before = disk.files("opt")
    with (
        ScriptedModelServer(["```sql\nSELECT name FROM customers\n```"]) as model,
        serving(disk, shop, model) as (address, variables),
        httpx.Client(base_url=address, timeout=30) as http,
    ):
        assert http.get("/healthz").status_code == 200
        ready = http.get("/readyz")
        assert (ready.status_code, set(ready.json().values())) == (200, {"ok"})
        job = http.post("/v1/queries:run", json={"question": "What are the customers called?"}).json()
        assert job["answer"]["rows"] == [["Ada"], ["Grace"], ["Linus"]]
        check = command(disk, "HEALTHCHECK", variables)
        unhappy_proxy = {"http_proxy": "http://127.0.0.1:9"}
        subprocess.run(check, env=variables | unhappy_proxy, check=True, timeout=10)
    assert subprocess.run(check, env=variables, check=False, capture_output=True).returncode != 0
    assert disk.files("opt") == before
    assert disk.files("tmp")


def test_image_holds_what_settings_may_ask_for_and_no_tools(disk: Disk, tmp_path: Path) -> None:
    script = f"""
import importlib, importlib.util, pkgutil, text2sql, text2sql_api
print(text2sql.__file__, text2sql_api.__file__)
names = [each.name for package in (text2sql, text2sql_api)
         for each in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
for name in [*names, *{LATE!r}]:
    if not name.startswith({FOR_OTHERS!r}) and not name.endswith("__main__"):
        importlib.import_module(name)
print([name for name in {LEFT_OUT!r} if importlib.util.find_spec(name)])
"""
    python = disk.path("/opt/text2sql/bin/python")
    told = subprocess.run(
        [python, "-c", script],
        cwd=tmp_path,
        env=disk.variables(IMAGE),
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    files, left_in = told.stdout.splitlines()
    assert all(Path(file).is_relative_to(disk.root) for file in files.split())
    assert left_in == "[]"


def test_image_refuses_to_serve_the_network_without_an_issuer(disk: Disk, tmp_path: Path) -> None:
    shop = write_small_shop(tmp_path / "shop.db")
    variables = disk.variables(IMAGE) | {"TEXT2SQL_DATABASE_URL": f"sqlite:///{shop}"}
    done = subprocess.run(
        [*command(disk, "ENTRYPOINT", variables), *IMAGE.command("CMD")],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode != 0
    assert "INVALID_SETTINGS" in done.stderr
