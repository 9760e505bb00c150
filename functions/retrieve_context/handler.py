"""RetrieveContext as a Lambda function."""

from text2sql.retrieval.step import retrieve_context
from text2sql.services import check_account, choose_schema_characters, open_access, open_retrieval
from text2sql.workflow.events import RetrieveContext, Retrieved
from text2sql.workflow.function import Surroundings, step_function
from text2sql.workflow.parcel import pack


@step_function("RetrieveContext", RetrieveContext)
def handle(event: RetrieveContext, around: Surroundings) -> Retrieved:
    """Return what the model is told, and what the caller may see; the catalog is as new as the database's."""
    settings = around.settings
    check_account(settings)
    access = open_access(settings, event.caller)
    base, verified, values, today = open_retrieval(settings)
    more = {"verified": verified, "values": values, "written": event.written}
    room = choose_schema_characters(settings)
    context = retrieve_context(event.question, base, access, today, room, event.earlier, **more)
    return Retrieved(
        context=pack(context, f"{event.job_id}/context.json", around.parcels),
        access=pack(access, f"{event.job_id}/access.json", around.parcels),
    )
