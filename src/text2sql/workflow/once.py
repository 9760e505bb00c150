"""Lets a function answer an event that it has answered before from memory, for an hour."""

import os
from functools import cache
from typing import Any, cast

from aws_lambda_powertools.utilities.typing import LambdaContext

from text2sql.errors import JobStoreUnavailable
from text2sql.workflow.function import Handler

REMEMBERED_SECONDS = 3600


def once(handler: Handler) -> Handler:
    """Return the handler with a memory: what succeeded is not done again, what failed is.

    The whole event decides, in which the job's id is its own.
    """

    @cache
    def remembering() -> Handler:
        from aws_lambda_powertools.utilities.idempotency import (
            DynamoDBPersistenceLayer,
            IdempotencyConfig,
            idempotent,
        )

        table = DynamoDBPersistenceLayer(table_name=os.environ["TEXT2SQL_MODEL_REPLIES_TABLE"])
        config = IdempotencyConfig(expires_after_seconds=REMEMBERED_SECONDS)
        return cast("Handler", idempotent(persistence_store=table, config=config)(handler))

    def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        from aws_lambda_powertools.utilities.idempotency import exceptions

        try:
            return remembering()(event, context)
        except (
            exceptions.IdempotencyAlreadyInProgressError,
            exceptions.IdempotencyInconsistentStateError,
            exceptions.IdempotencyPersistenceLayerError,
        ) as error:
            raise JobStoreUnavailable("What was answered before cannot be read now.") from error

    return handle
