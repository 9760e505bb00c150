"""The databases that are asked about, as a caller sees them."""

from collections.abc import Mapping

from text2sql.datasource.policy.access import Access, Caller
from text2sql.datasource.policy.claims import read_caller
from text2sql.errors import AccessDenied, Text2SqlError
from text2sql.pipeline import NOBODY, Services
from text2sql_api.errors import NotFound
from text2sql_api.identity import Person


def caller_of(services: Services, groups: tuple[str, ...], attributes: Mapping[str, str]) -> Caller:
    """Return whom the datasource's policy decides about.

    Raises:
        DatabaseError, InvalidPolicy: the policy cannot be held against the database.
    """
    if services.policy is None:
        return NOBODY
    return read_caller(groups, attributes, services.policy(services.catalog()))


def access_of(services: Services, person: Person) -> Access:
    """Return what the person may see.

    Raises:
        AccessDenied: nothing.
        DatabaseError, InvalidPolicy: as `caller_of`.
    """
    return services.access(caller_of(services, person.groups, person.attributes))


def choose_datasource(datasources: Mapping[str, Services], name: str | None, person: Person) -> str:
    """Return the name of the datasource that the person may ask about.

    A database that does not answer now is chosen all the same: its question then says so.

    Raises:
        NotFound: there is none of that name, or not for this person; or no name, and not just one.
    """
    if name is None and len(datasources) == 1:
        name = next(iter(datasources))
    if name is None:
        raise NotFound("There are several datasources.", remedy="Name one; GET /v1/datasources lists them.")
    if name not in datasources or not is_visible(datasources[name], person):
        raise NotFound("There is no such datasource.", remedy="GET /v1/datasources lists those there are.")
    return name


def is_visible(services: Services, person: Person) -> bool:
    """Tell whether the person may see anything of it, or the database does not say so now."""
    if services.policy is None:
        return True
    try:
        access_of(services, person)
    except AccessDenied:
        return False
    except Text2SqlError:
        return True
    return True
