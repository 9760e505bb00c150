"""What is kept of a model's replies, so that a measurement can be made again."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from threading import Event

from recorded_model import Recordings

from text2sql.evaluation.judging import ListenedModel
from text2sql.generation.port import Completion, Prompt, Turn
from text2sql.messages import Reply, Usage
from text2sql.pipeline import Services

PROMPT = Prompt(system="", turns=(Turn(role="user", text="How many?"),))


class CountingModel:
    """Replies with the number of the reply."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def complete(self, prompt: Prompt) -> Completion:
        return self.sample(prompt, 1)[0]

    def sample(self, _prompt: Prompt, many: int) -> tuple[Completion, ...]:
        return tuple(
            Completion(text=str(next(self._numbers)), finish="stop", usage=Usage()) for _ in range(many)
        )


def _texts(completions: Sequence[Completion]) -> list[str]:
    return [each.text for each in completions]


def test_same_question_gets_the_same_replies_and_a_request_that_is_made_again_another(
    services: Services, tmp_path: Path
) -> None:
    told: list[list[str]] = []

    def ask(question: str, services: Services, _cancelled: Event) -> Reply:
        model = services.model
        told.append([*_texts(model.sample(PROMPT, 2)), *_texts(model.sample(PROMPT, 2))])
        return Reply(outcome="answered", question=question, sentence="")

    counting = replace(services, model=CountingModel())
    for _ in range(2):
        Recordings(tmp_path / "replies.jsonl", "m").asker(ask)("How many?", counting, Event())
    assert told == [["1", "2", "3", "4"]] * 2


def test_kept_replies_count_as_drafts(services: Services, tmp_path: Path) -> None:
    drafts = []

    def ask(question: str, services: Services, _cancelled: Event) -> Reply:
        services.model.complete(PROMPT)
        services.model.sample(PROMPT, 4)
        return Reply(outcome="answered", question=question, sentence="")

    asker = Recordings(tmp_path / "replies.jsonl", "m").asker(ask)
    for _ in range(2):
        listened = ListenedModel(CountingModel())
        asker("How many?", replace(services, model=listened), Event())
        drafts.append(listened.drafts)
    assert drafts == [5, 5]


def test_fewer_samples_are_the_first_of_those_that_are_kept(services: Services, tmp_path: Path) -> None:
    told: list[list[str]] = []

    def ask(question: str, services: Services, _cancelled: Event) -> Reply:
        told.append(_texts(services.model.sample(PROMPT, 3 - len(told))))
        return Reply(outcome="answered", question=question, sentence="")

    asker = Recordings(tmp_path / "replies.jsonl", "m").asker(ask)
    for _ in range(2):
        asker("How many?", replace(services, model=CountingModel()), Event())
    assert told == [["1", "2", "3"], ["1", "2"]]
