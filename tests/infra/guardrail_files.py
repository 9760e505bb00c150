"""Guardrail files that are odd in one way each, by what is odd in them."""

from itertools import product
from pathlib import Path
from typing import get_args

import yaml

from text2sql.guardrail import policy
from text2sql.guardrail.policy import ContentKind, PersonalKind, Strength

ROOT = Path(__file__).parents[2]
ACTIONS = ("allow", "mask", "block")
STOPPING = ("allow", "block")


def _directions(first: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"input": given, "output": shown} for given, shown in product(first, first)]


def _each_action() -> str:
    """Return a file with every pair of actions that a section knows."""
    strengths = [pair for pair in _directions(get_args(Strength)) if pair["input"] != pair["output"]]
    kinds = [kind for kind in get_args(ContentKind) if kind != "prompt_attack"]
    content = {
        "content": dict(zip(kinds, strengths, strict=False)),
        "topics": [
            {"name": f"Topic {number}", "definition": "Something.", **pair}
            for number, pair in enumerate(_directions(STOPPING))
        ],
        "personal": dict(zip(get_args(PersonalKind), _directions(ACTIONS), strict=False)),
        "patterns": [
            {"name": f"badge {number}", "pattern": "B-[0-9]", **pair}
            for number, pair in enumerate(_directions(ACTIONS))
        ],
    }
    return yaml.safe_dump(content)


def _all_kinds() -> str:
    return yaml.safe_dump(
        {
            "content": {kind: {"input": "low"} for kind in get_args(ContentKind)},
            "personal": {kind: {"input": "block"} for kind in get_args(PersonalKind)},
        }
    )


FILES: dict[str, str] = {
    "the deployment's": (ROOT / "guardrail.yaml").read_text("utf-8"),
    "the default": Path(policy.__file__).with_name("default.yaml").read_text("utf-8"),
    "each action": _each_action(),
    "all kinds": _all_kinds(),
    "words alone": "words: {own: [Project Zebra]}\n",
    "managed words alone": "words: {managed: [profanity], input: allow, output: block}\n",
    "words in answers alone": "words: {own: [Zebra], input: allow, output: block}\n",
    "words in both directions": "words: {own: [Zebra], output: block}\n",
    "words that are allowed": "words: {own: [Zebra], input: allow}\npersonal: {EMAIL: {output: mask}}\n",
    "empty sections": """
messages: {}
content: {}
words: {managed: [], own: []}
topics: []
personal: {EMAIL: {input: block}, PHONE: {}}
patterns: []
""",
    "one message": "messages: {output: Not shown.}\nwords: {own: [Zebra]}\n",
    "unicode": """
messages: {input: "Das geht nicht \\u2014 \\U0001F6AB", output: '\u7981\u6b62'}
words: {own: [Z\u00fcrich, Zu\u0308rich, '\u0645\u0634\u0631\u0648\u0639', "zero\\u200bwidth"]}
topics: [{name: Rates, definition: "R\u00e9mun\u00e9ration \U0001f4b6", examples: ['Qu\u2019est-ce?']}]
patterns: [{name: "Ausweis \u2116", pattern: '\u00c4-\\d+', output: mask}]
""",
    "texts over lines": """
patterns:
  - name: badge
    pattern: >-
      \\bB-\\d{4}\\b|
      \\bC-\\d{4}\\b
    description: |
      One line,
        and another.
    input: mask
  - name: block
    pattern: |
      a
      b
    output: block
topics:
  - name: Advice
    definition: first
      second

      third
  - name: Tips
    definition: |
      One line,
      and another.
""",
    "signs that Terraform reads in its own files": """
words: {own: ['${var.tags}', '%{ if true }', "a\\tb", '#', "it's", 'say "x"', '\\\\n', '[1, {2: x}]']}
patterns: [{name: '$$', pattern: '^\\$\\{\\d+\\}"$', input: block}]
""",
    "quoted texts that look like something else": """
words: {own: ['007', "yes", 'null', '2026-01-01', '1e3', '~', "true", '0x1F', ' spaced ']}
""",
    "texts that only look like something else": "words: {own: [1_000, 12:30:00, 0b1, 10-24-2026, =]}\n",
}
