"""Documents in a folder of this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from text2sql.documents.port import StoredDocument
from text2sql.documents.reading import check_name, check_size, largest
from text2sql.errors import InvalidDocument, KnowledgeBaseUnavailable
from text2sql.private_file import replacing


class FolderStore:
    """The files of a folder; what lies in folders under it is not seen."""

    def __init__(self, folder: Path) -> None:
        """`folder` need not be there."""
        self.folder = folder

    def list(self) -> tuple[StoredDocument, ...]:
        """Return the files, but for hidden ones."""
        if not self.folder.is_dir():
            return ()
        paths = (path for path in sorted(self.folder.iterdir()) if not path.name.startswith("."))
        return tuple(_describe(path) for path in paths if path.is_symlink() or path.is_file())

    def read(self, document: StoredDocument) -> bytes:
        """Return the file's content.

        Raises:
            InvalidDocument: it is a link, gone, or cannot be read.
        """
        path = self.folder / check_name(document.name)
        if path.is_symlink():
            raise InvalidDocument("The document is a link.", remedy="Put the file itself there.")
        try:
            with path.open("rb") as file:
                return file.read(largest(document.name) + 1)
        except OSError as error:
            raise InvalidDocument("The document cannot be read.", remedy="Look at its rights.") from error

    def write(self, name: str, content: bytes) -> None:
        """Keep a document, in place of one of the same name.

        Raises:
            InvalidDocument: its name or its length does not fit.
            KnowledgeBaseUnavailable: the folder does not take it.
        """
        check_name(name)
        check_size(name, len(content))
        with _written():
            self.folder.mkdir(parents=True, exist_ok=True)
            with replacing(self.folder / name) as new:
                new.write_bytes(content)

    def delete(self, name: str) -> None:
        """Delete a document; one that is not there is none.

        Raises:
            InvalidDocument: no document can be called this.
            KnowledgeBaseUnavailable: the folder does not let it go.
        """
        path = self.folder / check_name(name)
        with _written():
            path.unlink(missing_ok=True)


@contextmanager
def _written() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise KnowledgeBaseUnavailable(
            "The folder of documents cannot be changed.", remedy="Look at its rights and its room."
        ) from error


def _describe(path: Path) -> StoredDocument:
    about = path.lstat()
    return StoredDocument(path.name, f"{about.st_mtime_ns}-{about.st_ino}-{about.st_size}", about.st_size)
