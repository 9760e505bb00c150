"""The background process that keeps the embedded model loaded; started by `embedded_process`."""

import contextlib
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from text2sql.generation.embedded_state import ServerFailure, ServerOptions, ServerState, StateFolder

CONTEXT_TOKENS = 16_384
"""Prompt and reply together; takes 450 MB of memory at 28 KB a token."""
MOST_AT_ONCE = 8
"""How many replies to one prompt it writes at the same time; eight take two to three times as long as one."""
IDLE_CHECK_SECONDS = 1.0


class Engine(Protocol):
    """A loaded model that answers on `listening_address`."""

    @property
    def listening_address(self) -> str:
        """The URL of its HTTP server."""
        ...


class LoadRequest(NamedTuple):
    """What an engine needs to load."""

    options: ServerOptions
    key: str


Load = Callable[[LoadRequest], Engine]


def load_with_xllamacpp(request: LoadRequest) -> Engine:
    """Load the model and open its HTTP server on a free port of the loopback address."""
    # OpenMP's threads spin while they wait, and so slow each other down: five times on a busy machine. This
    # few turns cost a tenth of the speed on an idle one.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    # llama.cpp would start a debugger when it aborts.
    os.environ.setdefault("GGML_NO_BACKTRACE", "1")
    import xllamacpp

    options = request.options
    params = xllamacpp.CommonParams()
    params.model.path = str(options.model_path)
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = MOST_AT_ONCE
    params.kv_unified = True
    params.cpuparams.n_threads = options.threads
    params.cpuparams_batch.n_threads = options.threads
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [request.key]
    params.cors_origins = ""
    params.ui = False
    params.warmup = False
    params.cache_ram_mib = 0
    params.slot_save_path = f"{StateFolder(options.folder).prefixes}/"
    params.verbosity = 1
    engine: Engine = xllamacpp.Server(params)
    return engine


def serve(options: ServerOptions, load: Load) -> int:
    """Load the model, say so in the state file, and stay until idle or told to end; return an exit code."""
    folder = StateFolder(options.folder)
    key = secrets.token_urlsafe(32)
    try:
        engine = load(LoadRequest(options, key))
    except Exception as error:  # noqa: BLE001 — whatever it is, the client must be told
        print(f"could not load the model: {error!r}", file=sys.stderr)  # noqa: T201 — goes to the log file
        folder.write_failure(_explain(error, options, folder))
        return 1
    ended = threading.Event()
    previous = signal.signal(signal.SIGTERM, lambda *_: ended.set())
    try:
        folder.write_state(
            ServerState(
                pid=os.getpid(),
                url=engine.listening_address,
                key=key,
                fingerprint=options.fingerprint,
                started=time.time(),
            )
        )
        _wait(folder, options.idle_seconds, ended)
    finally:
        folder.clear()
        signal.signal(signal.SIGTERM, previous)
    return 0


def _wait(folder: StateFolder, idle_seconds: float, ended: threading.Event) -> None:
    while not ended.wait(min(IDLE_CHECK_SECONDS, idle_seconds)):
        if folder.idle_seconds() < idle_seconds:
            continue
        # Whoever has the request lock is using the model, or about to. It is kept until this process has
        # ended, so that no request reaches a server that is going away.
        if folder.try_request_lock() is not None:
            return


def _explain(error: Exception, options: ServerOptions, folder: StateFolder) -> ServerFailure:
    if isinstance(error, ImportError):
        return ServerFailure(
            reason="The embedded model's library, xllamacpp, cannot be loaded on this machine.",
            remedy="Install it again with `pip install --force-reinstall xllamacpp`, or set"
            " TEXT2SQL_MODEL_PROVIDER=openai.",
        )
    with contextlib.suppress(OSError), options.model_path.open("rb") as file:
        if file.read(4) == b"GGUF":
            return ServerFailure(
                reason="The embedded model could not be loaded: its file is damaged, or memory is short.",
                remedy="`text2sql model pull` checks the file; the model needs about 2 GB of free memory."
                f" The log is {folder.log}.",
            )
    return ServerFailure(
        reason=f"The embedded model's file is damaged: {options.model_path}.",
        remedy="Remove it and run `text2sql model pull`.",
    )


def main(arguments: list[str], load: Load = load_with_xllamacpp) -> int:
    """Leave the process that called, then serve."""
    options = ServerOptions.model_validate_json(arguments[0])
    if os.fork() > 0:
        # The caller waits for this process; the other one has no parent that would have to reap it.
        os._exit(0)
    os.umask(0o077)
    os.chdir("/")
    StateFolder(options.folder).write_pid(options.lock_fd)
    return serve(options, load)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
