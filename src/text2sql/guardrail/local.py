"""The guardrail that needs no service: what the policy names, found by rules and small models.

The same text gets the same verdict. A policy that names what cannot be found here is refused as a whole.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from text2sql.embeddings import SentenceEmbeddings
from text2sql.errors import InvalidGuardrail
from text2sql.guardrail import names
from text2sql.guardrail.meaning import open_meaning
from text2sql.guardrail.patterns import compile_pattern
from text2sql.guardrail.personal import FINDERS, Finder
from text2sql.guardrail.plain_text import PlainText, make_plain
from text2sql.guardrail.policy import Action, Direction, GuardrailPolicy, PersonalKind, default_policy
from text2sql.guardrail.profanity import holds_profanity
from text2sql.guardrail.prompt_attack import is_prompt_attack
from text2sql.guardrail.rules import find_words, remove_hidden
from text2sql.guardrail.write_request import is_write_request
from text2sql.messages import Finding, Screening


class _Found(NamedTuple):
    """A stretch of the text that the policy has something to say about."""

    start: int
    end: int
    kind: str
    action: Action


_ALL_FINDERS: Mapping[PersonalKind, Finder] = {**FINDERS, "NAME": names.find_names}
"""Rules come first: a model may take a number for a part of a name."""


class LocalGuardrail:
    """Screens by a policy; hidden characters and orders to write are looked for whatever it says."""

    def __init__(
        self,
        max_characters: int,
        policy: GuardrailPolicy | None = None,
        sentences: SentenceEmbeddings | None = None,
    ) -> None:
        """Make sure that all of the policy can be kept.

        Args:
            max_characters: a longer question is stopped.
            policy: what is looked for; without one, the default.
            sentences: what tells the meaning of a text, where it is installed.

        Raises:
            InvalidGuardrail: it names what cannot be found here.
        """
        self._policy = policy or default_policy()
        self._max_characters = max_characters
        _refuse_unknown(self._policy)
        self._meaning = open_meaning(self._policy, sentences)

    def screen(self, text: str, direction: Direction) -> Screening:
        """Return the text, masked where needed; a text that is stopped is masked, too, so it may be kept."""
        if direction == "input" and len(text) > self._max_characters:
            return self._stop("", (Finding(kind="TOO_LONG", action="blocked"),), direction)
        text, hidden = remove_hidden(text)
        found = self._find(text, direction)
        masked = _mask(text, found)
        findings = [Finding(kind=kind, action="masked") for kind in hidden]
        findings += [
            Finding(kind=kind, action="masked" if action == "mask" else "blocked")
            for kind, action in dict.fromkeys((each.kind, each.action) for each in found)
        ]
        reason = self._find_reason(text, direction)
        if reason is None and self._meaning and all(finding.action == "masked" for finding in findings):
            reason = self._meaning.find(masked, direction)
        if reason is not None:
            findings.append(Finding(kind=reason, action="blocked"))
        if any(finding.action == "blocked" for finding in findings):
            return self._stop(masked, tuple(findings), direction)
        return Screening(text=masked, findings=tuple(findings))

    def _stop(self, text: str, findings: tuple[Finding, ...], direction: Direction) -> Screening:
        message = self._policy.blocked_message(findings, direction)
        return Screening(text=text, findings=findings, blocked_message=message)

    def _find(self, text: str, direction: Direction) -> list[_Found]:
        """Return the personal data and what fits a pattern, in the order of the text, without overlaps."""
        plain = make_plain(text)
        taken: list[_Found] = []
        for each in self._candidates(plain, direction):
            if all(each.end <= other.start or other.end <= each.start for other in taken):
                taken.append(each)
        return sorted(taken)

    def _candidates(self, plain: PlainText, direction: Direction) -> Iterator[_Found]:
        """Yield the patterns before the personal data: who wrote one knows what it stands for."""
        for pattern in self._policy.patterns:
            action = pattern.input if direction == "input" else pattern.output
            if action != "allow":
                for match in compile_pattern(pattern.pattern).finditer(plain.text):
                    if match.end() > match.start():
                        yield _Found(*plain.place(*match.span()), pattern.name, action)
        for kind, find in _ALL_FINDERS.items():
            handling = self._policy.personal.get(kind)
            action = getattr(handling, direction) if handling else "allow"
            if action != "allow":
                for start, end in find(plain.text):
                    yield _Found(*plain.place(start, end), kind, action)

    def _find_reason(self, text: str, direction: Direction) -> str | None:
        """Return the kind of what stops the text as a whole, as far as rules tell."""
        content, words = self._policy.content, self._policy.words
        if direction == "input":
            if (
                "prompt_attack" in content
                and content["prompt_attack"].input != "none"
                and is_prompt_attack(text)
            ):
                return "PROMPT_ATTACK"
            if is_write_request(text):
                return "WRITE_REQUEST"
        if getattr(words, direction) == "block":
            if "profanity" in words.managed and holds_profanity(text):
                return "PROFANITY"
            if any(find_words(text, words.own)):
                return "WORD"
        return None


def _mask(text: str, found: list[_Found]) -> str:
    """Return the text with the kind of each stretch in its place."""
    for each in reversed(found):
        text = f"{text[: each.start]}{{{each.kind}}}{text[each.end :]}"
    return text


def _refuse_unknown(policy: GuardrailPolicy) -> None:
    """Make sure that all the personal data that the policy names can be found.

    Raises:
        InvalidGuardrail: some cannot.
    """
    wanted = [kind for kind in policy.personal if _is_looked_for(policy, kind)]
    if unknown := [kind for kind in wanted if kind not in _ALL_FINDERS]:
        raise InvalidGuardrail(
            f"The local guardrail cannot find {', '.join(unknown)}.",
            remedy="Take it out of the policy, or use the Bedrock guardrail.",
        )
    if "NAME" in wanted and not names.are_installed():
        raise InvalidGuardrail(
            "What the local guardrail finds names with is not installed.",
            remedy="Install the extra `names`, as docs/guardrails.md says, or use the Bedrock guardrail.",
        )


def _is_looked_for(policy: GuardrailPolicy, kind: PersonalKind) -> bool:
    handling = policy.personal.get(kind)
    return handling is not None and (handling.input, handling.output) != ("allow", "allow")
