"""How far a recursion may go: what the validator demands a bound within, and where the server stops it."""

RECURSION_STEPS = 1000
"""How many rounds a recursive CTE may take."""
