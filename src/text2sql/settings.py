"""Settings: every value that a deployment may choose, read from `TEXT2SQL_…` variables.

The table in docs/configuration.md is tied to these fields by a test.
"""

from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """All settings; an option of the command line wins over a variable."""

    model_config = SettingsConfigDict(env_prefix="TEXT2SQL_", frozen=True, extra="ignore")

    database_url: str = ""
    """`sqlite:///file` or `mysql://user@host:3306/database`."""
    database_password: SecretStr = SecretStr("")
    """Used where `database_url` holds no password."""
    database_secret: str = ""
    """The name or ARN of a secret of AWS Secrets Manager that holds the password, as RDS writes it."""
    i_know: bool = False
    """Serve although the account can write; for a throw-away database."""
    knowledge_dir: Path | None = None
    """A folder with `catalog.yaml`, `glossary.yaml`, `metrics.yaml`, `verified.yaml` and `documents`."""
    policy_file: Path | None = None
    """Who may see which tables, columns and rows; without it, every caller sees all."""
    knowledge_bucket: str = ""
    """An S3 bucket with the same files and `policy.yaml`, in place of the two before."""
    documents_provider: Literal["local", "bedrock", "pinecone"] = "local"
    """Which adapter indexes the bucket's documents."""
    knowledge_base_id: str = ""
    """The id of the Bedrock knowledge base."""
    knowledge_source_id: str = ""
    """The id of the knowledge base's data source, which reads `sections/` of the bucket."""
    pinecone_index: str = ""
    """The name of the Pinecone index."""
    pinecone_api_key: SecretStr = SecretStr("")
    """Pinecone's key."""

    model_provider: Literal["embedded", "openai", "bedrock"] = "embedded"
    """Which adapter stands behind the model port."""
    model_name: str = ""
    """A model id, or the ARN or id of an inference profile; empty for the provider's default."""
    model_base_url: str = "http://127.0.0.1:11434/v1"
    """An OpenAI-compatible server; the default is Ollama's."""
    model_api_key: SecretStr = SecretStr("")
    """The OpenAI-compatible server's key."""
    model_timeout: float = Field(120.0, gt=0)
    """Seconds for one model call."""
    model_threads: int = Field(0, ge=0)
    """Threads of the embedded model; 0 for as many as this process may use."""
    model_idle_seconds: float = Field(600.0, gt=0)
    """How long the embedded model stays in memory after its last question."""
    model_price_input: Decimal | None = None
    """US dollars for a million prompt tokens; with `model_price_output` it gives the cost."""
    model_price_output: Decimal | None = None
    """US dollars for a million completion tokens."""

    guardrail_provider: Literal["local", "bedrock"] = "local"
    """Which adapter stands behind the guardrail port."""
    guardrail_file: Path | None = None
    """What is stopped or masked; without it, the default of `guardrail/default.yaml`."""
    guardrail_id: str = ""
    """The Bedrock guardrail's id."""
    guardrail_version: str = "DRAFT"
    """The Bedrock guardrail's version."""
    question_characters: int = Field(4000, gt=0)
    """A longer question is refused."""

    schema_characters: int = Field(0, ge=0)
    """How much of the prompt the schema may take; 0 for 6,000 with the embedded model, else 60,000."""
    row_limit: int = Field(1000, ge=1, le=100_000)
    """How many rows an answer may hold."""
    result_bytes: int = Field(16_000_000, ge=1)
    """How many bytes the cells of an answer may hold together."""
    query_timeout: float = Field(30.0, gt=0)
    """Seconds for one statement."""
    scan_rows: int = Field(50_000_000, ge=1)
    """How many rows a statement may read, as its plan tells before it runs."""
    join_rows: int = Field(1_000_000_000, ge=1)
    """How many combinations of rows its joins may go through without an index, as its plan tells."""
    votes: int = Field(0, ge=0, le=9)
    """How many drafts a question in doubt gets, whose rows vote; 0 for 9 with the embedded model, else 3."""
    repairs: int = Field(2, ge=0, le=2)
    """How often a draft that cannot be used goes back to the model."""

    cache_dir: Path = Path("~/.cache/text2sql")
    """Catalogs, indexes of stored values, the embedded model's file, and its server's state."""
