"""A bill as a table to read, and as one JSON object."""

import json

from text2sql.cost.bill import Bill
from text2sql.cost.prices import PriceList
from text2sql.cost.usage import Usage

HEADINGS = ("US dollars a month", "fixed", "by questions", "total")


def show_bill(bill: Bill, usage: Usage, prices: PriceList) -> str:
    """Return the table; services that cost nothing are left out."""
    rows = [HEADINGS]
    rows += [
        (line.service, _usd(line.fixed), _usd(line.growing), _usd(line.total))
        for line in bill.lines
        if line.total > 0
    ]
    rows.append(("Total", _usd(bill.fixed), _usd(bill.growing), _usd(bill.total)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    shown = [
        "  ".join(
            cell.ljust(width) if number == 0 else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    shown.insert(-1, "─" * len(shown[0]))
    return "\n".join((*shown, "", *_conclusions(bill, usage, prices)))


def to_json(bill: Bill, usage: Usage, prices: PriceList) -> str:
    """Return the bill with the usage and the prices' origin as one object."""
    told = {
        "region": prices.region,
        "prices_written": prices.written.isoformat(),
        "prices_verified": prices.verified,
        "usage": usage.model_dump(mode="json"),
        "bill": bill.model_dump(mode="json"),
    }
    return json.dumps(told, ensure_ascii=False)


def _conclusions(bill: Bill, usage: Usage, prices: PriceList) -> tuple[str, str]:
    more = f"one more question costs ${bill.per_question:,.4f}"
    answer = (
        "No question is asked" if bill.per_answer is None else f"${bill.per_answer:,.4f} an answered question"
    )
    verified = "verified" if prices.verified else "not verified"
    return (
        f"{answer}; {more}. {bill.questions:,.0f} questions a month, {usage.model}.",
        f"Prices of {prices.region}, written on {prices.written}, {verified}: see docs/cost.md.",
    )


def _usd(amount: float) -> str:
    return f"{amount:,.2f}"
