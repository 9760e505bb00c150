"""The guardrail port."""

from typing import Protocol

from text2sql.guardrail.policy import Direction
from text2sql.messages import Screening


class Guardrail(Protocol):
    """Screens text on its way in or out."""

    def screen(self, text: str, direction: Direction) -> Screening:
        """Return the text to use, masked where needed, or the message to show instead.

        Raises:
            GuardrailUnavailable: the service did not answer; the caller must not go on.
        """
        ...
