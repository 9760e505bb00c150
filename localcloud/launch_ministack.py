"""Starts ministack, under the Python of its own virtual environment."""

import socketserver
import sys

# Its server for functions sends a reply's headers and body apart; together with delayed acknowledgements
# that takes 80 ms for each call.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True

from ministack.app import main  # noqa: E402 — the setting above must come first

sys.exit(main())
