"""`make up`: the whole platform on this machine, until Ctrl-C.

ministack with this project's template, the sample shop, two users, the embedded model behind Bedrock's
Converse, and the API; all at the loopback address.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread

from converse import serve_converse
from local_cloud import REPOSITORY, LocalCloud
from people import USERS, UserPool, header_file
from platform_folder import FOLDER, PlatformState, hold, write_state
from processes import child_process, free_port
from sample_database import SampleDatabase, open_sample_database
from text2sql.datasource.policy.access import Caller
from text2sql.errors import Text2SqlError
from text2sql.generation.embedded import EmbeddedModel
from text2sql.services import cache_folder, warm_model
from text2sql.settings import Settings

API_PORT = 8000
"""Taken where it is free."""
START_SECONDS = 30.0
TOKEN_SECONDS = 3000.0
"""How often the users sign in anew; a token is good for an hour."""
SCHEMA_CHARACTERS = 6000
"""As with the embedded model elsewhere; it reads 60 tokens a second."""
KNOWLEDGE = REPOSITORY / "examples" / "shop"
KNOWLEDGE_FILES = ("catalog.yaml", "glossary.yaml", "policy.yaml")
GUARDRAIL = REPOSITORY / "guardrail.yaml"
SHOP = REPOSITORY / ".cache" / "shop.sqlite"
CLOUD_PYTHON = REPOSITORY / ".venv-cloud" / "bin" / "python"
QUESTION = "What was the revenue in each month of last year?"


@dataclass(frozen=True)
class Platform:
    """What runs."""

    url: str
    """Where the API answers."""
    api: "subprocess.Popen[bytes]"
    cloud: LocalCloud
    pool: UserPool
    database: SampleDatabase


class Stopped(Exception):
    """Somebody wants it to end."""


@contextmanager
def start_platform(folder: Path, say: Callable[[str], None]) -> Iterator[Platform]:
    """Start all parts, lend them, and stop them again; what `say` raises between two of them ends it.

    Raises:
        RuntimeError: a part did not start; its log is in the folder.
        Text2SqlError: the model is missing.
    """
    with ExitStack() as parts:
        model = parts.enter_context(_open_model())
        turn, ready = Lock(), Future[SampleDatabase]()
        Thread(target=_warm, args=(model, ready, turn, folder), name="warm", daemon=True).start()
        converse = parts.enter_context(serve_converse(model, turn))
        say("Starting the sample database")
        database = parts.enter_context(open_sample_database(folder, SHOP, say))
        ready.set_result(database)
        say(f"The shop is on {database.product}. Starting the local AWS")
        cloud = parts.enter_context(LocalCloud(folder, free_port(), CLOUD_PYTHON))
        say("Deploying template.yaml")
        settings = _pipeline_settings(database, converse, folder)
        outputs = cloud.deploy("text2sql", settings, database.password)
        storage = cloud.client("s3")
        for name in KNOWLEDGE_FILES:
            storage.upload_file(str(KNOWLEDGE / name), outputs["KnowledgeBucket"], name)
        pool = UserPool(cloud)
        parts.callback(pool.remove_headers, folder)
        pool.write_headers(folder)
        say("Starting the API")
        environment = {
            **cloud.environment,
            **settings,
            **pool.settings(),
            "TEXT2SQL_DATABASE_SECRET": cloud.secret,
            "TEXT2SQL_KNOWLEDGE_BUCKET": outputs["KnowledgeBucket"],
            "TEXT2SQL_API_STATE_MACHINE": outputs["AnswerQuestionArn"],
            "TEXT2SQL_API_STATE_MACHINE_NOW": outputs["AnswerQuestionNowArn"],
            "TEXT2SQL_API_JOBS_TABLE": outputs["JobsTable"],
            "TEXT2SQL_API_RESULTS_BUCKET": outputs["ResultsBucket"],
        }
        log = folder / "api.log"
        url, api = parts.enter_context(_serve(environment, log))
        yield Platform(url, api, cloud, pool, database)


def main() -> int:
    """Run until told to stop; return the exit code."""
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    for log in FOLDER.glob("*.log"):
        log.unlink()
    stop = Event()

    def stop_soon(*_: object) -> None:
        # An exception that begins anywhere can leave a lock held, and get lost; the next Ctrl-C does that.
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def say(what: str) -> None:
        if stop.is_set():
            raise Stopped
        print(f"{what} …", flush=True)

    signal.signal(signal.SIGINT, stop_soon)
    signal.signal(signal.SIGTERM, stop_soon)
    started = time.monotonic()
    try:
        with hold() as free:
            if not free:
                print("The local cloud runs already; `make down` stops it.", file=sys.stderr)
                return 1
            with (
                start_platform(FOLDER, say) as platform,
                write_state(PlatformState(os.getpid(), platform.url)),
            ):
                _introduce(platform, time.monotonic() - started)
                _stay(platform, stop)
    except (Stopped, KeyboardInterrupt):
        print("\nStopped; nothing runs on.", file=sys.stderr)
        return 0
    except Text2SqlError as error:
        print(f"{error.message} [{error.code}]\n{error.remedy}", file=sys.stderr)
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        print(f"{error}\nThe logs are in {FOLDER.relative_to(REPOSITORY)}.", file=sys.stderr)
    return 1


def _stay(platform: Platform, stop: Event) -> None:
    """Stay until it is told to end.

    Raises:
        RuntimeError: a part has ended by itself.
    """
    signed_in = time.monotonic()
    while not stop.wait(1.0):
        if platform.api.poll() is not None or not platform.cloud.is_alive():
            raise RuntimeError("A part has ended by itself; `make logs` shows why.")
        if time.monotonic() - signed_in > TOKEN_SECONDS:
            platform.pool.write_headers(FOLDER)
            signed_in = time.monotonic()
    raise Stopped


@contextmanager
def _open_model() -> Iterator[EmbeddedModel]:
    """Lend the embedded model; its process is reused where there is one, and ended only if there was none."""
    settings = Settings()
    model = EmbeddedModel(
        cache_folder(settings), timeout=settings.model_timeout, threads=settings.model_threads
    )
    model.server.fingerprint()  # says now that the model is missing
    ran_before = model.server.status().state != "stopped"
    try:
        yield model
    finally:
        model.close()
        if not ran_before:
            model.server.stop()


def _open_guardrail(folder: Path) -> None:
    """Keep in the functions' cache folder what they would have to work out for their first question."""
    screen = [sys.executable, "-m", "text2sql", "guardrail", "screen", "--policy", str(GUARDRAIL), QUESTION]
    environment = {**os.environ, "TEXT2SQL_CACHE_DIR": str(folder / "cache")}
    subprocess.run(screen, env=environment, stdout=subprocess.DEVNULL, check=False)


def _warm(model: EmbeddedModel, ready: "Future[SampleDatabase]", turn: Lock, folder: Path) -> None:
    """Load the guardrail, then the model, which reads what the first user may see, while the rest starts."""
    user = USERS[0]
    _open_guardrail(folder)  # before the model, which takes all cores
    with turn, suppress(Text2SqlError):  # the question itself will say what is wrong
        model.warm("")
        database = ready.result()
        settings = Settings(
            database_url=database.url,
            database_password=database.password,
            knowledge_dir=KNOWLEDGE,
            policy_file=KNOWLEDGE / "policy.yaml",
            schema_characters=SCHEMA_CHARACTERS,
        )
        warm_model(settings, Caller(groups=user.groups, attributes=dict(user.attributes)))


def _pipeline_settings(database: SampleDatabase, converse: str, folder: Path) -> dict[str, str]:
    return {
        "TEXT2SQL_DATABASE_URL": database.url,
        "TEXT2SQL_CACHE_DIR": str(folder / "cache"),
        "TEXT2SQL_MODEL_PROVIDER": "bedrock",
        "TEXT2SQL_MODEL_NAME": "embedded",
        "TEXT2SQL_MODEL_TIMEOUT": "55",  # it reads a schema for the first time
        "TEXT2SQL_SCHEMA_CHARACTERS": str(SCHEMA_CHARACTERS),
        "TEXT2SQL_GUARDRAIL_FILE": str(GUARDRAIL),
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": converse,
    }


@contextmanager
def _serve(environment: Mapping[str, str], log: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Lend the API's URL and process."""
    port = API_PORT if _is_free(API_PORT) else 0
    command = [sys.executable, "-m", "text2sql", "serve", "--port", str(port)]
    with child_process(command, log, environment) as process:
        end = time.monotonic() + START_SECONDS
        while (url := _served_at(log)) is None:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"The API did not start:\n{log.read_text('utf-8')[-2000:]}")
            time.sleep(0.05)
        yield url, process


def _served_at(log: Path) -> str | None:
    """Return the address that the API has told."""
    for line in log.read_text("utf-8").splitlines():
        if line.startswith("Serving at "):
            return line.split()[2].rstrip(",")
    return None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _introduce(platform: Platform, seconds: float) -> None:
    header = header_file(FOLDER, USERS[0]).relative_to(REPOSITORY)
    ask = json.dumps({"question": QUESTION})
    print(f"\nUp in {seconds:.1f} s, on {platform.database.product}: {platform.url}\n")
    for user in USERS:
        print(f"  {user.name:4} {user.password:22} {', '.join(user.groups):10} sees {user.sees}")
    print(
        f"\nAsk as {USERS[0].name}, and look with the id that comes back:\n\n"
        f"  curl -si {platform.url}/v1/queries -H @{header} -H 'Content-Type: application/json' -d '{ask}'\n"
        f"  curl -s {platform.url}/v1/queries/ID -H @{header}\n\n"
        "Ctrl-C stops it all; `make logs` follows the logs.",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
