"""The language model port on Amazon Bedrock's Converse."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Literal, Protocol

from text2sql.errors import ModelError, ModelNotInstalled, ModelThrottled, ModelTimedOut, ModelUnavailable
from text2sql.generation.port import Completion, Prompt
from text2sql.generation.price import cost_usd
from text2sql.messages import Usage

DEFAULT_MODEL = "global.anthropic.claude-sonnet-4-6"
"""Used where TEXT2SQL_MODEL_NAME is empty.

The `global.` profile answers in every commercial Region, from any of them; where prompts must stay in a
geography, set TEXT2SQL_MODEL_NAME to its profile: `us.`, `eu.` or `jp.` instead of `global.`.
"""

CONNECT_SECONDS = 10.0
ATTEMPTS = 2
"""The client's own, with the first; the workflow retries by error name."""

_THROTTLED = {"ThrottlingException", "TooManyRequestsException", "ServiceQuotaExceededException"}
_REFUSED = {
    "AccessDeniedException",
    "ExpiredTokenException",
    "InvalidSignatureException",
    "UnrecognizedClientException",
}
_FINISH: Mapping[str, Literal["length", "filtered"]] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "content_filtered": "filtered",
    "guardrail_intervened": "filtered",
    "refusal": "filtered",
}
_WITHOUT_CACHE = ("claude-instant", "claude-v2", "claude-3-")
"""Models of Anthropic that know no cache points, or not all of them."""


class ConverseClient(Protocol):
    """The part of boto3's `bedrock-runtime` client that is used."""

    def converse(self, **request: Any) -> dict[str, Any]:
        """Send one request."""
        ...


def connect(
    model_id: str = "",
    timeout: float = 120.0,
    price_input: Decimal | None = None,
    price_output: Decimal | None = None,
) -> "BedrockModel":
    """Return the adapter on a boto3 client; Region, credentials and endpoint come from the AWS environment.

    Raises:
        ModelNotInstalled: boto3 is not installed.
        ModelUnavailable: there is no Region, or the AWS configuration cannot be read.
    """
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise ModelNotInstalled(
            "boto3 is not installed, which Bedrock needs.", remedy="Run `pip install 'text2sql[aws]'`."
        ) from error

    with _translated(timeout):
        client = boto3.client(
            "bedrock-runtime",
            config=Config(
                connect_timeout=min(timeout, CONNECT_SECONDS),
                read_timeout=timeout,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            ),
        )
    return BedrockModel(client, model_id, timeout=timeout, price_input=price_input, price_output=price_output)


class BedrockModel:
    """Completions from a model or an inference profile on Bedrock."""

    def __init__(
        self,
        client: ConverseClient,
        model_id: str = "",
        *,
        timeout: float = 120.0,
        price_input: Decimal | None = None,
        price_output: Decimal | None = None,
    ) -> None:
        """Send nothing yet.

        Args:
            client: boto3's; it holds the time limit.
            model_id: a model's id, or an inference profile's id or ARN; empty for `DEFAULT_MODEL`.
            timeout: seconds of the client's time limit, for the message when it has passed.
            price_input: US dollars for a million prompt tokens.
            price_output: US dollars for a million completion tokens.
        """
        self._client = client
        self._model = model_id or DEFAULT_MODEL
        self._timeout = timeout
        self._prices = (price_input, price_output)
        self._temperature = True

    def complete(self, prompt: Prompt) -> Completion:
        """Return the model's reply; the port says what is raised.

        Raises:
            ModelError: Bedrock refuses the request, for example because the prompt is too long.
        """
        with _translated(self._timeout):
            reply = self._converse(prompt)
        return self._completion(reply)

    def sample(self, prompt: Prompt, count: int) -> tuple[Completion, ...]:
        """Return that many replies, asked for at the same time; each reads the prompt anew."""
        with ThreadPoolExecutor(count) as calls:
            return tuple(calls.map(self.complete, [prompt] * count))

    def _converse(self, prompt: Prompt) -> dict[str, Any]:
        from botocore.exceptions import ClientError

        try:
            return self._client.converse(**self._request(prompt))
        except ClientError as error:
            if not self._temperature or _code(error) != "ValidationException":
                raise
        # Some models take no temperature, and the error's code says no more than that the request is wrong.
        self._temperature = False
        try:
            return self._client.converse(**self._request(prompt))
        except ClientError:
            self._temperature = True
            raise

    def _request(self, prompt: Prompt) -> dict[str, Any]:
        inference: dict[str, Any] = {"maxTokens": prompt.max_tokens}
        if self._temperature:
            inference["temperature"] = prompt.temperature
        request: dict[str, Any] = {
            "modelId": self._model,
            "messages": [{"role": turn.role, "content": [{"text": turn.text}]} for turn in prompt.turns],
            "inferenceConfig": inference,
        }
        if prompt.system:
            request["system"] = [{"text": prompt.system}]
            if _takes_cache_points(self._model):
                request["system"].append({"cachePoint": {"type": "default"}})
        return request

    def _completion(self, reply: dict[str, Any]) -> Completion:
        try:
            blocks = reply["output"]["message"]["content"]
            text = "".join(block.get("text", "") for block in blocks)
            used = reply.get("usage", {})
            cached = used.get("cacheReadInputTokens", 0)
            # Bedrock counts what it reads from or writes to its cache apart.
            prompt_tokens = used.get("inputTokens", 0) + cached + used.get("cacheWriteInputTokens", 0)
            completion_tokens = used.get("outputTokens", 0)
        except (KeyError, TypeError, AttributeError) as error:
            raise ModelUnavailable("Bedrock's reply holds no message.", remedy="Ask again.") from error
        usage = Usage(
            model=self._model,
            prompt_tokens=prompt_tokens,
            cached_tokens=cached,
            completion_tokens=completion_tokens,
            cost_usd=cost_usd(prompt_tokens, completion_tokens, *self._prices),
        )
        return Completion(text=text, finish=_FINISH.get(reply.get("stopReason", ""), "stop"), usage=usage)


def _takes_cache_points(model_id: str) -> bool:
    return "anthropic.claude" in model_id and not any(old in model_id for old in _WITHOUT_CACHE)


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def _translated(timeout: float) -> Iterator[None]:
    from botocore import exceptions as aws

    try:
        yield
    except aws.ClientError as error:
        raise _service_error(_code(error)) from error
    except aws.ReadTimeoutError as error:
        raise ModelTimedOut(
            f"Bedrock did not answer within {timeout:g} seconds.",
            remedy="Raise TEXT2SQL_MODEL_TIMEOUT, or use a faster model.",
        ) from error
    except (aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError) as error:
        raise ModelUnavailable(
            "There are no usable AWS credentials.",
            remedy="Give this process a role, set AWS_PROFILE, or run `aws sso login`.",
        ) from error
    except aws.NoRegionError as error:
        raise ModelUnavailable("No AWS Region is set.", remedy="Set AWS_DEFAULT_REGION.") from error
    except aws.BotoCoreError as error:
        raise ModelUnavailable(
            "Bedrock cannot be reached.", remedy="Check AWS_DEFAULT_REGION and the network."
        ) from error


def _service_error(code: str) -> ModelError:
    if code in _THROTTLED:
        return ModelThrottled("Bedrock asks to come back later.", remedy="Wait a little and ask again.")
    if code == "ModelTimeoutException":
        return ModelTimedOut(
            "The model on Bedrock took too long.", remedy="Ask again, or use a faster model."
        )
    if code in _REFUSED:
        return ModelUnavailable(
            "Bedrock refuses these credentials.",
            remedy="Allow bedrock:InvokeModel on the model and its inference profile, and request access to"
            " the model.",
        )
    if code == "ResourceNotFoundException":
        return ModelUnavailable(
            "Bedrock has no such model in this Region.",
            remedy="Set TEXT2SQL_MODEL_NAME or AWS_DEFAULT_REGION.",
        )
    if code == "ValidationException":
        return ModelError(
            "Bedrock refuses the request: the model's id is not one that can be called here, or the prompt is"
            " too long.",
            remedy="Set TEXT2SQL_MODEL_NAME to an inference profile of this Region, or describe less.",
        )
    return ModelUnavailable("The model on Bedrock failed.", remedy="Ask again in a while.")
