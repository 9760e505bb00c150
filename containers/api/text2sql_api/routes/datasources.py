"""Which databases there are, and what the caller may see of them."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from text2sql.datasource.knowledge import Metric, Term
from text2sql.errors import Text2SqlError
from text2sql.pipeline import Services
from text2sql.retrieval.verified import is_open
from text2sql_api.datasources import access_of, choose_datasource, is_visible
from text2sql_api.dependencies import ApiDep, PersonDep
from text2sql_api.identity import Person
from text2sql_api.routes.replies import problems, reply
from text2sql_api.views import (
    ColumnView,
    DatasourceList,
    DatasourceView,
    KnowledgeView,
    SchemaView,
    TableView,
)

router = APIRouter(tags=["datasources"])


@router.get("/v1/datasources", response_model=DatasourceList, responses=problems())
def datasources(api: ApiDep, person: PersonDep) -> Response:
    """List the databases that you may ask about."""
    visible = {name: services for name, services in api.datasources.items() if is_visible(services, person)}
    found = tuple(_datasource(name, services, person) for name, services in visible.items())
    return reply(DatasourceList(datasources=found))


@router.get("/v1/datasources/{id}/schema", response_model=SchemaView, responses=problems(404))
def schema(api: ApiDep, person: PersonDep, name: Annotated[str, Path(alias="id")]) -> Response:
    """Tell which tables and columns you may see."""
    name = choose_datasource(api.datasources, name, person)
    catalog = access_of(api.datasources[name], person).catalog
    tables = tuple(
        TableView(
            name=table.key,
            kind=table.kind,
            description=table.description,
            row_count=table.row_count,
            columns=tuple(
                ColumnView(
                    name=column.name,
                    type=column.type,
                    nullable=column.nullable,
                    description=column.description,
                    samples=column.samples,
                    lowest=column.lowest,
                    highest=column.highest,
                )
                for column in table.columns
            ),
            primary_key=table.primary_key,
            foreign_keys=table.foreign_keys,
        )
        for table in catalog.tables
    )
    return reply(SchemaView(id=name, dialect=catalog.dialect, tables=tables))


@router.get("/v1/datasources/{id}/knowledge", response_model=KnowledgeView, responses=problems(404))
def knowledge(api: ApiDep, person: PersonDep, name: Annotated[str, Path(alias="id")]) -> Response:
    """List the terms, metrics and verified queries that you may see."""
    name = choose_datasource(api.datasources, name, person)
    services = api.datasources[name]
    access = access_of(services, person)
    tables = frozenset(called for table in access.catalog.tables for called in (table.key, table.name))
    entries = services.knowledge_base.entries(tables, access.hidden)
    return reply(
        KnowledgeView(
            id=name,
            terms=tuple(entry for entry in entries if isinstance(entry, Term)),
            metrics=tuple(entry for entry in entries if isinstance(entry, Metric)),
            verified=tuple(query for query in services.verified.queries() if is_open(query, access)),
        )
    )


def _datasource(name: str, services: Services, person: Person) -> DatasourceView:
    try:
        return DatasourceView(id=name, tables=len(access_of(services, person).catalog.tables))
    except Text2SqlError:
        return DatasourceView(id=name, tables=None)
