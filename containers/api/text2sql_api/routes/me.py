"""Who the caller is, as far as the rest of the API goes by it."""

from fastapi import APIRouter, Response

from text2sql_api.dependencies import ApiDep, PersonDep
from text2sql_api.routes.replies import problems, reply
from text2sql_api.views import MeView

router = APIRouter(tags=["me"])


@router.get("/v1/me", response_model=MeView, responses=problems())
def me(api: ApiDep, person: PersonDep) -> Response:
    """Tell who you are, and what your groups let you do."""
    return reply(
        MeView(
            subject=person.subject,
            groups=person.groups,
            attributes=person.attributes,
            is_editor=person.is_editor,
            is_admin=person.is_admin,
            is_signed_in=bool(api.settings.issuer),
        )
    )
