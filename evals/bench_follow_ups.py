"""`make bench-follow-ups`: asks what evals/dialogues.yaml holds, and keeps the figures in evals/results.

What went before is given as it stands there, so that only the follow-up is measured. It can be asked in
three ways: as the product does, with the earlier turns before it instead of a rewrite, and as the whole
question that a person made of it, which is the best that a rewrite can come to.
"""

import json
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Annotated, Any, Literal, TypeAlias

import click
import yaml
from bench_figures import machine_lines, model_of
from pydantic import Field

from text2sql.errors import Text2SqlError
from text2sql.evaluation.estimates import wilson
from text2sql.evaluation.judging import LeftOpen, judge
from text2sql.evaluation.questions import GoldQuestion
from text2sql.evaluation.results import Result
from text2sql.generation.port import Completion, Prompt, SqlModel
from text2sql.generation.rewriting import build_rewriting
from text2sql.messages import EarlierTurn, Message, Reply, Usage
from text2sql.pipeline import Services, answer
from text2sql.services import open_services
from text2sql.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
SHOP = ROOT / ".cache" / "shop.sqlite"
RESULTS = ROOT / "evals" / "results" / "follow_ups.json"

Way: TypeAlias = Literal["rewritten", "turns", "whole"]


class Dialogue(Message):
    """A question that may lean on those before it, and the SQL that answers it."""

    id: str
    earlier: Annotated[tuple[EarlierTurn, ...], Field(min_length=1)]
    follow_up: str
    whole: str | None = None
    """The same as a person would ask it without those before; None where it stands alone as it is."""
    sql: str


@dataclass(frozen=True)
class Asked:
    """What became of one dialogue."""

    dialogue: Dialogue
    reply: Reply
    result: Result


def read_dialogues() -> tuple[Dialogue, ...]:
    """Return the dialogues in the order of the file."""
    listed = yaml.safe_load((ROOT / "evals" / "dialogues.yaml").read_text("utf-8"))["dialogues"]
    return tuple(map(Dialogue.model_validate, listed))


def ask_rewritten(dialogue: Dialogue, services: Services) -> Reply:
    """Ask as the product does."""
    return answer(dialogue.follow_up, services, earlier=dialogue.earlier)


def ask_with_turns(dialogue: Dialogue, services: Services) -> Reply:
    """Let no rewrite come about, so that the model that writes SQL is told the earlier turns."""
    return ask_rewritten(dialogue, replace(services, model=_WithoutRewriting(services.model)))


def ask_whole(dialogue: Dialogue, services: Services) -> Reply:
    """Ask what a person made of it."""
    return answer(dialogue.whole or dialogue.follow_up, services)


WAYS: Mapping[Way, Callable[[Dialogue, Services], Reply]] = {
    "rewritten": ask_rewritten,
    "turns": ask_with_turns,
    "whole": ask_whole,
}


class _WithoutRewriting:
    """A model that writes SQL as ever, and never a whole question."""

    def __init__(self, model: SqlModel) -> None:
        self._model = model

    def complete(self, prompt: Prompt) -> Completion:
        if prompt.system == build_rewriting("", ()).system:
            return Completion(text="", finish="stop", usage=Usage())
        return self._model.complete(prompt)

    def sample(self, prompt: Prompt, count: int) -> tuple[Completion, ...]:
        return self._model.sample(prompt, count)


@click.command()
@click.option("--way", type=click.Choice(tuple(WAYS)), default="rewritten", help="How they are asked.")
def bench_follow_ups(way: Way) -> int:
    """Measure with the model of the settings, which is the embedded one by default."""
    settings = Settings(database_url=f"sqlite:///{SHOP}", knowledge_dir=ROOT / "examples" / "shop")
    services = open_services(settings)
    dialogues = read_dialogues()
    asked = []
    for number, dialogue in enumerate(dialogues, 1):
        each = ask(dialogue, services, way)
        if isinstance(each, LeftOpen):
            click.echo(f"Not kept, for {dialogue.id} is open: {each.why.message} [{each.why.code}]", err=True)
            return 1
        asked.append(each)
        mark = "right" if each.result.correct else "wrong"
        click.echo(
            f"{number} of {len(dialogues)} {mark}: {dialogue.follow_up} -> {each.reply.read_as}", err=True
        )
    figures = figures_of(asked)
    click.echo(json.dumps({name: value for name, value in figures.items() if name != "each"}, indent=2))
    kept = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    about = {
        "command": " ".join(["bench_follow_ups.py", *sys.argv[1:]]),
        "model": model_of(settings),
        "machine": machine_lines(),
    }
    kept[way] = about | figures
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return 0


def ask(dialogue: Dialogue, services: Services, way: Way) -> Asked | LeftOpen:
    """Ask one follow-up, and judge its answer by the gold."""
    replies: list[Reply] = []

    def asker(_: str, services: Services, _cancelled: Event) -> Reply:
        replies.append(WAYS[way](dialogue, services))
        return replies[-1]

    gold = GoldQuestion(database="shop", question=dialogue.follow_up, sql=dialogue.sql)
    result = judge(gold, services, Event(), asker=asker)
    return result if isinstance(result, LeftOpen) else Asked(dialogue, replies[-1], result)


def figures_of(asked: Sequence[Asked]) -> dict[str, Any]:
    """Return counts, shares in percent with Wilson's intervals, and what became of each."""
    leaning = [each for each in asked if each.dialogue.whole]
    alone = [each for each in asked if not each.dialogue.whole]
    return {
        "dialogues": len(asked),
        "rewrites_needed": len(leaning),
        "rewrites_made_of_them": _rewritten(leaning),
        "rewrites_made_without_need": _rewritten(alone),
        "model_asked_for_one": sum(map(_is_model_asked, asked)),
        "follow_ups_right": _share(leaning),
        "others_right": _share(alone),
        "seconds_median": round(statistics.median(each.reply.seconds for each in asked), 2),
        "each": [
            {
                "id": each.dialogue.id,
                "read_as": each.reply.read_as,
                "right": each.result.correct,
                "certain": each.reply.certain,
                "failure": each.result.failure,
                "sql": each.result.sql,
            }
            for each in asked
        ],
    }


def _rewritten(asked: Sequence[Asked]) -> int:
    return sum(each.reply.read_as is not None for each in asked)


def _is_model_asked(asked: Asked) -> bool:
    return any(record.step == "RewriteQuestion" and record.usage for record in asked.reply.steps)


def _share(asked: Sequence[Asked]) -> dict[str, Any]:
    right = sum(each.result.correct is True for each in asked)
    low, high = wilson(right, len(asked))
    return {"right": right, "of": len(asked), "interval": [round(100 * low, 1), round(100 * high, 1)]}


if __name__ == "__main__":
    try:
        sys.exit(bench_follow_ups.main(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Text2SqlError as error:
        click.echo(f"{error.message} [{error.code}]\n{error.remedy}", err=True)
        sys.exit(error.exit_code)
