"""Log lines as JSON, each with the request and the job that it belongs to; never a question, SQL or a row."""

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime

request_id: ContextVar[str] = ContextVar("request_id", default="")
job_id: ContextVar[str] = ContextVar("job_id", default="")
trace: ContextVar[str] = ContextVar("trace", default="")
"""The request's header X-Amzn-Trace-Id, which goes along with what is asked of AWS for it."""


class JsonFormatter(logging.Formatter):
    """One object a line; of an error its class and its place, not its text, which may hold anything."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; fields come with `extra={"fields": {…}}`."""
        ours = record.name.partition(".")[0] in {"text2sql", "text2sql_api"}
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            # Our events are constant phrases; another library's arguments are left out.
            "event": record.getMessage() if ours else str(record.msg),
        }
        line |= {
            name: value
            for name, value in (
                ("request_id", request_id.get()),
                ("job_id", job_id.get()),
                ("trace", trace.get()),
            )
            if value
        }
        line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            line["error"] = type(error).__name__
            line["at"] = [
                f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)
            ]
        return json.dumps(line)


def set_up_logs() -> None:
    """Write the log of this process to standard error, from INFO on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in ("httpx", "botocore", "uvicorn"):  # two tell addresses, one what we tell ourselves
        logging.getLogger(name).setLevel(logging.WARNING)
