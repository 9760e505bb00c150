"""Lets coroutines wait for a job that changes elsewhere: each wait ends after a moment."""

import asyncio

FIRST_SECONDS = 0.1
LAST_SECONDS = 0.5
"""How long a wait is in the end."""
_GROWTH = 1.5


class Poll:
    """`Changes` of the port: whenever a wait ends, the job may have changed."""

    def __init__(self) -> None:
        self._seconds = FIRST_SECONDS

    async def wait(self, seconds: float) -> None:
        """Return after a moment, which is longer each time."""
        await asyncio.sleep(min(seconds, self._seconds))
        self._seconds = min(LAST_SECONDS, self._seconds * _GROWTH)
