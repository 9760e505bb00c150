"""The functions' zips: each is built for Lambda, and imported alone when built for this machine."""

import re
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from local_cloud import read_template

REPOSITORY = Path(__file__).resolve().parents[2]
TEMPLATE = read_template()["Resources"]
FUNCTIONS = [name for name, each in TEMPLATE.items() if each["Type"] == "AWS::Serverless::Function"]
LATE = {
    "CheckQuestion": ("text2sql.guardrail.bedrock", "text2sql.guardrail.local", "glin_profanity"),
    "RewriteQuestion": (
        "text2sql.generation.bedrock",
        "text2sql.generation.openai",
        "text2sql.guardrail.bedrock",
        "text2sql.guardrail.local",
        "glin_profanity",
    ),
    "RetrieveContext": (
        "text2sql.datasource.knowledge_bucket",
        "text2sql.documents.bedrock",
        "text2sql.documents.shared_index",
        "text2sql.execution.secret",
        "text2sql.validation.policy.load",
        "pymysql",
        "yaml",
    ),
    "GenerateSql": ("text2sql.generation.bedrock", "text2sql.generation.openai", "text2sql.workflow.once"),
    "ExecuteSql": ("text2sql.execution.mysql", "text2sql.execution.sqlite", "text2sql.execution.secret"),
    "ComposeAnswer": ("text2sql.guardrail.bedrock", "text2sql.guardrail.local", "glin_profanity"),
    "SyncDocuments": (
        "text2sql.documents.bucket",
        "text2sql.documents.bedrock",
        "text2sql.documents.shared_index",
        "text2sql.guardrail.local",
        "pypdf",
    ),
    "CheckIngestion": ("text2sql.documents.bedrock", "text2sql.documents.shared_index"),
}
"""What a function imports only when a setting asks for it."""
MOST_MB = 30
"""Unzipped."""
IMPORT_MS = {"ValidateSql": 300}
LAMBDA_BRINGS = ("boto3", "botocore", "s3transfer")
UV = f"{sys.executable} -m uv"
IMPORT = """
import importlib, sys, time
artifact, brought, *late = sys.argv[1:]
sys.path[:] = [artifact, *(path for path in sys.path if "site-packages" not in path), brought]
began = time.process_time()
import handler
print(round(1000 * (time.process_time() - began)))
assert callable(handler.handle)
for name in late:
    importlib.import_module(name)
"""


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Return what shows a figure among the names of the tests."""

    def write(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{text} ")

    return write


def build(function: str, folder: Path, *options: str) -> Path:
    """Build one function's folder as `sam build` does."""
    folder.mkdir()
    command = ["make", "-s", "-C", REPOSITORY / "functions", f"build-{function}"]
    subprocess.run([*command, f"ARTIFACTS_DIR={folder}", f"UV={UV}", *options], check=True)
    return folder


def zip_folder(folder: Path) -> float:
    """Return the megabytes of the folder as a zip."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in folder.rglob("*"):
            archive.write(file, file.relative_to(folder))
    return path.stat().st_size / 1_000_000


@pytest.fixture(scope="module")
def lambdas_own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what Lambda brings, and nothing else."""
    folder = tmp_path_factory.mktemp("lambda")
    for name in LAMBDA_BRINGS:
        (folder / name).symlink_to(Path(sysconfig.get_path("purelib")) / name)
    return folder


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_is_small_and_built_for_lambda(
    function: str, tmp_path: Path, show: Callable[[str], None]
) -> None:
    folder = build(function, tmp_path / function)
    compiled = [file.name for file in folder.rglob("*.so")]
    assert compiled
    assert all(re.search(r"cpython-313-aarch64|abi3", name) for name in compiled), compiled
    assert not [name for name in LAMBDA_BRINGS if (folder / name).exists()]
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1_000_000
    show(f"{function}: {zip_folder(folder):.1f} MB zipped, {size:.1f} unzipped")
    assert size < MOST_MB


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_is_imported_with_its_own_libraries_alone(
    function: str, tmp_path: Path, lambdas_own: Path, show: Callable[[str], None]
) -> None:
    version = f"PYTHON_VERSION={sys.version_info.major}.{sys.version_info.minor}"
    folder = build(function, tmp_path / function, f"PLATFORM={this_platform()}", version)
    given = TEMPLATE[function]["Properties"].get("Environment", {}).get("Variables", {})
    variables = {name: value for name, value in given.items() if isinstance(value, str)}
    command = [sys.executable, "-I", "-c", IMPORT, folder, lambdas_own, *LATE.get(function, ())]
    times = []
    for _ in range(3):  # the first one writes the bytecode that Lambda has no need to write
        done = subprocess.run(
            command, env=variables, capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        times.append(int(done.stdout))
    show(f"{function}: imported in {min(times)} ms")
    assert min(times) < IMPORT_MS.get(function, 2000)


def this_platform() -> str:
    """Return uv's name of this machine."""
    machine = sysconfig.get_platform().rpartition("-")[2]
    return f"{machine}-apple-darwin" if sys.platform == "darwin" else f"{machine}-manylinux_2_28"
