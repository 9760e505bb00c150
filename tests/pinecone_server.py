"""Pinecone's REST API of 2026-07, as far as its client asks for it here, over the stand-in."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import unquote

from pinecone.errors import ApiError

from pinecone_stand_in import StandIn

PAGE = 2
"""So few ids are listed at once, so that the client has to ask for more."""


class PineconeServer:
    """A context manager; all that is asked for ends in `pinecone`."""

    def __init__(self) -> None:
        self.pinecone = StandIn()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer({})

            def do_POST(self) -> None:
                self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def _answer(self, body: dict[str, Any]) -> None:
                try:
                    status, reply = 200, outer.reply(self.path, body)
                except ApiError as error:
                    status, reply = error.status_code, {"error": {"code": "NO", "message": error.message}}
                content = json.dumps(reply).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "PineconeServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def reply(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return what Pinecone would."""
        match [unquote(part) for part in path.strip("/").split("/")]:
            case ["indexes", name]:
                return self._described(name)
            case ["indexes"]:
                self.pinecone.indexes.create(**body, timeout=1)
                return self._described(body["name"])
            case ["namespaces", namespace, "documents", operation]:
                return self._documents(operation, namespace, body)
        raise AssertionError(path)

    def _described(self, name: str) -> dict[str, Any]:
        fields = self.pinecone.indexes.describe(name).schema.fields
        return {
            "name": name,
            "host": self.url,
            "status": {"ready": True, "state": "Ready"},
            "schema": {
                "fields": {
                    key: {"type": "dense_vector", "dimension": field.dimension, "metric": field.metric}
                    for key, field in fields.items()
                }
            },
            "deployment": self.pinecone.indexes.deployment,
            "deletion_protection": "disabled",
        }

    def _documents(self, operation: str, namespace: str, body: dict[str, Any]) -> dict[str, Any]:
        documents = self.pinecone.documents
        told = {"namespace": namespace, "usage": {"read_units": 1}}
        if operation == "upsert":
            documents.upsert(namespace=namespace, **body)
            return {"upserted_count": len(body["documents"])}
        if operation == "delete":
            documents.delete(namespace=namespace, **body)
            return {}
        if operation == "search":
            found = documents.search(namespace=namespace, **body)
            return {**told, "matches": [match.to_dict() for match in found.matches]}
        start = int(body.pop("pagination_token", 0))
        names = [record.id for record in documents.list(namespace=namespace, **body)]
        more = {"pagination": {"next": str(start + PAGE)}} if len(names) > start + PAGE else {}
        return {**told, "documents": [{"_id": name} for name in names[start : start + PAGE]], **more}
