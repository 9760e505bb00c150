"""The calls of Pinecone's client that are used, in memory; test_pinecone_index.py compares the signatures."""

from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from pinecone.errors import ApiError, NotFoundError, PineconeConnectionError
from pinecone.models.documents.document import Document
from pinecone.models.indexes.schema import DenseVectorField


class StandIn:
    """A project of Pinecone: the methods of `pinecone.Pinecone`."""

    def __init__(self) -> None:
        self.indexes = Indexes()
        self.documents = Documents(self.indexes)

    def index(self, name: str = "", *, host: str = "") -> Any:
        assert host == "https://here", name
        return SimpleNamespace(documents=self.documents)


class Indexes:
    """The methods of `pinecone.client.indexes.Indexes`."""

    def __init__(self) -> None:
        self.made: dict[str, Any] = {}
        self.deployment: dict[str, Any] | None = None

    def describe(self, name: str) -> Any:
        if name not in self.made:
            raise NotFoundError("hunter2")
        return self.made[name]

    def create(
        self,
        *,
        schema: dict[str, Any] | None = None,
        name: str | None = None,
        deployment: dict[str, Any] | None = None,
        timeout: int | None = None,
    ) -> Any:
        assert name is not None
        assert schema is not None
        assert timeout is not None
        fields = {
            key: DenseVectorField(**{name: value for name, value in field.items() if name != "type"})
            for key, field in schema["fields"].items()
        }
        self.deployment = deployment
        self.made[name] = SimpleNamespace(host="https://here", schema=SimpleNamespace(fields=fields))
        return self.made[name]


class Documents:
    """The methods of `pinecone.client.documents.Documents`."""

    def __init__(self, indexes: Indexes) -> None:
        self.namespaces: dict[str, dict[str, dict[str, Any]]] = {}
        self.keeps_all = False
        self.error: Exception | None = None
        self.upserts: list[int] = []
        self._indexes = indexes

    def upsert(self, *, namespace: str, documents: Sequence[Mapping[str, Any]]) -> None:
        self._answer()
        assert documents
        (index,) = self._indexes.made.values()
        for record in documents:
            if len(record["vector"]) != index.schema.fields["vector"].dimension:
                raise ApiError("hunter2", 400)
            assert record["_id"].isascii()
            assert len(record["_id"]) <= 512
            self.namespaces.setdefault(namespace, {})[record["_id"]] = dict(record)
        self.upserts.append(len(documents))

    def search(
        self,
        *,
        namespace: str,
        score_by: Sequence[Mapping[str, Any]],
        top_k: int,
        include_fields: Sequence[str] | None = None,
    ) -> Any:
        self._answer()
        (clause,) = score_by
        assert clause["type"] == "dense_vector"
        scores = {
            name: sum(a * b for a, b in zip(record[clause["field"]], clause["values"], strict=True))
            for name, record in self._records(namespace).items()
        }
        best = sorted(scores, key=lambda name: -scores[name])[:top_k]
        records = self._records(namespace)
        matches = [
            Document(
                {"_id": name, "_score": scores[name]}
                | {field: records[name][field] for field in include_fields or ()}
            )
            for name in best
        ]
        return SimpleNamespace(matches=matches)

    def delete(self, *, namespace: str, ids: Sequence[str] | None = None, delete_all: bool = False) -> None:
        self._answer()
        records = self._records(namespace)
        assert (ids is None) == delete_all
        for name in list(records) if delete_all else ids or ():
            if not self.keeps_all:
                records.pop(name, None)

    def list(self, *, namespace: str, prefix: str | None = None) -> Iterator[Any]:
        self._answer()
        names = [name for name in self._records(namespace) if name.startswith(prefix or "")]
        return iter([SimpleNamespace(id=name) for name in names])

    def _records(self, namespace: str) -> dict[str, dict[str, Any]]:
        if namespace not in self.namespaces:
            raise NotFoundError("hunter2")
        return self.namespaces[namespace]

    def _answer(self) -> None:
        if self.error:
            raise self.error


OUTAGE = PineconeConnectionError("hunter2")
