"""What a text is about: denied topics and kinds of content, told by the meaning of examples.

Each kind has a classifier, a logistic regression over sentence embeddings: its examples against honest
questions. It is trained when the guardrail is opened, in a fraction of a second, and always comes out alike.
A text is looked at as a whole and sentence by sentence, for an attack may follow an honest question.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from text2sql.embeddings import SentenceEmbeddings
from text2sql.errors import InvalidGuardrail
from text2sql.guardrail.policy import ContentKind, Direction, GuardrailPolicy, Strength

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

TOPIC_LIMIT = 0.45
CONTENT_LIMITS: Mapping[Strength, float] = {"low": 0.7, "medium": 0.55, "high": 0.45}
"""From which probability on a text is stopped. Chosen on one half of `evals/guardrail_questions.yaml`."""

_RIDGE = 0.03
_STEPS = 25
_CLOSE = 1e-6
_SENTENCE_END = re.compile(r"[.;:!?\n]+|\s-\s|, ")
_LEAST_WORDS = 3
_MOST_PARTS = 12
"""Of a longer text the rest is looked at as one part."""


@cache
def examples() -> Mapping[str, tuple[str, ...]]:
    """Return our examples of each kind of content, and of honest questions as `honest`."""
    import yaml

    content = yaml.safe_load(Path(__file__).with_name("examples.yaml").read_text("utf-8"))
    return {kind: tuple(texts) for kind, texts in content.items()}


class MeaningFinder:
    """Tells which of a policy's topics and kinds of content a text is about; safe for threads."""

    def __init__(self, policy: GuardrailPolicy, embeddings: SentenceEmbeddings) -> None:
        """Learn the examples, which are embedded once for each folder."""
        import numpy as np

        self._embeddings = embeddings
        self._limits: dict[Direction, dict[str, float]] = {
            "input": dict(_limits(policy, "input")),
            "output": dict(_limits(policy, "output")),
        }
        known = examples()
        topics = {topic.name: (topic.definition, *topic.examples) for topic in policy.topics}
        self._kinds = [*dict.fromkeys(kind for limits in self._limits.values() for kind in limits)]
        honest = embeddings.embed_once(known["honest"])
        weights = [
            _learn(embeddings.embed_once(topics.get(kind) or known[kind.lower()]), honest)
            for kind in self._kinds
        ]
        self._weights = np.array(weights).reshape(len(weights), honest.shape[1] + 1)

    def find(self, text: str, direction: Direction) -> str | None:
        """Return the kind that the text is the most surely about, if it is about one that is stopped."""
        import numpy as np

        limits = self._limits[direction]
        if not limits:
            return None
        vectors = self._embeddings.embed([*_parts(text)])
        logits = (vectors @ self._weights[:, :-1].T + self._weights[:, -1]).max(axis=0)
        probabilities = dict(zip(self._kinds, (1 / (1 + np.exp(-logits))).tolist(), strict=True))
        over = {kind: probabilities[kind] - limit for kind, limit in limits.items()}
        kind = max(over, key=lambda each: over[each])
        return kind if over[kind] > 0 else None


def open_meaning(policy: GuardrailPolicy, embeddings: SentenceEmbeddings | None) -> MeaningFinder | None:
    """Return what tells the policy's topics and kinds of content; None where it names none.

    Raises:
        InvalidGuardrail: it names some, and the embeddings are not installed.
    """
    if not any(_limits(policy, "input")) and not any(_limits(policy, "output")):
        return None
    if embeddings is None:
        raise InvalidGuardrail(
            "What the local guardrail tells topics and content with is not installed.",
            remedy="Install the extra `embeddings`, or use the Bedrock guardrail.",
        )
    return MeaningFinder(policy, embeddings)


def _limits(policy: GuardrailPolicy, direction: Direction) -> Iterator[tuple[str, float]]:
    """Yield the kinds that are stopped, with the probability from which on they are."""
    for content, strengths in policy.content.items():
        strength: Strength = getattr(strengths, direction)
        if strength != "none" and _takes_meaning(content, strength):
            yield content.upper(), CONTENT_LIMITS[strength]
    for topic in policy.topics:
        if getattr(topic, direction) == "block":
            yield topic.name, TOPIC_LIMIT


def _takes_meaning(content: ContentKind, strength: Strength) -> bool:
    """Tell whether rules alone do not do: at low strength they do for prompt attacks."""
    return content != "prompt_attack" or strength != "low"


def _parts(text: str) -> Iterator[str]:
    yield text
    parts = _SENTENCE_END.split(text, _MOST_PARTS)
    if len(parts) > 1:
        yield from (part.strip() for part in parts if len(part.split()) >= _LEAST_WORDS)


def _learn(examples_of: "NDArray[np.float32]", others: "NDArray[np.float32]") -> "Numbers":
    """Return the weights of a logistic regression, the bias last, by Newton's method.

    Both sides weigh the same, however many examples each has.
    """
    import numpy as np

    rows = np.vstack([examples_of, others]).astype(np.float64)
    rows = np.hstack([rows, np.ones((len(rows), 1))])
    right = np.r_[np.ones(len(examples_of)), np.zeros(len(others))]
    shares = np.r_[np.full(len(examples_of), 1 / len(examples_of)), np.full(len(others), 1 / len(others))]
    shares *= len(rows) / 2
    ridge = np.eye(rows.shape[1]) * _RIDGE
    ridge[-1, -1] = _CLOSE
    weights = np.zeros(rows.shape[1])
    for _ in range(_STEPS):
        told = 1 / (1 + np.exp(-rows @ weights))
        gradient = rows.T @ (shares * (told - right)) + ridge @ weights
        curvature = (rows * (shares * told * (1 - told))[:, None]).T @ rows + ridge
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < _CLOSE:
            break
    return weights
