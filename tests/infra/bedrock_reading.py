"""A guardrail in Bedrock's words, of two readings: text2sql's of the file, and Terraform's in a plan."""

import json
from typing import Any
from unicodedata import normalize

from text2sql.guardrail.policy import Filter, GuardrailPolicy, Handling, Topic, Words

SECTIONS = {
    "content_policy_config": ("filters_config",),
    "word_policy_config": ("managed_word_lists_config", "words_config"),
    "topic_policy_config": ("topics_config",),
    "sensitive_information_policy_config": ("pii_entities_config", "regexes_config"),
}
MESSAGES = ("blocked_input_messaging", "blocked_outputs_messaging")
ACTIONS = {"allow": "NONE", "mask": "ANONYMIZE", "block": "BLOCK"}


def as_text2sql_reads(policy: GuardrailPolicy) -> dict[str, Any]:
    """Return the messages and the lists of all sections, without what does nothing."""
    words = policy.words if _acts(policy.words) else Words()
    read = {
        "blocked_input_messaging": policy.messages.input,
        "blocked_outputs_messaging": policy.messages.output,
        "filters_config": [
            {"type": kind.upper(), "input_strength": it.input.upper(), "output_strength": it.output.upper()}
            for kind, it in sorted(policy.content.items())
            if _acts(it)
        ],
        "managed_word_lists_config": [{"type": name.upper(), **_directed(words)} for name in words.managed],
        "words_config": [{"text": text, **_directed(words)} for text in words.own],
        "topics_config": [
            {"name": it.name, "definition": it.definition, "examples": list(it.examples), "type": "DENY"}
            for it in policy.topics
            if _acts(it)
        ],
        "pii_entities_config": [
            {"type": kind, **_handled(it)} for kind, it in sorted(policy.personal.items()) if _acts(it)
        ],
        "regexes_config": [
            {"name": it.name, "pattern": it.pattern, **_described(it.description), **_handled(it)}
            for it in policy.patterns
            if _acts(it)
        ],
    }
    # Terraform composes the characters of all texts.
    composed: dict[str, Any] = json.loads(normalize("NFC", json.dumps(read, ensure_ascii=False)))
    return composed


def as_terraform_plans(guardrail: dict[str, Any]) -> dict[str, Any]:
    """Return the same of a planned guardrail, without what it leaves to Bedrock."""
    plans = {name: guardrail[name] for name in MESSAGES}
    for section, lists in SECTIONS.items():
        (inside,) = guardrail[section] or [{name: [] for name in lists}]
        assert bool(guardrail[section]) == any(inside[name] for name in lists), (
            f"{section} is there for nothing"
        )
        for name in lists:
            plans[name] = [
                {key: value for key, value in it.items() if value is not None} for it in inside[name]
            ]
    plans["filters_config"].sort(key=lambda it: it["type"])  # a set
    return plans


def _acts(entry: Filter | Words | Topic | Handling) -> bool:
    return bool({entry.input, entry.output} - {"allow", "none"})


def _directed(entry: Words | Handling) -> dict[str, Any]:
    return {
        "input_action": ACTIONS[entry.input],
        "input_enabled": entry.input != "allow",
        "output_action": ACTIONS[entry.output],
        "output_enabled": entry.output != "allow",
    }


def _handled(entry: Handling) -> dict[str, Any]:
    stricter = "BLOCK" if "block" in (entry.input, entry.output) else "ANONYMIZE"
    return {"action": stricter, **_directed(entry)}


def _described(description: str) -> dict[str, str]:
    return {"description": description} if description else {}
