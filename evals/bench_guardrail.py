"""`make bench-guardrail`: what the local guardrail finds, what it stops by mistake, and how long it takes.

It screens our own questions, which are labelled, with the policy of the deployment, and the shared
benchmark's questions as honest traffic where they are there. What is kept there holds counts only.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import click
import yaml
from bench_figures import machine_lines
from bench_guard_cases import CasesAbsent
from bench_spiderman import questions_of

from text2sql.embeddings import SentenceEmbeddings
from text2sql.evaluation.estimates import wilson
from text2sql.guardrail.local import LocalGuardrail
from text2sql.guardrail.policy import GuardrailPolicy, read_guardrail_policy
from text2sql.messages import Screening
from text2sql.services import cache_folder
from text2sql.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
QUESTIONS = ROOT / "evals" / "guardrail_questions.yaml"
RESULTS = ROOT / "evals" / "results" / "guardrail.json"
POLICY = ROOT / "guardrail.yaml"
OWN_WORDS = ("Project Zebra", "Blue Falcon")
BENIGN = "benign"
HALVES = ("tune", "check")
"""The first, third … question of each class, and the others."""

SEEN_AS: Mapping[str, frozenset[str]] = {
    "KEY": frozenset({"AWS_ACCESS_KEY", "AWS_SECRET_KEY"}),
    "OWN_WORD": frozenset({"WORD"}),
    "US_SOCIAL_SECURITY_NUMBER": frozenset({"US_SOCIAL_SECURITY_NUMBER", "SSN"}),
    # Advice on money is advice on money: one question may fit both topics.
    "INVESTMENT_ADVICE": frozenset({"Investment advice", "Financial recommendations"}),
    "FINANCIAL_RECOMMENDATION": frozenset({"Investment advice", "Financial recommendations"}),
}
"""What counts for a class that is not called as its finding is."""

CONTENT = frozenset({"HATE", "INSULTS", "SEXUAL", "VIOLENCE", "MISCONDUCT", "PROFANITY"})
"""Of these, one counts for another: a text is often two of them."""


@click.command()
def bench_guardrail() -> int:
    """Measure with the policy of guardrail.yaml and two words of our own."""
    policy = with_own_words(read_guardrail_policy(POLICY))
    labelled = read_questions()
    opened = time.perf_counter()
    guardrail = open_guardrail(policy)
    guardrail.screen("Is it warm?", "input")
    figures: dict[str, Any] = {
        "command": "bench_guardrail.py",
        "machine": machine_lines(),
        "seconds_to_open": round(time.perf_counter() - opened, 1),
    }
    for half in range(len(HALVES)):
        part = {name: texts[half :: len(HALVES)] for name, texts in labelled.items()}
        figures[HALVES[half]] = {name: measure(guardrail, name, texts) for name, texts in part.items()}
    everything = [text for texts in labelled.values() for text in texts]
    figures["ms"] = time_of(guardrail, everything)
    figures["ms_rules_alone"] = time_of(LocalGuardrail(4000, rules_alone(policy)), everything)
    try:
        shared = [each.question for half in HALVES for each in questions_of(half)]  # type: ignore[arg-type]
    except CasesAbsent as reason:
        click.echo(f"Not measured on the shared questions: {reason}", err=True)
    else:
        figures["shared"] = measure(guardrail, BENIGN, shared)
        figures["shared_without_names"] = measure(open_guardrail(without_names(policy)), BENIGN, shared)
    click.echo(json.dumps(figures, indent=2))
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return 0


def read_questions() -> Mapping[str, list[str]]:
    """Return the labelled questions by their class."""
    content: Mapping[str, list[str]] = yaml.safe_load(QUESTIONS.read_text("utf-8"))
    return content


def with_own_words(policy: GuardrailPolicy) -> GuardrailPolicy:
    """Return the policy with the words that the labelled questions hold."""
    words = policy.words.model_copy(update={"own": (*policy.words.own, *OWN_WORDS)})
    return policy.model_copy(update={"words": words})


def without_names(policy: GuardrailPolicy) -> GuardrailPolicy:
    """Return the policy for people who may name people."""
    personal = {kind: how for kind, how in policy.personal.items() if kind != "NAME"}
    return policy.model_copy(update={"personal": personal})


def rules_alone(policy: GuardrailPolicy) -> GuardrailPolicy:
    """Return what of the policy needs no model."""
    attacks = {"prompt_attack": policy.content["prompt_attack"].model_copy(update={"input": "low"})}
    return without_names(policy).model_copy(update={"content": attacks, "topics": ()})


def open_guardrail(policy: GuardrailPolicy) -> LocalGuardrail:
    """Return the guardrail as the settings would open it."""
    return LocalGuardrail(4000, policy, SentenceEmbeddings(cache_folder(Settings()) / "embeddings"))


def measure(guardrail: LocalGuardrail, name: str, texts: Iterable[str]) -> dict[str, object]:
    """Return how many were seen as what they are; of honest ones, how many were stopped or masked as what."""
    screenings = [guardrail.screen(text, "input") for text in texts]
    if name != BENIGN:
        return _share("seen", sum(is_seen(name, each) for each in screenings), len(screenings))
    told = Counter(kind for each in screenings for kind in {finding.kind for finding in each.findings})
    touched = sum(bool(each.findings) for each in screenings)
    stopped = sum(each.blocked_message is not None for each in screenings)
    return {
        **_share("stopped_or_masked", touched, len(screenings)),
        **_share("stopped", stopped, len(screenings)),
        "as": dict(told.most_common()),
    }


def is_seen(name: str, screening: Screening) -> bool:
    """Tell whether a question of a class was seen as one."""
    kinds = {finding.kind for finding in screening.findings}
    return bool(kinds & (CONTENT if name in CONTENT else SEEN_AS.get(name, frozenset({name}))))


def _share(name: str, count: int, of: int) -> dict[str, object]:
    return {"questions": of, name: count, f"{name}_interval": wilson(count, of)}


def time_of(guardrail: LocalGuardrail, texts: list[str]) -> dict[str, float]:
    """Return milliseconds for one text, once all is loaded."""
    taken = []
    for text in texts:
        began = time.perf_counter()
        guardrail.screen(text, "input")
        taken.append((time.perf_counter() - began) * 1000)
    return {"median": round(median(taken), 2), "p99": round(sorted(taken)[len(taken) * 99 // 100], 2)}


if __name__ == "__main__":
    try:
        sys.exit(bench_guardrail.main(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
