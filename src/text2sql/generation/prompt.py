"""Builds prompts from the versioned files in `prompts/`; the schema comes first, so that caches hold."""

from functools import cache
from importlib.resources import files
from string import Template

from text2sql.generation.port import Prompt, Turn
from text2sql.generation.question_cues import read_cues
from text2sql.messages import Context, Dialect, EarlierTurn, Feedback

SYSTEM = "system.v2.md"
QUESTION = "question.v1.md"
REPAIR = "repair.v1.md"
WARNING = "warning.v1.md"

_LANGUAGE: dict[Dialect, str] = {"sqlite": "SQLite", "mysql": "MySQL", "mariadb": "MariaDB"}
_TEMPERATURES = (0.0, 0.3, 0.6)
"""By attempt: at temperature 0 a small model repeats the draft that did not do."""


def build_system(dialect: Dialect, schema_text: str) -> str:
    """Return the part of the prompt that is the same for every question to a datasource."""
    return _load(SYSTEM).substitute(language=_LANGUAGE[dialect], schema=schema_text)


def build_prompt(context: Context, feedback: tuple[Feedback, ...]) -> Prompt:
    """Return the prompt for a first draft, or for the repair of the last of `feedback`."""
    notes = (*(passage.text for passage in context.passages), *read_cues(context.question))
    question = _load(QUESTION).substitute(
        question=context.question, notes="".join(f"{note}\n" for note in notes)
    )
    examples = (EarlierTurn(question=each.question, sql=each.sql) for each in reversed(context.examples))
    turns = [turn for earlier in (*examples, *context.earlier) for turn in _recall(earlier)]
    turns.append(Turn(role="user", text=question))
    for item in feedback[-1:]:
        draft = _fenced(item.sql) if item.sql else "(no statement)"
        turns.append(Turn(role="assistant", text=draft))
        turns.append(Turn(role="user", text=_load(REPAIR).substitute(problem=item.text)))
    return Prompt(
        system=build_system(context.dialect, context.schema_text),
        turns=tuple(turns),
        temperature=_TEMPERATURES[min(len(feedback), len(_TEMPERATURES) - 1)],
    )


def build_warned_prompt(context: Context, feedback: tuple[Feedback, ...]) -> Prompt:
    """Return the prompt for a first draft with what was wrong with others, which it does not show."""
    prompt = build_prompt(context, ())
    *before, question = prompt.turns
    problems = dict.fromkeys(item.text for item in feedback if item.sql)
    warnings = "".join(_load(WARNING).substitute(problem=problem) for problem in problems)
    warned = Turn(role="user", text=f"{question.text.rstrip()}\n{warnings}".rstrip())
    return prompt.model_copy(update={"turns": (*before, warned)})


def _recall(earlier: EarlierTurn) -> tuple[Turn, Turn]:
    """Return an earlier question and its draft, as they stood in their own prompt and reply."""
    wrote = _fenced(earlier.sql) if earlier.sql else f"CLARIFY: {earlier.clarification}"
    return Turn(role="user", text=earlier.question), Turn(role="assistant", text=wrote)


def _fenced(sql: str) -> str:
    return f"```sql\n{sql}\n```"


@cache
def _load(name: str) -> Template:
    return Template(files("text2sql.generation").joinpath("prompts", name).read_text("utf-8"))
