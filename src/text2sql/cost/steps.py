"""What one question sets in motion in the cloud: functions, states, writes. Tests hold it to the template."""

from collections.abc import Mapping

MEMORY_GB = 0.5
"""Of each function of a step, as template.yaml says."""
STEP_SECONDS: Mapping[str, float] = {
    "CheckQuestion": 0.4,
    "RetrieveContext": 0.4,
    "GenerateSql": 4.0,
    "ValidateSql": 0.2,
    "ExecuteSql": 0.5,
    "ComposeAnswer": 0.4,
    "RecordOutcome": 0.2,
}
"""Assumed: without the model and the database's own time all seven took 0.29 s on two cores (docs/cloud.md);
a call of a guardrail or a database takes some tenths, and the model writes a statement in some seconds."""
ROUND = ("GenerateSql", "ValidateSql", "ExecuteSql")
"""What runs again when a draft goes back to the model, or is compared with others."""
STATES = 11
"""Of the state machine on the straight way, from Begin to RecordOutcome."""
START_AND_END = 2
"""Step Functions counts these as transitions, too, in the examples of its price page."""
ROUND_STATES = 5
"""Of one more round: CanRepair, GenerateSql, IsDraft, ValidateSql, ExecuteSql."""
EXPRESS_GB = 64 / 1024
"""An express execution is charged by 64 MB of memory; this one's state fits the first."""
WRITE_UNITS = 90
"""Of DynamoDB: 15 writes (a job, twelve notes of its steps, its end, a reply of the model) of up to 2 KB,
to the table and to two of its indexes."""
READ_UNITS = 60
"""Of DynamoDB: who watches a job reads it now and then, and each step looks whether it was cancelled."""
BUCKET_WRITES = 4
"""Of S3: parcels beside the state, and rows."""
BUCKET_READS = 10
"""Of S3: parcels, rows and the knowledge."""
KEY_REQUESTS = 5
"""Of KMS: bucket keys and tables ask once for many objects."""
LOG_KB = 25
"""What the functions, the gateway and the API write to the log."""
KEPT_MONTHS = 1
"""How long logs are kept: LogRetentionDays of template.yaml is 30."""


def step_gb_seconds(extra_rounds: float) -> float:
    """Return the GB-seconds of the functions for a question that takes so many more rounds."""
    rounds = sum(STEP_SECONDS[name] for name in ROUND) * extra_rounds
    return MEMORY_GB * (sum(STEP_SECONDS.values()) + rounds)


def step_calls(extra_rounds: float) -> float:
    """Return how many functions are called."""
    return len(STEP_SECONDS) + len(ROUND) * extra_rounds


def step_transitions(extra_rounds: float) -> float:
    """Return how many transitions a standard execution is charged for."""
    return STATES + START_AND_END + ROUND_STATES * extra_rounds


def express_gb_seconds(extra_rounds: float) -> float:
    """Return the GB-seconds of an express execution, which is as long as its steps together."""
    return EXPRESS_GB / MEMORY_GB * step_gb_seconds(extra_rounds)
