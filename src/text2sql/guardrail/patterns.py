"""A deployment's own patterns, in the syntax of RE2: they take linear time, whatever the text."""

from functools import cache
from typing import Any


@cache
def compile_pattern(pattern: str) -> Any:
    """Return what finds the pattern.

    Raises:
        ValueError: RE2 does not know it; lookaround and back references are among what it does not know.
    """
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else b""
        told = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"this is no regular expression of RE2: {told}") from None
