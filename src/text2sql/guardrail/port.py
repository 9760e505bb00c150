"""The guardrail port."""

from typing import Literal, Protocol

from text2sql.messages import Screening


class Guardrail(Protocol):
    """Screens text on its way in or out."""

    def screen(self, text: str, direction: Literal["input", "output"]) -> Screening:
        """Return the text to use, masked where needed, or the message to show instead.

        Raises:
            GuardrailUnavailable: the service did not answer; the caller must not go on.
        """
        ...
