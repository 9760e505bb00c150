"""The embedded model's server with a scripted model in it; run with a behaviour and the server's options.

Each load adds a line to the file `loads` of the server's folder.
"""

import json
import os
import signal
import sys
import time
from typing import Any

from model_server import Fault, ScriptedModelServer
from text2sql.generation import embedded_server
from text2sql.generation.embedded_server import LoadRequest
from text2sql.generation.embedded_state import StateFolder

SLOW_SECONDS = 1.5


class FakeEngine:
    """A scripted model that tells what it was asked."""

    def __init__(self, request: LoadRequest, behaviour: str) -> None:
        self.behaviour = behaviour
        self.scripted = ScriptedModelServer(
            [self.reply], slot_folder=StateFolder(request.options.folder).prefixes
        )
        self.scripted.start()
        self.listening_address = self.scripted.url

    def reply(self, body: dict[str, Any]) -> str | Fault:
        if self.behaviour == "dies-when-asked":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.behaviour == "hangs":
            return Fault("hang")
        slots = [request.path for request in self.scripted.requests if request.path.startswith("/slots")]
        asked = {"seed": body["seed"], "slots": len(slots), "key": self.key()}
        return json.dumps({**asked, "completions": len(self.scripted.completions)})

    def key(self) -> str:
        return self.scripted.completions[-1].headers["Authorization"]


def load(request: LoadRequest, behaviour: str) -> FakeEngine:
    folder = request.options.folder
    with (folder / "loads").open("a") as loads:
        loads.write(f"{os.getpid()}\n")
    (folder / "environment").write_text("\n".join(os.environ))
    print("loading", behaviour, flush=True)  # noqa: T201 — goes to the log
    match behaviour:
        case "slow":
            time.sleep(SLOW_SECONDS)
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "fails":
            raise RuntimeError("a library's own text")
        case "no-library":
            raise ImportError("a library's own text")
    engine = FakeEngine(request, behaviour)
    if behaviour == "deaf-at-first" and len((folder / "loads").read_text().split()) == 1:
        engine.scripted.stop()
    return engine


if __name__ == "__main__":
    if sys.argv[1] == "stubborn":
        real_signal = signal.signal
        signal.signal = lambda number, _: real_signal(number, signal.SIG_IGN)  # type: ignore[assignment]
    sys.exit(embedded_server.main(sys.argv[2:], lambda request: load(request, sys.argv[1])))
