"""The image and what runs beside it, as files: nothing of theirs can be run here."""

import json
import logging
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from dockerfile import read_copy, read_stages
from text2sql.settings import Settings
from text2sql_api.logs import JsonFormatter
from text2sql_api.settings import ApiSettings

ROOT = Path(__file__).parents[2]
CONTAINERS = ROOT / "containers"
DOCKERFILES = sorted(CONTAINERS.glob("*/Dockerfile"))
STAGES = read_stages(CONTAINERS / "api/Dockerfile")
IMAGE = list(STAGES.values())[-1]
FLUENT_BIT = CONTAINERS / "fluent-bit"
COMPOSE: dict[str, dict[str, Any]] = yaml.safe_load((CONTAINERS / "compose.yaml").read_text("utf-8"))[
    "services"
]
KNOWN = {
    *(f"TEXT2SQL_{name.upper()}" for name in Settings.model_fields),
    *(f"TEXT2SQL_API_{name.upper()}" for name in ApiSettings.model_fields),
}
LOCK_LINE = re.compile(r"^([a-z][\w.-]*)==(\S+)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    return dict(LOCK_LINE.findall((ROOT / "requirements" / lock).read_text("utf-8")))


# ── the images ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.parent.name)
def test_image_is_built_on_one_version_and_runs_without_root(path: Path) -> None:
    stages = read_stages(path)
    outside = {stage.base for stage in stages.values()} - stages.keys()
    assert all(re.search(r":\d+\.\d+\.\d+", base) for base in outside), outside
    last = list(stages.values())[-1]
    assert re.fullmatch(r"([1-9]\d+):\1", last.all("USER")[-1])


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.parent.name)
def test_image_holds_no_secret_and_fetches_nothing_by_address(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"^(ARG|ADD)\b|PASSWORD|SECRET|TOKEN|API_KEY|apt-get", text, re.MULTILINE)


def test_image_has_the_python_of_the_functions() -> None:
    makefile = (ROOT / "functions/Makefile").read_text("utf-8")
    version = re.search(r"^PYTHON_VERSION := (\S+)$", makefile, re.MULTILINE)
    assert version
    assert STAGES["base"].base.startswith(f"python:{version[1]}.")


def test_image_listens_where_it_says_and_writes_where_it_may() -> None:
    variables = IMAGE.variables()
    assert variables["TEXT2SQL_API_PORT"] == IMAGE.the("EXPOSE") == "80"
    (writable,) = json.loads(IMAGE.the("VOLUME"))
    assert variables["TEXT2SQL_CACHE_DIR"].startswith(f"{writable}/")
    assert {name for name in variables if name.startswith("TEXT2SQL_")} <= KNOWN


def test_image_runs_the_command_and_not_a_shell() -> None:
    assert IMAGE.command("ENTRYPOINT") + IMAGE.command("CMD") == ["text2sql", "serve"]
    assert IMAGE.command("HEALTHCHECK")[0] == "python"


def test_build_context_is_what_is_copied_and_nothing_else() -> None:
    rules = [
        line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if not line.startswith("#")
    ]
    copies = [read_copy(text) for stage in STAGES.values() for text in stage.all("COPY")]
    copied = sorted(source for copy in copies if not copy.stage for source in copy.sources)
    assert rules[0] == "*"
    assert sorted(rule[1:] for rule in rules if rule.startswith("!")) == copied
    assert rules[-1] == "**/__pycache__"
    assert all((ROOT / source).exists() for source in copied)


def test_side_car_gets_all_its_files() -> None:
    (stage,) = read_stages(FLUENT_BIT / "Dockerfile").values()
    copy = read_copy(stage.the("COPY"))
    assert sorted(copy.sources) == sorted(path.name for path in FLUENT_BIT.glob("*.conf"))


# ── their locks ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("lock", ["api.txt", "build.txt"])
def test_lock_holds_hashes_no_addresses_and_the_versions_of_the_tests(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text("utf-8")
    assert "://" not in text
    assert len(pins(lock)) > 5
    assert text.count("--hash=sha256:") >= len(pins(lock))
    assert pins(lock).items() <= pins("dev.txt").items()


@pytest.mark.parametrize(
    "lock", sorted((ROOT / "requirements/functions").glob("*.txt")), ids=lambda p: p.stem
)
def test_image_has_the_versions_of_the_functions(lock: Path) -> None:
    theirs, ours = pins(f"functions/{lock.name}"), pins("api.txt")
    both = theirs.keys() & ours.keys()
    assert "pydantic" in both
    assert {name: theirs[name] for name in both} == {name: ours[name] for name in both}


def test_image_leaves_the_embedded_model_and_the_tools_at_home() -> None:
    assert not {"xllamacpp", "pip", "hatchling", "pytest", "uv"} & pins("api.txt").keys()


# ── compose.yaml ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", COMPOSE)
def test_container_can_do_little(name: str) -> None:
    service = COMPOSE[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {"privileged", "cap_add", "network_mode", "pid", "user", "volumes", "devices"}
    assert {"pids_limit", "mem_limit"} <= service.keys()
    assert "image" not in service
    assert "environment" not in service  # what the API is told stands in a file that git leaves alone


@pytest.mark.parametrize("name", COMPOSE)
def test_container_is_reached_from_this_machine_alone(name: str) -> None:
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in COMPOSE[name]["ports"])


def test_container_may_use_the_port_and_the_folder_of_its_image() -> None:
    api = COMPOSE["api"]
    assert api["ports"][0].endswith(f":{IMAGE.the('EXPOSE')}")
    assert api["sysctls"] == {"net.ipv4.ip_unprivileged_port_start": 0}
    assert api["tmpfs"][0].startswith("/tmp:")
    assert (CONTAINERS / api["build"]["context"] / api["build"]["dockerfile"]).is_file()


def test_file_of_settings_is_kept_out_of_git_and_its_example_names_only_settings() -> None:
    name = COMPOSE["api"]["env_file"]
    assert f"containers/{name}" in (ROOT / ".gitignore").read_text("utf-8").splitlines()
    example = (CONTAINERS / f"{name}.example").read_text("utf-8")
    given = dict(re.findall(r"^(\w+)=(.*)$", example, re.MULTILINE))
    assert {each for each in given if not each.startswith("AWS_")} <= KNOWN
    assert given["TEXT2SQL_DATABASE_PASSWORD"] == ""
    assert given["TEXT2SQL_API_ISSUER"]  # without one the image refuses to start


# ── Fluent Bit ───────────────────────────────────────────────────────────────────────────────────


def sections(name: str) -> list[tuple[str, dict[str, str]]]:
    """Return the sections of a file in Fluent Bit's classic format, with what it includes in its place."""
    found: list[tuple[str, dict[str, str]]] = []
    for line in (FLUENT_BIT / name).read_text("utf-8").splitlines():
        if line.startswith("@INCLUDE "):
            found += sections(Path(line.split()[1]).name)
        elif line.startswith("["):
            found.append((line.strip("[]"), {}))
        elif line and not line.startswith("#"):
            assert line.startswith("    "), line
            key, value = line.split(maxsplit=1)
            found[-1][1][key.lower()] = value
    return found


def only(name: str, kind: str) -> dict[str, str]:
    (values,) = (values for each, values in sections(name) if each == kind)
    return values


@pytest.mark.parametrize("name", ["local.conf", "firehose.conf"])
def test_record_is_parsed_on_its_way(name: str) -> None:
    assert only(name, "FILTER")["parser"] == only("parsers.conf", "PARSER")["name"]
    assert Path(only(name, "SERVICE")["parsers_file"]).name == "parsers.conf"
    assert only(name, "OUTPUT")["match"] == only(name, "FILTER")["match"] == "*"


def test_files_are_named_where_the_image_puts_them() -> None:
    (stage,) = read_stages(FLUENT_BIT / "Dockerfile").values()
    folder = read_copy(stage.the("COPY")).target
    for path in FLUENT_BIT.glob("*.conf"):
        for named in re.findall(
            r"\S+\.conf\b", re.sub(r"^#.*", "", path.read_text("utf-8"), flags=re.MULTILINE)
        ):
            assert named.startswith(folder)
            assert (FLUENT_BIT / named.removeprefix(folder)).is_file()
    assert COMPOSE["fluent-bit"]["entrypoint"][-1] == f"{folder}local.conf"


def test_log_of_the_api_is_what_the_parser_reads() -> None:
    parser = only("parsers.conf", "PARSER")
    record = logging.LogRecord("text2sql_api", logging.INFO, "", 0, "an event", (), None)
    line = json.loads(JsonFormatter().format(record))
    assert parser["format"] == "json"
    # Fluent Bit writes %L for the fraction of a second.
    datetime.strptime(line[parser["time_key"]], parser["time_format"].replace("%L", "%f"))  # noqa: DTZ007


def test_local_side_car_takes_what_the_log_driver_sends() -> None:
    (port,) = COMPOSE["fluent-bit"]["ports"]
    logged = COMPOSE["api"]["logging"]
    assert logged["driver"] == "fluentd"
    assert port == f"{logged['options']['fluentd-address']}:{only('local.conf', 'INPUT')['port']}"


def test_firehose_is_named_by_the_environment() -> None:
    output = only("firehose.conf", "OUTPUT")
    assert output["name"] == "kinesis_firehose"
    assert all(re.fullmatch(r"\$\{[A-Z_]+\}", output[key]) for key in ("region", "delivery_stream"))
    assert not [kind for kind, _ in sections("firehose.conf") if kind == "INPUT"]  # FireLens writes them
