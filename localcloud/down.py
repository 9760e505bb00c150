"""`make down`: stops the local cloud that another terminal started."""

import os
import signal
import sys
import time
from contextlib import suppress

from platform_folder import read_state

STOP_SECONDS = 30.0


def main() -> int:
    """Stop it; return the exit code."""
    state = read_state()
    if state is None:
        print("The local cloud does not run.", file=sys.stderr)
        return 0
    with suppress(ProcessLookupError):
        os.kill(state.pid, signal.SIGTERM)
    end = time.monotonic() + STOP_SECONDS
    while read_state():
        if time.monotonic() > end:
            print(f"It does not end; its process is {state.pid}.", file=sys.stderr)
            return 1
        time.sleep(0.1)
    print("Stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
