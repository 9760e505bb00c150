"""The documents of a datasource: what there is, and changes by those who may make them."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Request, Response

from text2sql.documents.bucket import UPLOAD_SECONDS
from text2sql.documents.library import DocumentLibrary, DocumentState, SyncHistory, Upload
from text2sql.documents.reading import CONTENT_TYPES, content_type, largest
from text2sql_api.bodies import media_type, read_body
from text2sql_api.datasources import access_of, choose_datasource
from text2sql_api.dependencies import ApiDep, PersonDep
from text2sql_api.errors import Forbidden, NotFound, UnsupportedMediaType, UploadElsewhere
from text2sql_api.routes.replies import problems, reply
from text2sql_api.views import DocumentList, NewDocument

CONTENT_SECONDS = 60.0
"""How long a content may take to arrive."""
ANY_CONTENT = "application/octet-stream"
"""Does for any document, beside the type that its name tells."""

DatasourcePath = Annotated[str, Path(alias="id")]


def get_library(api: ApiDep, person: PersonDep, datasource: DatasourcePath) -> DocumentLibrary:
    """Return the documents of a datasource that the person may see.

    Raises:
        NotFound: there is no such datasource for this person, or it has no place for documents.
        DatabaseError, InvalidPolicy: nobody can tell now whether the person may see it.
    """
    name = choose_datasource(api.datasources, datasource, person)
    if api.datasources[name].policy is not None:
        access_of(api.datasources[name], person)
    if name not in api.libraries:
        raise NotFound(
            "This datasource has no place for documents.",
            remedy="Set TEXT2SQL_KNOWLEDGE_DIR or TEXT2SQL_KNOWLEDGE_BUCKET.",
        )
    return api.libraries[name]


LibraryDep = Annotated[DocumentLibrary, Depends(get_library)]


def get_editable(library: LibraryDep, person: PersonDep) -> DocumentLibrary:
    """Return the documents to somebody who may change them.

    Raises:
        Forbidden: the person may not.
    """
    if not person.is_editor:
        raise Forbidden(
            "You may not change documents.", remedy="Ask to be added to the group TEXT2SQL_API_EDITOR_GROUP."
        )
    return library


EditableDep = Annotated[DocumentLibrary, Depends(get_editable)]


def get_content_name(request: Request, library: EditableDep, name: str) -> str:
    """Return the name of a document whose content may be sent here.

    Raises:
        InvalidDocument: no document may have this name.
        UploadElsewhere: the content is to be sent elsewhere.
        UnsupportedMediaType: it is said to be of another type than the name.
    """
    if library.open_upload(name, 1):
        raise UploadElsewhere(
            "The API does not take contents here.",
            remedy="Send it as POST /v1/datasources/{id}/documents says.",
        )
    kind = content_type(name)
    if media_type(request.headers) not in {ANY_CONTENT, kind}:
        raise UnsupportedMediaType(
            f"The body must be {kind}.", remedy=f"Send Content-Type: {kind}, or {ANY_CONTENT}."
        )
    return name


ContentName = Annotated[str, Depends(get_content_name)]


async def get_content(request: Request, name: ContentName) -> bytes:
    """Return the content that is sent: it is read only now that it is known to be welcome."""
    return await read_body(request.receive, request.headers, largest(name), CONTENT_SECONDS)


router = APIRouter(tags=["documents"])


@router.get("/v1/datasources/{id}/documents", response_model=DocumentList, responses=problems(404))
def documents(library: LibraryDep) -> Response:
    """List the documents, and what became of each."""
    return reply(DocumentList(documents=library.list()))


@router.post(
    "/v1/datasources/{id}/documents",
    status_code=201,
    response_model=Upload,
    responses=problems(404, 408, 413, 415),
)
def open_upload(library: EditableDep, datasource: DatasourcePath, body: NewDocument) -> Response:
    """Tell where and how to send a document's content; for editors.

    With `POST` it is the field `file` of a form, after the `fields`; with `PUT` it is the body.
    """
    opened = library.open_upload(body.name, body.size)
    if opened is None:
        url = f"/v1/datasources/{quote(datasource, '')}/documents/{quote(body.name, '')}/content"
        opened = Upload(method="PUT", url=url, expires_in=UPLOAD_SECONDS)
    return reply(opened, 201)


@router.put(
    "/v1/datasources/{id}/documents/{name}/content",
    response_model=DocumentState,
    responses=problems(404, 408, 409, 413, 415),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                kind: {"schema": {"type": "string", "format": "binary"}}
                for kind in (ANY_CONTENT, *CONTENT_TYPES.values())
            },
        }
    },
)
def put_document(
    api: ApiDep, library: EditableDep, name: ContentName, body: Annotated[bytes, Depends(get_content)]
) -> Response:
    """Keep a document, and tell what became of it; for editors, where documents are files of a folder."""
    state = library.write(name, body)
    api.metrics.count_document(state.state)
    return reply(state)


@router.delete("/v1/datasources/{id}/documents/{name}", status_code=204, responses=problems(404))
def delete_document(library: EditableDep, name: str) -> Response:
    """Delete a document, also one that is not there; for editors."""
    library.delete(name)
    return Response(status_code=204)


@router.get("/v1/datasources/{id}/documents/syncs", response_model=SyncHistory, responses=problems(404))
def syncs(library: LibraryDep) -> Response:
    """List the last syncs, the newest first."""
    return reply(library.history())
