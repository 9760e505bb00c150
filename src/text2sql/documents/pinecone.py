"""The index in Pinecone, without a knowledge base before it."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any

from pydantic import SecretStr

from text2sql.documents.manifest import Manifest, key_of
from text2sql.documents.port import FoundAtOnce, IndexedDocument, Section
from text2sql.documents.telling import passage
from text2sql.documents.titan import Embeddings
from text2sql.errors import InvalidSettings, KnowledgeBaseUnavailable, Text2SqlError
from text2sql.messages import Passage

LEAST_SCORE = 0.4
"""A section whose cosine is lower is not told; chosen without a measurement on the service."""
SPARE_RESULTS = 20
"""So many more are asked for than are told, because old ones may be among them."""
UPSERTED = 50
"""Sections in a request; Pinecone takes 2 MB, and a vector of 1,024 numbers is 22 kB of JSON at most."""
DELETED = 1000
"""Sections in a request; Pinecone takes no more."""
CREATE_SECONDS = 120
"""How long `create` waits until the index can be used."""
_FIELD = "vector"
_METRIC = "cosine"
_TOLD = ("document", "title", "text", "version")
_REFUSED_REQUESTS = {400, 422}


def connect(api_key: SecretStr) -> Any:
    """Return Pinecone's client; it asks nothing yet.

    Raises:
        InvalidSettings: the client is not installed, or takes no such key.
    """
    with _translated():
        from pinecone import Pinecone

        return Pinecone(api_key=api_key.get_secret_value(), timeout=10)


class PineconeIndex(FoundAtOnce):
    """A BucketIndex with a namespace for each datasource and a record for each section.

    Pinecone applies changes late: what was removed or replaced is not told all the same.
    """

    def __init__(
        self,
        api_key: SecretStr,
        name: str,
        embeddings: Embeddings,
        manifest: Manifest,
        connect: Callable[[SecretStr], Any] = connect,
        least_score: float = LEAST_SCORE,
    ) -> None:
        """Ask nothing yet.

        Args:
            api_key: Pinecone's.
            name: the index's; `create` makes it.
            embeddings: what turns sections and questions into vectors; with another, all begins anew.
            manifest: what is indexed.
            connect: makes Pinecone's client, for the first call.
            least_score: of a section that may be told.
        """
        self._api_key = api_key
        self._name = name
        self._embeddings = embeddings
        self._manifest = manifest.made_for(f"pinecone 1 {embeddings.model}")
        self._connect = connect
        self._least_score = least_score
        self._namespace = manifest.datasource

    def create(self, region: str = "us-east-1") -> None:
        """Make the index, serverless in this Region of AWS, and wait for it; one that fits is kept.

        Raises:
            InvalidSettings: there is one for other vectors, or Pinecone refuses the key.
            KnowledgeBaseUnavailable: Pinecone does not answer, or takes longer than `CREATE_SECONDS`.
        """
        vector = {"type": "dense_vector", "dimension": self._embeddings.dimension, "metric": _METRIC}
        with _translated():
            from pinecone.errors import NotFoundError

            try:
                found = self._client.indexes.describe(self._name)
            except NotFoundError:
                found = self._client.indexes.create(
                    name=self._name,
                    schema={"fields": {_FIELD: vector}},
                    deployment={"deployment_type": "managed", "cloud": "aws", "region": region},
                    timeout=CREATE_SECONDS,
                )
        self._check(found)

    def prepare(self) -> None:
        """Make the index in the client's own Region, where it is missing."""
        self.create()

    def known(self) -> Mapping[str, IndexedDocument]:
        """Return what the manifest holds."""
        return {name: entry.document for name, entry in sorted(self._manifest.entries().items())}

    def put(self, document: IndexedDocument, sections: tuple[Section, ...]) -> None:
        """Upsert the sections, and delete what is left of those before.

        Raises:
            InvalidSettings: the index is missing or for other vectors, or a key or a right is.
        """
        stamp = self._manifest.stamp(document, sections)
        vectors = self._embeddings.embed([f"{section.title}: {section.text}" for section in sections])
        records = [
            {
                "_id": f"{key_of(document.name)}#{number}",
                _FIELD: vector,
                "document": document.name,
                "title": section.title,
                "text": section.text,
                "version": stamp,
            }
            for number, (section, vector) in enumerate(zip(sections, vectors, strict=True))
        ]
        with _translated():
            if not self._manifest.is_begun():
                self._empty()
            for start in range(0, len(records), UPSERTED):
                self._records.upsert(namespace=self._namespace, documents=records[start : start + UPSERTED])
            self._delete(document.name, kept={str(record["_id"]) for record in records})
        self._manifest.put(document, stamp)

    def remove(self, name: str) -> None:
        """Delete the sections."""
        with _translated():
            self._delete(name)
        self._manifest.remove(name)

    def search(self, question: str, limit: int) -> tuple[Passage, ...]:
        """Return the nearest sections, but for those that the manifest does not hold any more.

        Raises:
            InvalidSettings: as `put` says.
        """
        entries = self._manifest.entries()
        if not any(entry.document.sections for entry in entries.values()) or not question.strip():
            return ()
        (vector,) = self._embeddings.embed([question])
        with _translated():
            found = self._records.search(
                namespace=self._namespace,
                score_by=[{"type": "dense_vector", "field": _FIELD, "values": vector}],
                top_k=limit + SPARE_RESULTS,
                include_fields=_TOLD,
            )
        told = list[Passage]()
        for match in found.matches:
            name, title, text, stamp = (str(match.get(field, "")) for field in _TOLD)
            entry = entries.get(name)
            if entry and entry.stamp == stamp and match.score >= self._least_score:
                told.append(passage(name, Section(title, text), match.score))
        return tuple(told[:limit])

    def _delete(self, name: str, kept: Collection[str] = ()) -> None:
        """Delete the document's sections but for some."""
        from pinecone.errors import NotFoundError

        records = self._records
        with suppress(NotFoundError):  # the namespace, which the first upsert makes
            listed = records.list(namespace=self._namespace, prefix=f"{key_of(name)}#")
            old = [record.id for record in listed if record.id not in kept]
            for start in range(0, len(old), DELETED):
                records.delete(namespace=self._namespace, ids=old[start : start + DELETED])

    def _empty(self) -> None:
        """Delete the sections of all documents."""
        from pinecone.errors import NotFoundError

        records = self._records
        with suppress(NotFoundError):
            records.delete(namespace=self._namespace, delete_all=True)

    def _check(self, described: Any) -> None:
        """Refuse an index for other vectors."""
        field = described.schema.fields.get(_FIELD)
        found = (getattr(field, "dimension", None), getattr(field, "metric", None))
        if found != (self._embeddings.dimension, _METRIC):
            raise InvalidSettings(
                f"The Pinecone index {self._name} has no field {_FIELD!r} for vectors of"
                f" {self._embeddings.dimension} numbers and the metric {_METRIC}.",
                remedy="Name another index, or delete this one and have it made anew.",
            )

    @cached_property
    def _client(self) -> Any:
        return self._connect(self._api_key)

    @cached_property
    def _records(self) -> Any:
        """What Pinecone calls documents, each of which is a section here."""
        described = self._client.indexes.describe(self._name)
        self._check(described)
        if not described.host:
            raise KnowledgeBaseUnavailable(
                "The Pinecone index is still being made.", remedy="Try again in a minute."
            )
        return self._client.index(host=described.host).documents


@contextmanager
def _translated() -> Iterator[None]:
    try:
        from pinecone.errors import PineconeError
    except ImportError as error:
        raise InvalidSettings(
            "Pinecone's client is not installed.", remedy="Run `pip install 'text2sql[pinecone]'`."
        ) from error

    try:
        yield
    except PineconeError as error:
        raise _told(error) from error


def _told(error: Exception) -> Text2SqlError:
    from pinecone import errors as pinecone

    if isinstance(error, pinecone.UnauthorizedError | pinecone.ForbiddenError):
        return InvalidSettings("Pinecone refuses the API key.", remedy="Set a key of this project.")
    if isinstance(error, pinecone.NotFoundError):
        return InvalidSettings(
            "Pinecone has no such index.", remedy="Correct the index's name, or have it made."
        )
    if isinstance(error, pinecone.RateLimitError):
        return KnowledgeBaseUnavailable("Pinecone asks to come back later.", remedy="Try again in a while.")
    if isinstance(error, pinecone.PineconeValueError) or (
        isinstance(error, pinecone.ApiError) and error.status_code in _REFUSED_REQUESTS
    ):
        return InvalidSettings(
            "Pinecone refuses the request.", remedy="Correct the API key, the index's name or its Region."
        )
    return KnowledgeBaseUnavailable("Pinecone does not answer.", remedy="Try again in a while.")
