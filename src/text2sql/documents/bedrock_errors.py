"""How errors of Amazon Bedrock are told, where documents are concerned."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from text2sql.errors import InvalidSettings, KnowledgeBaseUnavailable, Text2SqlError

_THROTTLED = {"ThrottlingException", "TooManyRequestsException", "ServiceQuotaExceededException"}
_REFUSED = {
    "AccessDeniedException",
    "ExpiredTokenException",
    "InvalidSignatureException",
    "UnrecognizedClientException",
}


def connect(service: str) -> Any:
    """Return boto3's client; Region and credentials come from the AWS environment."""
    import boto3
    from botocore.config import Config

    limits = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
    return boto3.client(service, config=limits)


def code_of(error: Any) -> str:
    """Return what AWS calls the error."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def bedrock_errors(rights: str) -> Iterator[None]:
    """Tell any error of boto3 as the knowledge base's; `rights` are the actions that the calls take."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _told(code_of(error), rights) from error
    except BotoCoreError as error:
        raise KnowledgeBaseUnavailable(
            "Amazon Bedrock cannot be reached.", remedy="Check the Region, the credentials and the network."
        ) from error


def _told(code: str, rights: str) -> Text2SqlError:
    if code in _THROTTLED:
        return KnowledgeBaseUnavailable(
            "Amazon Bedrock asks to come back later.", remedy="Try again in a while."
        )
    if code in _REFUSED:
        return InvalidSettings("Amazon Bedrock refuses these credentials.", remedy=f"Allow {rights}.")
    if code == "ResourceNotFoundException":
        return InvalidSettings(
            "Amazon Bedrock has no such knowledge base, data source, job or model in this Region.",
            remedy="Correct its id, or the Region.",
        )
    if code == "ValidationException":
        return InvalidSettings(
            "Amazon Bedrock refuses the request.",
            remedy="Correct the ids of the knowledge base and its data source, or the model's name.",
        )
    if code == "ConflictException":
        return KnowledgeBaseUnavailable(
            "The knowledge base is busy with another ingestion.", remedy="Try again when that has ended."
        )
    return KnowledgeBaseUnavailable("Amazon Bedrock failed.", remedy="Try again in a while.")
