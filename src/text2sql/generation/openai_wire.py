"""The JSON of OpenAI's /chat/completions, as far as it is read and written."""

import math
from statistics import fmean
from typing import Literal

import httpx
from pydantic import BaseModel, ValidationError

from text2sql.generation.http_exchange import Exchanged
from text2sql.generation.port import Completion, Prompt
from text2sql.messages import Usage


class ListedModel(BaseModel):
    """A model that the server has."""

    id: str


class Listing(BaseModel):
    """The reply to /models."""

    data: list[ListedModel]


class Words(BaseModel):
    """What the model says, or why it does not."""

    content: str | None = None
    refusal: str | None = None


class TokenChance(BaseModel):
    """One token of a reply, and the natural logarithm of how likely it was."""

    logprob: float


class Chances(BaseModel):
    """How likely the tokens of a reply were; most servers tell only when they are asked."""

    content: list[TokenChance] | None = None


class Choice(BaseModel):
    """One of the replies."""

    message: Words
    finish_reason: str | None = None
    logprobs: Chances | None = None


class CacheUse(BaseModel):
    """How much of the prompt came from the server's cache."""

    cached_tokens: int | None = None


class TokenUse(BaseModel):
    """What the call took; some servers do not say."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: CacheUse | None = None


class Reply(BaseModel):
    """The reply to /chat/completions."""

    choices: list[Choice]
    usage: TokenUse | None = None


class Refusal(BaseModel):
    """Why the server refused a request, in its own codes."""

    code: str | int | None = None
    type: str | None = None
    param: str | None = None


class Refused(BaseModel):
    """A reply with an error."""

    error: Refusal


def messages(prompt: Prompt) -> list[dict[str, str]]:
    """Return the prompt as the server wants it."""
    system = [{"role": "system", "content": prompt.system}] if prompt.system else []
    return system + [{"role": turn.role, "content": turn.text} for turn in prompt.turns]


def completion(choice: Choice) -> Completion:
    """Return the reply in the port's words, without what it took: servers tell that of all together."""
    tokens = choice.logprobs and choice.logprobs.content
    return Completion(
        text=choice.message.content or "",
        finish=_finish(choice),
        usage=Usage(),
        probability=math.exp(fmean(token.logprob for token in tokens)) if tokens else None,
    )


def _finish(choice: Choice) -> Literal["stop", "length", "filtered"]:
    if choice.finish_reason == "length":
        return "length"
    if choice.finish_reason == "content_filter" or choice.message.refusal:
        return "filtered"
    return "stop"


def refused_parameter(answer: Exchanged) -> Literal["temperature", "max_tokens", "n"] | None:
    """Return which of the parameters that a server may do without this one does not know."""
    match _refusal(answer).param:
        case "temperature":
            return "temperature"
        case "max_tokens":
            return "max_tokens"
        case "n":
            return "n"
        case _:
            return None


def is_too_long(answer: Exchanged) -> bool:
    """Tell whether the server says in a code that the prompt does not fit; not all of them do."""
    refusal = _refusal(answer)
    return (
        refusal.code == "context_length_exceeded"
        or refusal.type == "exceed_context_size_error"
        or answer.status == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    )


def _refusal(answer: Exchanged) -> Refusal:
    if answer.status != httpx.codes.BAD_REQUEST:
        return Refusal()
    try:
        return Refused.model_validate_json(answer.body).error
    except ValidationError:
        return Refusal()
