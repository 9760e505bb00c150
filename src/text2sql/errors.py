"""The one error tree: every failure that a user, a workflow or an exit code can tell apart.

An error's `code` is stable and listed in docs/errors.md. Its `message` and `remedy` are safe to show:
they never hold a row, a secret or a driver's own text. Decide by class, never by text.
"""

from typing import ClassVar


class Text2SqlError(Exception):
    """Something went wrong that we can name; the root of the tree."""

    code: ClassVar[str] = "INTERNAL_ERROR"
    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class InvalidQuestion(Text2SqlError):
    """The question is empty, too long, or holds bytes that are no text."""

    code = "INVALID_QUESTION"
    exit_code = 6


class InvalidSettings(Text2SqlError):
    """A setting or an option is missing, unknown or out of its range."""

    code = "INVALID_SETTINGS"
    exit_code = 2


class InvalidKnowledge(Text2SqlError):
    """A file of the datasource's knowledge folder does not follow its format."""

    code = "INVALID_KNOWLEDGE"
    exit_code = 2


class InvalidDocument(Text2SqlError):
    """A document about the datasource cannot be read, is too long, or has an unfit name."""

    code = "INVALID_DOCUMENT"
    exit_code = 2


class InvalidPolicy(Text2SqlError):
    """The access policy does not follow its format, or names what the database has not."""

    code = "INVALID_POLICY"
    exit_code = 2


class InvalidGuardrail(Text2SqlError):
    """The guardrail's policy does not follow its format, or names what this guardrail cannot find."""

    code = "INVALID_GUARDRAIL"
    exit_code = 2


class InvalidEvaluation(Text2SqlError):
    """A file of questions or results cannot be read, or does not belong to this evaluation."""

    code = "INVALID_EVALUATION"
    exit_code = 2


class InvalidPrices(Text2SqlError):
    """The file of prices does not follow its format, or lacks what the bill needs."""

    code = "INVALID_PRICES"
    exit_code = 2


class AccessDenied(Text2SqlError):
    """The access policy shows this caller nothing, or lacks an attribute to decide by."""

    code = "ACCESS_DENIED"
    exit_code = 7


class OutputNotWritten(Text2SqlError):
    """The file that the user asked for could not be written."""

    code = "OUTPUT_NOT_WRITTEN"
    exit_code = 14


class GuardrailUnavailable(Text2SqlError):
    """The guardrail service did not answer; nothing was asked of the model."""

    code = "GUARDRAIL_UNAVAILABLE"
    retryable = True
    exit_code = 12


class KnowledgeBaseUnavailable(Text2SqlError):
    """The knowledge base did not answer."""

    code = "KNOWLEDGE_BASE_UNAVAILABLE"
    retryable = True
    exit_code = 12


class ModelError(Text2SqlError):
    """The language model could not be used."""

    code = "MODEL_ERROR"
    exit_code = 11


class ModelUnavailable(ModelError):
    """The model's server cannot be reached, refuses the key, or broke off."""

    code = "MODEL_UNAVAILABLE"
    retryable = True


class ModelThrottled(ModelError):
    """The model's server asks to come back later."""

    code = "MODEL_THROTTLED"
    retryable = True


class ModelTimedOut(ModelError):
    """The model took longer than `model_timeout` seconds."""

    code = "MODEL_TIMED_OUT"
    retryable = True


class ModelNotInstalled(ModelError):
    """The embedded model's file is not on this machine, or its library is not installed."""

    code = "MODEL_NOT_INSTALLED"


class ModelDownloadFailed(ModelError):
    """The embedded model's file could not be fetched, or is not the file it should be."""

    code = "MODEL_DOWNLOAD_FAILED"
    retryable = True


class DiskFull(ModelDownloadFailed):
    """There is not enough room for the embedded model's file."""

    code = "DISK_FULL"
    retryable = False
    exit_code = 14


class RepairableError(Text2SqlError):
    """A draft that cannot be used; `feedback` tells the model what to change.

    `feedback` holds names of the statement and of the catalog, never a stored value.
    """

    code = "NO_VALID_SQL"
    exit_code = 10

    def __init__(self, message: str, *, feedback: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.feedback = feedback


class ReplyUnusable(RepairableError):
    """The model's reply holds no SQL: prose, an unfinished statement, or nothing."""

    code = "REPLY_UNUSABLE"


class SqlRejected(RepairableError):
    """The validator refused the draft; `reason` is a code from docs/errors.md."""

    code = "SQL_REJECTED"

    def __init__(self, reason: str, message: str, *, feedback: str = "") -> None:
        super().__init__(message, feedback=feedback or message)
        self.reason = reason


class QueryFailed(RepairableError):
    """The database refused a statement that had passed validation."""

    code = "QUERY_FAILED"
    exit_code = 13


class SchemaChanged(QueryFailed):
    """A table or column is gone that the catalog has: the catalog lags behind the database."""

    code = "SCHEMA_CHANGED"


class QueryTimedOut(Text2SqlError):
    """The statement ran longer than `query_timeout` seconds and was stopped."""

    code = "QUERY_TIMED_OUT"
    exit_code = 13


class QueryCancelled(Text2SqlError):
    """Whoever asked for the query does not want it any more, and it was stopped."""

    code = "QUERY_CANCELLED"
    exit_code = 13


class QueryTooExpensive(Text2SqlError):
    """The statement would read more than the datasource allows."""

    code = "QUERY_TOO_EXPENSIVE"
    exit_code = 13


class DatabaseError(Text2SqlError):
    """The database cannot be used as it is."""

    code = "DATABASE_ERROR"
    exit_code = 12


class DatabaseUnavailable(DatabaseError):
    """The database cannot be reached, is locked, or went away in the middle of a query."""

    code = "DATABASE_UNAVAILABLE"
    retryable = True


class DatabaseNotFound(DatabaseError):
    """There is no such file or schema."""

    code = "DATABASE_NOT_FOUND"


class DatabaseAccessDenied(DatabaseError):
    """The database refuses the user, the password or the encryption."""

    code = "DATABASE_ACCESS_DENIED"


class DatabaseAccountCanWrite(DatabaseError):
    """The database's user may do more than read."""

    code = "DATABASE_ACCOUNT_CAN_WRITE"


class DatabaseCorrupt(DatabaseError):
    """The file is no database, or is damaged."""

    code = "DATABASE_CORRUPT"


class DatabaseEmpty(DatabaseError):
    """The database has no table that this user may read."""

    code = "DATABASE_EMPTY"


class JobError(Text2SqlError):
    """A question that is answered as a job could not be kept, begun or finished."""

    code = "JOB_ERROR"
    exit_code = 15


class TooManyJobs(JobError):
    """So many of this user's jobs are unfinished that another one must wait."""

    code = "TOO_MANY_JOBS"
    retryable = True


class JobInterrupted(JobError):
    """The service ended several times while it worked on the question, or its run was broken off."""

    code = "JOB_INTERRUPTED"


class JobStoreUnavailable(JobError):
    """Jobs can be neither read nor kept: their store is full, locked or gone."""

    code = "JOB_STORE_UNAVAILABLE"
    retryable = True


class WorkflowUnavailable(JobError):
    """The workflow that jobs run in does not take them."""

    code = "WORKFLOW_UNAVAILABLE"
    retryable = True


def exit_code(code: str) -> int:
    """Return the exit code of the error class that bears `code`."""
    pending = [Text2SqlError]
    while pending:
        kind = pending.pop()
        if kind.code == code:
            return kind.exit_code
        pending.extend(kind.__subclasses__())
    return Text2SqlError.exit_code
