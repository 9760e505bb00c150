"""The composition root: which adapter stands behind which port, by the settings alone.

Adapters are imported where they are chosen, so that nobody pays for those that are not.
"""

import hashlib
import os
from collections.abc import Callable
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from text2sql import __version__
from text2sql.datasource.cache import load_catalog
from text2sql.datasource.catalog import Catalog
from text2sql.datasource.knowledge import Knowledge, KnownFiles
from text2sql.datasource.policy.access import Access, Caller, Claims
from text2sql.datasource.source import DataSource
from text2sql.errors import DatabaseAccountCanWrite, InvalidSettings
from text2sql.execution.port import Database, QueryLimits
from text2sql.execution.url import MysqlUrl, SqliteUrl, datasource_name, parse_database_url, redacted
from text2sql.generation.port import SqlModel
from text2sql.guardrail.port import Guardrail
from text2sql.retrieval.local import CurrentKnowledge
from text2sql.retrieval.port import KnowledgeBase
from text2sql.settings import Settings

if TYPE_CHECKING:
    from text2sql.datasource.knowledge_bucket import KnowledgeBucket
    from text2sql.datasource.policy.grants import Policy
    from text2sql.datasource.shared_catalog import SharedCatalog
    from text2sql.datasource.values_index import StoredValues, ValuesIndex
    from text2sql.documents.bucket import BucketStore
    from text2sql.documents.folder import FolderStore
    from text2sql.documents.library import DocumentLibrary
    from text2sql.documents.port import BucketIndex, DocumentIndex
    from text2sql.embeddings import SentenceEmbeddings
    from text2sql.generation.embedded_process import EmbeddedServer
    from text2sql.messages import VerifiedQuery
    from text2sql.pipeline import Services
    from text2sql.retrieval.local import DocumentSearch
    from text2sql.retrieval.verified import VerifiedIndex

OnWait = Callable[[str], None]
"""Told in a few words what is being waited for."""


def open_services(settings: Settings, on_wait: OnWait | None = None) -> "Services":
    """Return the services for one database; nothing is connected to yet.

    The catalog, which every question asks for first, is read only when the account is known to be fit.

    Raises:
        InvalidSettings, InvalidKnowledge: a setting or a knowledge file is wrong.
        InvalidPolicy, KnowledgeBaseUnavailable: as `find_files` says.
    """
    from text2sql.generation.retrying import RetryingModel
    from text2sql.pipeline import Services

    database, guardrail = open_database(settings), open_guardrail(settings)

    def read_catalog() -> Catalog:
        _check_account(settings, database)
        return _read_catalog(settings, database)

    source = DataSource(lambda: find_files(settings), read_catalog)
    return Services(
        guardrail=guardrail,
        knowledge_base=CurrentKnowledge(source.knowledge, open_documents(settings, guardrail)),
        verified=_open_verified(settings, lambda: source.knowledge().verified.queries),
        values=lambda wait: values_index(settings).open(source.catalog(), wait),
        model=RetryingModel(open_model(settings, on_wait)),
        database=database,
        catalog=source.catalog,
        refresh_catalog=source.refresh,
        policy=_open_policy(source),
        today=_today(source.knowledge()),
        question_characters=settings.question_characters,
        schema_characters=choose_schema_characters(settings),
        repairs=settings.repairs,
        votes=choose_votes(settings),
        limits=query_limits(settings),
    )


def query_limits(settings: Settings) -> QueryLimits:
    """Return how much one statement may take."""
    return QueryLimits(
        rows=settings.row_limit,
        bytes=settings.result_bytes,
        seconds=settings.query_timeout,
        scan_rows=settings.scan_rows,
        join_rows=settings.join_rows,
    )


def open_retrieval(settings: Settings) -> "tuple[KnowledgeBase, VerifiedIndex, StoredValues | None, date]":
    """Return the knowledge base, verified queries, stored texts, and the day that "last year" counts from.

    Raises:
        DatabaseError: as the port says.
        InvalidKnowledge: a knowledge file is wrong.
        InvalidPolicy, KnowledgeBaseUnavailable: as `find_files` says.
    """
    source = _open_source(settings)
    knowledge = source.knowledge()
    verified = _open_verified(settings, lambda: knowledge.verified.queries)
    values = values_index(settings).open(source.catalog())
    base = CurrentKnowledge(lambda: knowledge, open_documents(settings))
    return base, verified, values, _today(knowledge)


def open_documents(settings: Settings, guardrail: Guardrail | None = None) -> "DocumentSearch | None":
    """Return what finds sections of documents; None where nobody named a folder or a bucket of knowledge.

    `guardrail` screens the documents of a folder, where one is open already; those of a bucket have been
    screened at their sync.
    """
    if settings.knowledge_bucket:
        return open_document_bucket(settings)[1]
    if settings.knowledge_dir is None:
        return None
    from text2sql.documents.current import CurrentDocuments

    return CurrentDocuments(*open_document_folder(settings), guardrail or open_guardrail(settings))


def open_document_folder(settings: Settings) -> "tuple[FolderStore, DocumentIndex]":
    """Return the folder of documents, and their index in the cache folder.

    Raises:
        InvalidSettings: no folder of knowledge is named.
    """
    from text2sql.documents.folder import FolderStore
    from text2sql.documents.local_index import LocalIndex

    if settings.knowledge_dir is None:
        raise InvalidSettings(
            "No folder of knowledge is named.",
            remedy="Give one with --knowledge, or set TEXT2SQL_KNOWLEDGE_DIR.",
        )
    folder = settings.knowledge_dir.resolve() / "documents"
    path = cache_folder(settings) / "documents" / f"{_digest(str(folder))}.sqlite"
    index = LocalIndex(path, _open_embeddings(settings), _digest(_guardrail_text(settings)))
    return FolderStore(folder), index


@cache
def open_document_bucket(settings: Settings, *, is_sync: bool = False) -> "tuple[BucketStore, BucketIndex]":
    """Return the documents of the bucket, and their index, which remembers what it has fetched.

    For a sync, what another guardrail has screened counts as not indexed.

    Raises:
        InvalidSettings: the index is not named.
    """
    from text2sql.datasource.s3 import connect_to_s3
    from text2sql.documents.bucket import BucketStore

    return BucketStore(settings.knowledge_bucket, connect_to_s3), _open_bucket_index(
        settings, is_sync=is_sync
    )


def _open_bucket_index(settings: Settings, *, is_sync: bool) -> "BucketIndex":
    """Return the adapter for `documents_provider`."""
    from text2sql.datasource.s3 import connect_to_s3

    bucket = settings.knowledge_bucket
    guardrail = (settings.guardrail_provider, settings.guardrail_id, settings.guardrail_version)
    policy = _digest(f"{guardrail} {_guardrail_text(settings)}") if is_sync else None
    if settings.documents_provider == "local":
        from text2sql.documents.local_index import LocalIndex
        from text2sql.documents.shared_index import SharedIndex

        path = cache_folder(settings) / "documents" / f"{_digest(bucket)}.sqlite"
        return SharedIndex(bucket, path, LocalIndex(path, _open_embeddings(settings), policy), connect_to_s3)
    from text2sql.documents.bedrock_errors import connect
    from text2sql.documents.manifest import Manifest

    manifest = Manifest(bucket, datasource_name(settings.database_url), connect_to_s3, policy)
    if settings.documents_provider == "bedrock":
        from text2sql.documents.bedrock import BedrockIndex

        base, source = settings.knowledge_base_id, settings.knowledge_source_id
        if not (base and source):
            raise InvalidSettings(
                "No Bedrock knowledge base is named.",
                remedy="Set TEXT2SQL_KNOWLEDGE_BASE_ID and TEXT2SQL_KNOWLEDGE_SOURCE_ID.",
            )
        return BedrockIndex(base, source, manifest, connect)
    from text2sql.documents.pinecone import PineconeIndex
    from text2sql.documents.titan import TitanEmbeddings

    if not (settings.pinecone_index and settings.pinecone_api_key.get_secret_value()):
        raise InvalidSettings(
            "No Pinecone index is named, or its key is missing.",
            remedy="Set TEXT2SQL_PINECONE_INDEX and TEXT2SQL_PINECONE_API_KEY.",
        )
    return PineconeIndex(
        settings.pinecone_api_key, settings.pinecone_index, TitanEmbeddings(connect), manifest
    )


def open_library(settings: Settings) -> "DocumentLibrary | None":
    """Return the documents for the API; None where nobody named a folder or a bucket of knowledge.

    Raises:
        InvalidGuardrail, InvalidSettings, GuardrailUnavailable: as `open_guardrail` says.
    """
    if settings.knowledge_bucket:
        from text2sql.documents.bucket import BucketLibrary

        return BucketLibrary(*open_document_bucket(settings))
    if settings.knowledge_dir is None:
        return None
    from text2sql.documents.folder_library import FolderLibrary

    store, index = open_document_folder(settings)
    history = cache_folder(settings) / "documents" / f"{_digest(str(store.folder))}.syncs.json"
    return FolderLibrary(store, index, open_guardrail(settings), history)


def open_knowledge(settings: Settings) -> tuple[Knowledge, Catalog]:
    """Return what people have written down, and the catalog that it describes.

    Raises:
        DatabaseError: as the port says.
        InvalidKnowledge: a knowledge file is wrong, or describes what the database has not.
        InvalidPolicy, KnowledgeBaseUnavailable: as `find_files` says.
    """
    source = _open_source(settings)
    return source.knowledge(), source.catalog()


def open_verified(settings: Settings) -> "tuple[VerifiedQuery, ...]":
    """Return the verified queries as they are written down, whether they still fit or not.

    Raises:
        InvalidKnowledge: a knowledge file is wrong.
        InvalidPolicy, KnowledgeBaseUnavailable: as `find_files` says.
    """
    return _open_source(settings).knowledge().verified.queries


def _open_verified(settings: Settings, queries: "Callable[[], tuple[VerifiedQuery, ...]]") -> "VerifiedIndex":
    """Return them with embeddings where these are installed; else words are compared."""
    from text2sql.embeddings import EmbeddingSimilarity
    from text2sql.retrieval.verified import VerifiedIndex

    model = _open_embeddings(settings)
    return VerifiedIndex(queries, EmbeddingSimilarity(model)) if model else VerifiedIndex(queries)


def _open_embeddings(settings: Settings) -> "SentenceEmbeddings | None":
    """Return the sentence embeddings, where they are installed."""
    from text2sql.embeddings import SentenceEmbeddings, are_installed

    return SentenceEmbeddings(cache_folder(settings) / "embeddings") if are_installed() else None


def choose_schema_characters(settings: Settings) -> int:
    """Return the schema's share of the prompt; a small model on a processor reads 60 tokens a second."""
    return settings.schema_characters or (6_000 if settings.model_provider == "embedded" else 60_000)


def choose_votes(settings: Settings) -> int:
    """Return how many drafts a question in doubt gets; the embedded model writes many at the price of few."""
    return settings.votes or (9 if settings.model_provider == "embedded" else 3)


def open_catalog(settings: Settings) -> Catalog:
    """Return the described catalog, as the steps see it."""
    return _open_source(settings).catalog()


def open_access(settings: Settings, caller: Caller | Claims | None = None) -> Access:
    """Return what the caller may see of the database, described as the steps see it.

    Raises:
        DatabaseError: as the port says.
        InvalidKnowledge, InvalidPolicy: a file is wrong.
        KnowledgeBaseUnavailable: as `find_files` says.
        AccessDenied: the policy shows the caller nothing.
    """
    from text2sql.datasource.policy.claims import read_caller
    from text2sql.datasource.policy.decide import access_for

    source = _open_source(settings)
    catalog = source.catalog()
    open_policy = _open_policy(source)
    if open_policy is None:
        return Access(catalog=catalog)
    policy = open_policy(catalog)
    if isinstance(caller, Claims):
        caller = read_caller(caller.groups, caller.attributes, policy)
    return access_for(policy, caller or Caller(), catalog)


def find_files(settings: Settings) -> KnownFiles:
    """Return the files about the database, those of a bucket as they were at most a minute ago.

    Raises:
        InvalidSettings: they are named twice.
        InvalidPolicy: the bucket holds no policy, which must not mean that everybody sees all.
        KnowledgeBaseUnavailable: the bucket does not answer.
    """
    if not settings.knowledge_bucket:
        return KnownFiles(settings.knowledge_dir, settings.policy_file)
    if settings.knowledge_dir or settings.policy_file:
        raise InvalidSettings(
            "Both a bucket and files are named for the knowledge or the access policy.",
            remedy="Leave out TEXT2SQL_KNOWLEDGE_BUCKET, or the folder and the policy file.",
        )
    return open_knowledge_bucket(settings.knowledge_bucket, cache_folder(settings) / "knowledge").fetch()


@cache
def open_knowledge_bucket(name: str, folder: Path) -> "KnowledgeBucket":
    """Return the bucket, which remembers when it was asked last."""
    from text2sql.datasource.knowledge_bucket import KnowledgeBucket
    from text2sql.datasource.s3 import connect_to_s3

    return KnowledgeBucket(name, folder, connect_to_s3)


def open_values(settings: Settings, wait: float | None) -> "StoredValues | None":
    """Return the texts that the database stores, waiting at most so many seconds for a first index.

    None for `wait` waits until it is built; None comes back where it is not.

    Raises:
        DatabaseError, InvalidKnowledge, InvalidPolicy, KnowledgeBaseUnavailable: as `open_access` says.
    """
    return values_index(settings).open(open_catalog(settings), wait)


@cache
def values_index(settings: Settings) -> "ValuesIndex":
    """Return the index of the stored texts, which remembers whether it is being built."""
    from text2sql.datasource.values_index import ValuesIndex, index_path

    path = index_path(_identity(settings), cache_folder(settings) / "values")
    return ValuesIndex(path, open_database(settings).read_texts)


def open_database(settings: Settings) -> Database:
    """Return the adapter for `database_url`."""
    url = _database_url(settings)
    if isinstance(url, SqliteUrl):
        from text2sql.execution.sqlite import SqliteDatabase

        return SqliteDatabase(url.path)
    from text2sql.execution.mysql import MysqlDatabase

    return MysqlDatabase(url)


def open_guardrail(settings: Settings) -> Guardrail:
    """Return the adapter for `guardrail_provider`.

    Raises:
        InvalidGuardrail: the policy does not follow its format, or holds what the adapter cannot keep.
        InvalidSettings: the Bedrock guardrail is not named.
        GuardrailUnavailable: as `bedrock.connect`.
    """
    from text2sql.guardrail.policy import read_guardrail_policy

    policy = read_guardrail_policy(settings.guardrail_file) if settings.guardrail_file else None
    if settings.guardrail_provider == "bedrock":
        from text2sql.guardrail import bedrock

        if not settings.guardrail_id:
            raise InvalidSettings("No Bedrock guardrail is named.", remedy="Set TEXT2SQL_GUARDRAIL_ID.")
        return bedrock.connect(settings.guardrail_id, settings.guardrail_version, policy)
    from text2sql.guardrail.local import LocalGuardrail

    return LocalGuardrail(settings.question_characters, policy, _open_embeddings(settings))


def open_model(settings: Settings, on_wait: OnWait | None = None) -> SqlModel:
    """Return the adapter for `model_provider`."""
    prices = (settings.model_price_input, settings.model_price_output)
    if settings.model_provider == "bedrock":
        from text2sql.generation import bedrock

        return bedrock.connect(settings.model_name, settings.model_timeout, *prices)
    if settings.model_provider == "openai":
        from text2sql.generation.openai import OpenAiModel

        return OpenAiModel(
            settings.model_base_url,
            settings.model_name,
            settings.model_api_key.get_secret_value(),
            settings.model_timeout,
            *prices,
        )
    from text2sql.generation.embedded import EmbeddedModel

    return EmbeddedModel(
        cache_folder(settings),
        timeout=settings.model_timeout,
        threads=settings.model_threads,
        idle_seconds=settings.model_idle_seconds,
        on_wait=on_wait,
    )


def check_model(settings: Settings) -> None:
    """Make sure that the model can be asked, as far as that can be seen without asking it.

    Raises:
        ModelNotInstalled: the embedded model's file is missing.
        ModelUnavailable: nobody listens at `model_base_url`.
    """
    if settings.model_provider == "embedded":
        from text2sql.generation.readiness import require_installed

        require_installed(cache_folder(settings))
    elif settings.model_provider == "openai":
        from text2sql.generation.readiness import require_listener

        require_listener(settings.model_base_url)


def embedded_server(settings: Settings) -> "EmbeddedServer":
    """Return the handle of the embedded model's process, which may or may not run."""
    from text2sql.generation.embedded import EmbeddedModel

    return EmbeddedModel(cache_folder(settings)).server


def warm_model(settings: Settings, caller: Caller | None = None, on_wait: OnWait | None = None) -> None:
    """Let the embedded model read ahead what the caller may see; other providers need no such thing.

    Raises:
        DatabaseError, ModelError: as the ports say.
        InvalidKnowledge, InvalidPolicy, AccessDenied: as `open_access` says.
    """
    from text2sql.generation.embedded import EmbeddedModel
    from text2sql.generation.prompt import build_system
    from text2sql.retrieval.schema_text import render_schema

    model = open_model(settings, on_wait)
    if isinstance(model, EmbeddedModel):
        catalog = open_access(settings, caller).catalog
        schema = render_schema(catalog, "", choose_schema_characters(settings))
        model.warm(build_system(catalog.dialect, schema))


def cache_folder(settings: Settings) -> Path:
    """Return `cache_dir` with the home folder filled in."""
    return settings.cache_dir.expanduser()


def _database_url(settings: Settings) -> SqliteUrl | MysqlUrl:
    url = parse_database_url(settings.database_url, settings.database_password.get_secret_value())
    if settings.database_secret and isinstance(url, MysqlUrl):
        from text2sql.execution.secret import read_account

        return read_account(settings.database_secret).at(url)
    return url


def _today(knowledge: Knowledge) -> date:
    return knowledge.catalog.as_of or date.today()  # noqa: DTZ011 — the asker's day


def check_account(settings: Settings) -> None:
    """Make sure that the database's account is fit to be used.

    Raises:
        DatabaseAccountCanWrite, DatabaseError: as the port says.
    """
    _check_account(settings, open_database(settings))


def _check_account(settings: Settings, database: Database) -> None:
    """Let an account that can write pass only where somebody knows of it."""
    try:
        database.check_account()
    except DatabaseAccountCanWrite:
        if not settings.i_know:
            raise


def _open_source(settings: Settings) -> DataSource:
    database = open_database(settings)
    return DataSource(lambda: find_files(settings), lambda: _read_catalog(settings, database))


def _open_policy(source: DataSource) -> "Callable[[Catalog], Policy] | None":
    """Return what reads the policy, once for each state of the file and of the catalog."""
    path = source.files().policy
    if path is None:
        return None
    from text2sql.validation.policy.load import load_policy

    @lru_cache(maxsize=1)
    def load(_version: str, catalog: Catalog) -> "Policy":
        return load_policy(path, catalog)

    return lambda catalog: load(source.files().version, catalog)


def _read_catalog(settings: Settings, database: Database) -> Catalog:
    shared = open_shared_catalog(settings) if settings.knowledge_bucket else None
    return load_catalog(database, catalog_identity(settings), cache_folder(settings) / "catalogs", shared)


def catalog_identity(settings: Settings) -> str:
    """Return what tells the database from others, and how this version of the product reads it."""
    return _digest(f"{__version__} {_identity(settings)}")


def open_shared_catalog(settings: Settings) -> "SharedCatalog":
    """Return the catalog that the bucket of knowledge holds."""
    from text2sql.datasource.s3 import connect_to_s3
    from text2sql.datasource.shared_catalog import SharedCatalog

    return SharedCatalog(settings.knowledge_bucket, connect_to_s3)


def _guardrail_text(settings: Settings) -> str:
    """Return what the guardrail's policy says, where it is a file; empty for the default."""
    try:
        return settings.guardrail_file.read_text("utf-8", "replace") if settings.guardrail_file else ""
    except OSError:
        return ""  # opening the guardrail says what is wrong


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _identity(settings: Settings) -> str:
    """Return what tells the database from others in the cache folder."""
    if isinstance(url := parse_database_url(settings.database_url), SqliteUrl):
        return os.path.realpath(url.path)
    return redacted(settings.database_url)
