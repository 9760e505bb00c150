"""A model whose replies are kept on disk, so that what comes after it can be measured again without it.

Two configurations that ask the same get the same replies, which leaves less to chance between them; one
that asks for fewer samples gets the first of those that are kept. What a kept reply took is added to the
question's seconds.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event

from text2sql.evaluation.judging import Asker, ListenedModel
from text2sql.generation.port import Completion, Prompt, SqlModel
from text2sql.messages import Reply
from text2sql.pipeline import Services


class Recordings:
    """The replies of one model, in a file of JSON lines; a later line wins."""

    def __init__(self, path: Path, model: str) -> None:
        """Read what is kept; `model` tells models apart."""
        self._path = path
        self._model = model
        self._kept: dict[str, tuple[float, list[Completion]]] = {}
        if path.exists():
            for line in path.read_text("utf-8").splitlines():
                told = json.loads(line)
                replies = [Completion.model_validate(each) for each in told["replies"]]
                self._kept[told["key"]] = told["seconds"], replies

    def asker(self, asker: Asker) -> Asker:
        """Return one that asks the model only for what is not kept."""

        def ask(question: str, services: Services, cancelled: Event) -> Reply:
            model = _RecordedModel(services.model, self)
            reply = asker(question, replace(services, model=model), cancelled)
            return reply.model_copy(update={"seconds": round(reply.seconds + model.saved, 3)})

        return ask

    def key(self, prompt: Prompt, *, sampled: bool) -> str:
        """Return what tells this request from others."""
        text = f"{self._model}\0{sampled}\0{prompt.model_dump_json()}"
        return hashlib.sha256(text.encode()).hexdigest()

    def find(self, key: str, count: int) -> tuple[float, list[Completion]] | None:
        """Return the seconds that the kept replies took, and `count` of them; None where there are fewer."""
        seconds, replies = self._kept.get(key, (0.0, []))
        return (seconds, replies[:count]) if len(replies) >= count else None

    def keep(self, key: str, seconds: float, replies: Sequence[Completion]) -> None:
        """Keep replies for good."""
        self._kept[key] = seconds, list(replies)
        told = {"key": key, "seconds": seconds, "replies": [each.model_dump(mode="json") for each in replies]}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(told) + "\n")


@dataclass
class _RecordedModel:
    model: SqlModel
    recordings: Recordings
    saved: float = field(default=0.0, init=False)
    """Seconds that the kept replies took when they were written."""
    _times: Counter[str] = field(default_factory=Counter, init=False)
    """How often each request was made: one that is made again is another one."""

    def complete(self, prompt: Prompt) -> Completion:
        return self._ask(prompt, 1, lambda: (self.model.complete(prompt),), sampled=False)[0]

    def sample(self, prompt: Prompt, count: int) -> tuple[Completion, ...]:
        return tuple(self._ask(prompt, count, lambda: self.model.sample(prompt, count), sampled=True))

    def _ask(
        self, prompt: Prompt, count: int, call: Callable[[], Sequence[Completion]], *, sampled: bool
    ) -> Sequence[Completion]:
        key = self.recordings.key(prompt, sampled=sampled)
        self._times[key] += 1
        if self._times[key] > 1:
            key = f"{key} {self._times[key]}"
        kept = self.recordings.find(key, count)
        if kept:
            self.saved += kept[0]
            if isinstance(self.model, ListenedModel):
                self.model.hear(kept[1], sampled=sampled)
            return kept[1]
        began = time.monotonic()
        replies = call()
        self.recordings.keep(key, time.monotonic() - began, replies)
        return replies
