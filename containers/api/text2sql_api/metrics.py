"""What Prometheus reads; every label has a bounded set of values."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from text2sql.documents.library import DocumentStateName
from text2sql.messages import Reply, StepRecord

_FAST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_SLOW = (0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300)


class Metrics:
    """The counters of one app."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "text2sql_requests", "Requests", ("route", "method", "status"), registry=registry
        )
        self._request_seconds = Histogram(
            "text2sql_request_seconds",
            "Time to a request's reply",
            ("route",),
            registry=registry,
            buckets=_FAST,
        )
        self._jobs = Counter("text2sql_jobs", "Jobs that ended", ("outcome", "code"), registry=registry)
        self._job_seconds = Histogram(
            "text2sql_job_seconds", "Time that a question took", registry=registry, buckets=_SLOW
        )
        self._step_seconds = Histogram(
            "text2sql_step_seconds",
            "Time that a step took",
            ("step", "status"),
            registry=registry,
            buckets=_SLOW,
        )
        self._documents = Counter(
            "text2sql_documents",
            "Documents that were put, by what became of them",
            ("state",),
            registry=registry,
        )
        self._tokens = Counter("text2sql_tokens", "Tokens of the model", ("kind",), registry=registry)
        self._cost = Counter("text2sql_cost_usd", "What the model cost", registry=registry)

    def watch(self, name: str, told: str, value: Callable[[], float]) -> None:
        """Show a value as it is whenever somebody looks."""
        Gauge(name, told, registry=self._registry).set_function(value)

    def count_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request; `route` is the path's pattern."""
        self._requests.labels(route, method, status).inc()
        self._request_seconds.labels(route).observe(seconds)

    def count_step(self, record: StepRecord) -> None:
        """Count a step that ended."""
        if record.status != "started":
            self._step_seconds.labels(record.step, record.status).observe(record.seconds)

    def count_job(self, reply: Reply) -> None:
        """Count a job that ended."""
        self._jobs.labels(reply.outcome, reply.error.code if reply.error else "").inc()
        self._job_seconds.observe(reply.seconds)
        self._tokens.labels("prompt").inc(reply.usage.prompt_tokens)
        self._tokens.labels("completion").inc(reply.usage.completion_tokens)
        self._cost.inc(float(reply.usage.cost_usd or 0))

    def count_document(self, state: DocumentStateName) -> None:
        """Count a document whose content was taken."""
        self._documents.labels(state).inc()

    def render(self) -> bytes:
        """Return all of it in Prometheus' text form."""
        return generate_latest(self._registry)
