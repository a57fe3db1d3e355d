"""Signed statements sent by themselves: into DATA_DIR/exports, or to an address, each until it arrived or was given up.

What goes to an address is the file itself, signed as the webhooks of facts are (ivr/hook_messages.py).
"""

import os
import tempfile
from datetime import timedelta
from pathlib import Path

import structlog

from ivr import hook_messages, hook_posts, statement_files, statements
from ivr.statement_files import FORMATS
from ivr.wiring import Wiring
from models import statements as kept
from models.statements import Export, Run

log = structlog.get_logger()

WITHIN_S = 30.0  # for an answer, in all
LOST_AFTER = timedelta(minutes=5)  # one taken by a worker that died is sent again
#: after the first, second, ... attempt; then it is given up
AGAIN_AFTER = (timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=2))
FILE = "file"


def send_exports(wiring: Wiring) -> int:
    """Sign what was closed, and send what is due; how many were sent."""
    with wiring.pool.connection() as conn:
        statements.sign_closed(wiring, conn)
        kept.enrol(conn, wiring.clock())
    sent = 0
    while True:
        with wiring.pool.connection() as conn:
            now = wiring.clock()
            taken = kept.take_run(conn, now, now + LOST_AFTER)
            signed = kept.signed(conn, taken[1].month) if taken else None
        if taken is None or signed is None:
            return sent
        export, run = taken
        problem = _send(wiring, export, statements.of_signed(signed), run)
        sent += problem is None
        with wiring.pool.connection() as conn:
            kept.finish_run(conn, _after(wiring, run, problem))


def _after(wiring: Wiring, run: Run, problem: str | None) -> Run:
    now = wiring.clock()
    if problem is None:
        return run._replace(next_at=None, done_at=now, problem=None)
    log.warning("export_not_sent", export=run.export_id, month=f"{run.month:%Y-%m}", why=problem, attempt=run.attempts)
    again = AGAIN_AFTER[run.attempts - 1] if run.attempts <= len(AGAIN_AFTER) else None
    return run._replace(next_at=now + again if again else None, problem=problem)


def _send(wiring: Wiring, export: Export, document: statements.Document, run: Run) -> str | None:
    """Send one; what went wrong, None: nothing."""
    raw, name = statement_files.write(document, export.form), statement_files.name(document, export.form)
    if export.target == FILE:
        return _write(wiring.settings.data_dir / "exports", name, raw)
    return _post(wiring, export, name, raw, run)


def _write(folder: Path, name: str, raw: bytes) -> str | None:
    """The file is there whole or not at all."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=folder, prefix=f".{name}-")
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, folder / name)
    except OSError as error:
        return error.strerror or type(error).__name__
    return None


def _post(wiring: Wiring, export: Export, name: str, raw: bytes, run: Run) -> str | None:
    assert export.secret is not None
    private = wiring.settings.hooks_allow_private == "on"
    message_id = f"export_{run.export_id}_{run.month:%Y-%m}"
    headers = {
        "User-Agent": "Offhold-Webhooks",
        "Content-Type": FORMATS[export.form][1],
        "Content-Disposition": f'attachment; filename="{name}"',
        **hook_messages.headers(message_id, wiring.clock(), raw, [wiring.numbers.open(export.secret)]),
    }
    try:
        status = hook_posts.status_of(export.target, raw, headers, within_s=WITHIN_S, allow_private=private)
    except hook_posts.PRIVATE:
        return "the address is in the private network"
    except hook_posts.UNREACHED as error:
        return f"it could not be reached: {type(error).__name__}"
    return None if 200 <= status < 300 else f"it answered {status}"
