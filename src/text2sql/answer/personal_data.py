"""Personal data in the rows of a result: a text that the guardrail has not let through is not shown."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from time import monotonic

from text2sql.errors import GuardrailUnavailable
from text2sql.guardrail.port import Guardrail
from text2sql.messages import Cell, Check, ResultSet

ROWS_CHECK = "rows screened"
HIDDEN = "{HIDDEN}"
CALL_CHARACTERS = 10_000
"""Texts are screened together up to this length; a longer one is hidden. Bedrock takes 25,000."""
RESULT_CHARACTERS = 100_000
"""Of the different texts of a result; what goes beyond is hidden."""
SECONDS = 5.0
"""What has not been screened by then is hidden, so that the step ends in its time."""

# Line ends alone make one name of a column of names; a full stop may belong to an address.
_SEPARATOR = ";\n"


def mask_personal_data(
    result: ResultSet, guardrail: Guardrail, clock: Callable[[], float] = monotonic
) -> tuple[ResultSet, Check]:
    """Return the result with its texts as the guardrail lets them through, and what was masked or hidden.

    Numbers, dates and times stay. Bytes are hidden, for they may be a text.
    """
    texts = _Texts(guardrail, clock)
    texts.screen(dict.fromkeys(cell for row in result.rows for cell in row if isinstance(cell, str)))
    rows = tuple(tuple(map(texts.show, row)) for row in result.rows)
    return result.model_copy(update={"rows": rows}), texts.check()


class _Texts:
    """What is shown of each text, and why it is not the text itself."""

    def __init__(self, guardrail: Guardrail, clock: Callable[[], float]) -> None:
        self._guardrail = guardrail
        self._clock = clock
        self._end = clock() + SECONDS
        self._passed: dict[str, str] = {}
        self._kinds: dict[str, None] = {}
        self._reasons: dict[str, None] = {}
        self._hidden = 0

    def screen(self, texts: Iterable[str]) -> None:
        """Look at different texts; a guardrail that does not answer is not asked again."""
        try:
            for together in self._calls(text for text in texts if text.strip()):
                self._screen(together)
        except GuardrailUnavailable as error:
            self._reasons[error.message] = None

    def show(self, cell: Cell) -> Cell:
        """Return what stands in place of the cell."""
        if isinstance(cell, bytes):
            self._reasons["Binary data cannot be screened."] = None
        elif not isinstance(cell, str) or not cell.strip():
            return cell
        elif cell in self._passed:
            return self._passed[cell]
        self._hidden += 1
        return HIDDEN

    def check(self) -> Check:
        """Say what was masked and what is hidden."""
        told = [f"Masked in the rows: {', '.join(self._kinds)}."] if self._kinds else []
        if self._hidden:
            cells = "1 cell is" if self._hidden == 1 else f"{self._hidden:,} cells are"
            told += [f"{cells} hidden.", *self._reasons]
        detail = " ".join(told) or "Nothing that is masked was found in the rows."
        return Check(name=ROWS_CHECK, passed=not self._hidden, detail=detail)

    def _calls(self, texts: Iterable[str]) -> Iterator[list[str]]:
        """Yield the texts that are screened together, as far as there is room for them."""
        together: list[str] = []
        length = total = 0
        for text in texts:
            if len(text) > CALL_CHARACTERS or total + len(text) > RESULT_CHARACTERS:
                self._reasons["There is more text than can be screened."] = None
                continue
            total += len(text)
            if _SEPARATOR in text:
                yield [text]
                continue
            if length + len(text) > CALL_CHARACTERS:
                yield together
                together, length = [], 0
            together.append(text)
            length += len(text) + len(_SEPARATOR)
        if together:
            yield together

    def _screen(self, texts: Sequence[str]) -> None:
        """Let texts pass as the guardrail gives them back; where that is unclear, look at each half alone.

        Raises:
            GuardrailUnavailable: as the port says.
        """
        if self._clock() > self._end:
            self._reasons["There was no time to screen them."] = None
            return
        screening = self._guardrail.screen(_SEPARATOR.join(texts), "output")
        parts = screening.text.split(_SEPARATOR) if len(texts) > 1 else [screening.text]
        if screening.blocked_message is None and len(parts) == len(texts):
            self._passed.update(zip(texts, parts, strict=True))
            self._kinds.update(dict.fromkeys(finding.kind for finding in screening.findings))
        elif len(texts) > 1:
            half = len(texts) // 2
            self._screen(texts[:half])
            self._screen(texts[half:])
        else:
            self._reasons[f"The guardrail held them back: {screening.blocked_message}"] = None
