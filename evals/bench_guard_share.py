"""How many of some cases came out right, and the text in which that is printed; no case is run here."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """The cases of one kind, and those of them that came out wrong."""

    name: str
    of: int
    wrong: tuple[str, ...]
    """Each wrong case in words, for whoever looks into it."""
    least: float = 100.0
    """The bar: how many percent must come out right."""

    @property
    def right(self) -> int:
        """How many came out right."""
        return self.of - len(self.wrong)

    @property
    def met(self) -> bool:
        """Whether the bar is met; of no cases all are right."""
        return self.right * 100 >= self.least * self.of


def shares_table(shares: Sequence[Share]) -> str:
    """Return a Markdown table with a row for each share."""
    rows = ["| Proof | Bar | Share | Cases | Met |", "|---|--:|--:|--:|---|"]
    for share in shares:
        percent = f"{share.right * 100 / share.of:.2f} %" if share.of else ""
        cases = f"{share.right:,} of {share.of:,}"
        met = "yes" if share.met else "**no**"
        rows.append(f"| {share.name} | ≥ {share.least:g} % | {percent} | {cases} | {met} |")
    return "\n".join(rows)
