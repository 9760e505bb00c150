"""Reads a PDF's text in a process of its own, which may take little time and memory."""

import json
import resource
import subprocess
import sys
from io import BytesIO

from text2sql.errors import InvalidDocument

SECONDS = 30
MEMORY_BYTES = 1_000_000_000
PAGES = 500
TEXT_CHARACTERS = 2_000_000
"""So much of the text is read at most; a document with more is refused for its sections."""


def read_pages(content: bytes) -> list[str]:
    """Return the text of each page.

    Raises:
        InvalidDocument: it is broken, locked, too long, or takes too much time or memory to read.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "text2sql.documents.pdf"],
            input=content,
            capture_output=True,
            timeout=SECONDS,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise InvalidDocument(
            f"The PDF is broken or locked, has more than {PAGES} pages, or takes too long to read.",
            remedy="Save it anew as a PDF with text and without a password, or split it.",
        ) from error
    pages: list[str] = json.loads(done.stdout)
    return pages


def _main() -> int:
    """Read a PDF from standard input, and print its pages' texts as JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    import pypdf

    reader = pypdf.PdfReader(BytesIO(sys.stdin.buffer.read()))
    if len(reader.pages) > PAGES:
        return 1
    texts: list[str] = []
    room = TEXT_CHARACTERS
    for page in reader.pages:
        texts.append(page.extract_text()[:room])
        room -= len(texts[-1])
    sys.stdout.write(json.dumps(texts))
    return 0


if __name__ == "__main__":
    sys.exit(_main())
