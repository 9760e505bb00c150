"""Meanings as vectors, for indexes that are given them."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, Protocol

from text2sql.documents.bedrock_errors import bedrock_errors
from text2sql.errors import KnowledgeBaseUnavailable

_CALLS = 8
"""At a time: the model takes one text a call."""


class Embeddings(Protocol):
    """A model that turns texts into vectors."""

    @property
    def model(self) -> str:
        """Name the model; vectors of two models are never compared."""
        ...

    @property
    def dimension(self) -> int:
        """Return how long a vector is."""
        ...

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector of length 1 for each text.

        Raises:
            KnowledgeBaseUnavailable: the model does not answer.
        """
        ...


class TitanEmbeddings:
    """Amazon Titan Text Embeddings V2 on Amazon Bedrock."""

    model = "amazon.titan-embed-text-v2:0"
    dimension = 1024

    def __init__(self, connect: Callable[[str], Any]) -> None:
        """Ask nothing yet; `connect` makes boto3's client for a service, for the first call."""
        self._connect = connect

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Ask the model for each text.

        Raises:
            InvalidSettings: Bedrock refuses the credentials, or has no such model.
        """
        client = self._client

        def embed(text: str) -> list[float]:
            request = {"inputText": text, "dimensions": self.dimension, "normalize": True}
            return _read(client.invoke_model(modelId=self.model, body=json.dumps(request)))

        with bedrock_errors(f"bedrock:InvokeModel on {self.model}"), ThreadPoolExecutor(_CALLS) as calls:
            return list(calls.map(embed, texts))

    @cached_property
    def _client(self) -> Any:
        return self._connect("bedrock-runtime")


def _read(reply: dict[str, Any]) -> list[float]:
    try:
        return [float(number) for number in json.loads(reply["body"].read())["embedding"]]
    except (ValueError, KeyError, TypeError) as error:
        raise KnowledgeBaseUnavailable(
            "The embedding model's reply holds no vector.", remedy="Try again in a while."
        ) from error
