"""The job queue (procrastinate, in the same PostgreSQL): a text's row and its job commit together."""

from functools import cache

from procrastinate import App, JobContext, PsycopgConnector, SyncPsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task
from psycopg import Connection

from ivr.jobs.send_text import send_text
from ivr.jobs.times import Times
from ivr.wiring import Wiring

SEND = "send_text"


@cache
def _manager() -> JobManager:
    """Queues on the caller's connection only: its own connector is never opened."""
    return JobManager(SyncPsycopgConnector())


def defer_send(conn: Connection, text_id: str) -> None:
    """Wake the worker for a text when the transaction of `conn` commits. Raises `psycopg.Error`, as every use of a
    connection does: by it a database that is away is known, and a caller's yes is kept."""
    try:
        configure_task(name=SEND, job_manager=_manager(), queue="texts", connection=conn).defer(text_id=text_id)
    except ConnectorException as error:
        raise error.__cause__ or error from None


def build_app(database_url: str, senders: int) -> App:
    """The worker's side. Its tasks find the wiring and times in the job's context."""
    app = App(connector=PsycopgConnector(conninfo=database_url, min_size=1, max_size=senders + 2))

    @app.task(name=SEND, queue="texts", pass_context=True)
    def send(context: JobContext, text_id: str) -> None:
        wiring: Wiring = context.additional_context["wiring"]
        times: Times = context.additional_context["times"]
        send_text(wiring, text_id, times)

    return app
