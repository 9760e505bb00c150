"""The language model port on any server that speaks OpenAI's /chat/completions."""

import ipaddress
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import httpx
from pydantic import JsonValue

from text2sql.errors import InvalidSettings, ModelError, ModelThrottled, ModelTimedOut, ModelUnavailable
from text2sql.generation import openai_wire
from text2sql.generation.http_exchange import Exchanged, ReplyTooLarge, exchange
from text2sql.generation.port import Completion, Prompt
from text2sql.generation.price import cost_usd
from text2sql.messages import Usage

REPLY_BYTES = 4 * 1024 * 1024
"""A larger reply is refused."""
LISTING_SECONDS = 10.0
"""The time limit for asking a server which models it has."""


class OpenAiModel:
    """Completions over HTTP from OpenAI, Ollama, vLLM, LM Studio, llama.cpp and their like."""

    def __init__(  # noqa: PLR0913 — one for each setting
        self,
        base_url: str,
        model: str = "",
        api_key: str = "",
        timeout: float = 120.0,
        price_input: Decimal | None = None,
        price_output: Decimal | None = None,
        *,
        body: Mapping[str, JsonValue] | None = None,
        client: httpx.Client | None = None,
    ) -> None:
        """Check the settings; nothing is sent yet.

        Args:
            base_url: where /chat/completions is, without it: `https://api.openai.com/v1`.
            model: empty for the first model that the server lists.
            api_key: empty for a server without one.
            timeout: seconds for a whole call.
            price_input: US dollars for a million prompt tokens.
            price_output: US dollars for a million completion tokens.
            body: what goes into each request beside the prompt.
            client: who sends; the caller closes it.

        Raises:
            InvalidSettings: the URL or the key cannot be one.
        """
        self._url = _checked_url(base_url)
        self._key = _checked_key(api_key)
        self._model = model
        self._timeout = timeout
        self._prices = (price_input, price_output)
        self._body = dict(body or {})
        self._left_out: set[str] = set()
        self._owns_client = client is None
        # A proxy cannot reach this machine's own loopback address.
        self._client = client or httpx.Client(trust_env=not _is_loopback(self._url.host))

    def close(self) -> None:
        """Close the connections, unless they are the caller's."""
        if self._owns_client:
            self._client.close()

    def complete(self, prompt: Prompt) -> Completion:
        """Return the model's reply; the port says what is raised.

        Raises:
            ModelError: the server refuses the prompt, for example because it is too long.
        """
        return self._ask(prompt, 1)[0]

    def sample(self, prompt: Prompt, count: int) -> tuple[Completion, ...]:
        """Return that many replies; a server that gives one at a time is asked again and again.

        Raises:
            ModelError: as `complete` does.
        """
        drawn: list[Completion] = []
        while len(drawn) < count:
            drawn += self._ask(prompt, count - len(drawn))
        return tuple(drawn[:count])

    def _ask(self, prompt: Prompt, count: int) -> list[Completion]:
        """Return at least one reply, and at most `count` of a server that follows the protocol."""
        name = self._model or self._first_model()
        answer = self._post(name, prompt, count)
        refused = openai_wire.refused_parameter(answer)
        if refused and refused not in self._left_out:
            # OpenAI's reasoning models take no temperature, and another name for the token limit.
            self._left_out.add(refused)
            answer = self._post(name, prompt, count)
        self._check_status(answer, name)
        return self._completions(answer.body, name)

    def _post(self, name: str, prompt: Prompt, count: int) -> Exchanged:
        limit = "max_completion_tokens" if "max_tokens" in self._left_out else "max_tokens"
        body: dict[str, Any] = {**self._body, "model": name, "messages": openai_wire.messages(prompt)}
        body[limit] = prompt.max_tokens
        if "temperature" not in self._left_out:
            body["temperature"] = prompt.temperature
        if count > 1 and "n" not in self._left_out:
            body["n"] = count
        return self._exchange("POST", "chat/completions", self._timeout, body)

    def _first_model(self) -> str:
        answer = self._exchange("GET", "models", min(self._timeout, LISTING_SECONDS))
        self._check_status(answer, "")
        with self._unreadable():
            listed = openai_wire.Listing.model_validate_json(answer.body).data
        if not listed:
            raise ModelUnavailable(
                f"The model's server at {self._place} has no model.",
                remedy="Install a model there, or name one in TEXT2SQL_MODEL_NAME.",
            )
        self._model = listed[0].id
        return self._model

    def _exchange(
        self, method: str, path: str, seconds: float, body: dict[str, Any] | None = None
    ) -> Exchanged:
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        url = self._url.copy_with(path=f"{self._url.path.rstrip('/')}/{path}")
        request = self._client.build_request(method, url, json=body, headers=headers)
        try:
            return exchange(self._client, request, seconds=seconds, limit=REPLY_BYTES)
        except TimeoutError as error:
            raise ModelTimedOut(
                f"The model gave no whole reply within {seconds:.3g} seconds.",
                remedy="Raise TEXT2SQL_MODEL_TIMEOUT, or use a faster model.",
            ) from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ModelUnavailable(
                f"No model's server answers at {self._place}.",
                remedy="Start it, or set TEXT2SQL_MODEL_BASE_URL.",
            ) from error
        except (httpx.HTTPError, ReplyTooLarge) as error:
            raise ModelUnavailable(
                f"The model's server at {self._place} broke off, or its reply is no HTTP.",
                remedy="Ask again; if it happens again, look at that server's log.",
            ) from error

    @property
    def _place(self) -> str:
        port = f":{self._url.port}" if self._url.port else ""
        return f"{self._url.scheme}://{self._url.host}{port}{self._url.path}"

    def _check_status(self, answer: Exchanged, name: str) -> None:
        if answer.status == httpx.codes.OK:
            return
        if answer.status == httpx.codes.TOO_MANY_REQUESTS:
            raise ModelThrottled(
                "The model's server asks to come back later.", remedy="Wait a little and ask again."
            )
        if answer.status == httpx.codes.REQUEST_TIMEOUT:
            raise ModelTimedOut("The model's server gave up on the request.")
        if answer.status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise ModelUnavailable(
                f"The model's server at {self._place} refuses the key.", remedy="Set TEXT2SQL_MODEL_API_KEY."
            )
        if answer.status == httpx.codes.NOT_FOUND:
            raise ModelUnavailable(
                f"The model's server at {self._place} knows no model {name!r}, or no such address.",
                remedy="Set TEXT2SQL_MODEL_NAME to a model that it has, and check TEXT2SQL_MODEL_BASE_URL.",
            )
        if openai_wire.is_too_long(answer):
            raise ModelError(
                "The prompt is longer than the model can read.",
                remedy="Describe fewer tables, or use a model with a longer context.",
            )
        if httpx.codes.is_client_error(answer.status):
            raise ModelError(
                f"The model's server refuses the request (HTTP {answer.status}).",
                remedy="Check TEXT2SQL_MODEL_NAME; the prompt may also be too long for the model.",
            )
        raise ModelUnavailable(
            f"The model's server at {self._place} failed (HTTP {answer.status}).",
            remedy="Ask again; if it happens again, look at that server's log.",
        )

    def _completions(self, body: bytes, name: str) -> list[Completion]:
        with self._unreadable():
            reply = openai_wire.Reply.model_validate_json(body)
            first, *others = map(openai_wire.completion, reply.choices)
        used = reply.usage or openai_wire.TokenUse()
        details = used.prompt_tokens_details or openai_wire.CacheUse()
        usage = Usage(
            model=name,
            prompt_tokens=used.prompt_tokens,
            cached_tokens=details.cached_tokens or 0,
            completion_tokens=used.completion_tokens,
            cost_usd=cost_usd(used.prompt_tokens, used.completion_tokens, *self._prices),
        )
        counted = Usage(model=name, cost_usd=cost_usd(0, 0, *self._prices))  # with the first
        usages = (usage, *[counted] * len(others))
        replies = zip((first, *others), usages, strict=True)
        return [reply.model_copy(update={"usage": each}) for reply, each in replies]

    @contextmanager
    def _unreadable(self) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            raise ModelUnavailable(
                f"The reply from {self._place} is not what an OpenAI-compatible server sends.",
                remedy="Check TEXT2SQL_MODEL_BASE_URL; it ends in /v1 for most servers.",
            ) from error


def _checked_url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text.strip())
    except (httpx.InvalidURL, ValueError):
        url = httpx.URL("")
    if url.scheme not in {"http", "https"} or not url.host:
        raise InvalidSettings(
            "The model's server has no usable address.",
            remedy="Set TEXT2SQL_MODEL_BASE_URL to something like http://127.0.0.1:11434/v1.",
        )
    return url


def _checked_key(text: str) -> str:
    key = text.strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise InvalidSettings(
            "The model's API key holds characters that no key has.", remedy="Set TEXT2SQL_MODEL_API_KEY anew."
        )
    return key


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
