"""Whether a model could be asked, as far as that is seen without asking it: a call costs time and money."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

from text2sql.errors import ModelNotInstalled, ModelUnavailable
from text2sql.generation.model_file import is_installed

CONNECT_SECONDS = 2.0
_PORTS = {"http": 80, "https": 443}


def require_installed(cache_folder: Path) -> None:
    """Make sure that the embedded model's file is there and whole.

    Raises:
        ModelNotInstalled: it is not.
    """
    if not is_installed(cache_folder):
        raise ModelNotInstalled(
            "The embedded model is not on this machine.", remedy="Run text2sql model pull."
        )


def require_listener(base_url: str) -> None:
    """Make sure that somebody takes connections at the server's address.

    Raises:
        ModelUnavailable: nobody does.
    """
    parts = urlsplit(base_url)
    try:
        address = (parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0))
        socket.create_connection(address, CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        raise ModelUnavailable(
            "The model's server cannot be reached.", remedy="Start it, or check TEXT2SQL_MODEL_BASE_URL."
        ) from error
