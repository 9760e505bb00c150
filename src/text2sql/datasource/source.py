"""What is known of one database between questions: its catalog and what people wrote down about it."""

from collections.abc import Callable
from functools import cache, lru_cache

from text2sql.datasource.catalog import Catalog
from text2sql.datasource.introspection.samples import without_private_values
from text2sql.datasource.knowledge import Knowledge, KnownFiles, describe, load_knowledge
from text2sql.datasource.planted import without_orders


class DataSource:
    """One database and the files about it; nothing is read before it is asked for.

    Every method raises what finding and reading the files raises: InvalidKnowledge, InvalidPolicy and
    KnowledgeBaseUnavailable.
    """

    def __init__(self, files: Callable[[], KnownFiles], read_catalog: Callable[[], Catalog]) -> None:
        self._files = files
        self._stored = cache(read_catalog)
        self._load = lru_cache(maxsize=1)(_load_from)
        self._describe = lru_cache(maxsize=1)(self._describe_anew)

    def files(self) -> KnownFiles:
        """Return the files as they are now."""
        return self._files()

    def knowledge(self) -> Knowledge:
        """Return what people have written down."""
        return self._load(self._files())

    def catalog(self) -> Catalog:
        """Return the described catalog; the database is read for the first call, and after `refresh`."""
        return self._describe(self._files())

    def refresh(self) -> None:
        """Let the next call of `catalog` read the database anew."""
        self._stored.cache_clear()
        self._describe.cache_clear()

    def _describe_anew(self, files: KnownFiles) -> Catalog:
        described = describe(self._stored(), self._load(files).catalog)
        return without_orders(without_private_values(described))


def _load_from(files: KnownFiles) -> Knowledge:
    return load_knowledge(files.knowledge)
