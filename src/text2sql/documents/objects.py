"""How errors of Amazon S3 are told."""

from collections.abc import Iterator
from contextlib import contextmanager

from text2sql.errors import KnowledgeBaseUnavailable


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
