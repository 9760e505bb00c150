"""What a model call costs."""

from decimal import Decimal

MILLION = 1_000_000


def cost_usd(
    prompt_tokens: int, completion_tokens: int, price_input: Decimal | None, price_output: Decimal | None
) -> Decimal | None:
    """Return US dollars at prices for a million tokens; None unless both prices are known.

    Tokens from the model's cache count at the full price, so the true cost may be lower.
    """
    if price_input is None or price_output is None:
        return None
    return (prompt_tokens * price_input + completion_tokens * price_output) / MILLION
