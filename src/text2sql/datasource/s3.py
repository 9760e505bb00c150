"""The bucket of knowledge in Amazon S3: how it is reached, and how its errors are told."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from text2sql.errors import KnowledgeBaseUnavailable


def connect_to_s3() -> Any:
    """Return boto3's client; Region and credentials come from the AWS environment."""
    import boto3
    from botocore.config import Config

    limits = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
    return boto3.client("s3", config=limits)


@contextmanager
def s3_errors() -> Iterator[None]:
    """Tell any error of boto3 as the knowledge base's."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise KnowledgeBaseUnavailable(
            "The bucket of TEXT2SQL_KNOWLEDGE_BUCKET does not answer.", remedy="Try again in a while."
        ) from error
