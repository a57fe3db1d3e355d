"""What a console in use has to show: calls, a draft with faults, studies, waiting threads, a recording, an incident."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import soundfile

from bench import bulk
from config.settings import load
from ivr import wiring as wirings
from ivr.console import mapping, menus, rehearsal, voice
from ivr.console.actors import Actor
from ivr.jobs.summarize import rebuild
from ivr.planfile import editing
from ivr.studies_cli import work_off
from ivr.syncing import Synced, known_source, settle
from ivr.wiring import Wiring
from models import erase, incidents, sources, threads
from models.sources import SourceRow
from models.threads import NewThread
from search.sources.thread import Reply, Thread

WHO = Actor("test", "Ada Byron")
CALLS = 300
LEAF = "mobile-voicemail"  # its callers are found an article by their choice alone
HOSTILE = "<script>alert(1)</script> & “Summer”"


@contextmanager
def wired(data_dir: Path) -> Iterator[Wiring]:
    """The parts of a running service, in this process."""
    wiring = wirings.build(load({"DATA_DIR": str(data_dir)}, dotenv=None), name="stock")
    try:
        wiring.load()
        yield wiring
    finally:
        wiring.close()


def calls(wiring: Wiring, count: int = CALLS, where: Sequence[bulk.Place] | None = None) -> None:
    """Callers of the last four weeks, with their words."""
    with wiring.pool.connection() as conn, erase.unhurried(conn):
        bulk.fill(conn, count, until=wiring.clock(), where=where, seal=wiring.numbers.seal)
    rebuild(wiring)


def draft(wiring: Wiring, name: str, *, faulty: bool) -> int:
    """A draft that changes one leaf; `faulty`: with an error and a warning."""
    with wiring.pool.connection() as conn:
        draft_id = menus.begin(conn, wiring, WHO, name)
        menus.edit(
            conn, wiring, WHO, draft_id, 1, lambda text: editing.change_leaf(text, LEAF, {"never_offer": "true"})
        )
        if faulty:
            menus.edit(conn, wiring, WHO, draft_id, 2, lambda text: text.replace("key: 3", "key: 4", 1))
    return draft_id


def threads_that_wait(wiring: Wiring, title: str) -> None:
    """A source of which nothing has an accepted answer."""
    now = wiring.clock()
    with wiring.pool.connection() as conn:
        row = SourceRow(
            "town", "discourse", "https://town.example", {}, None, "accepted", None, "en", "", False, 15, now
        )
        sources.add(conn, row)
        found = [_thread(one) for one in ("Router blinks orange after the storm", "Invoice came twice", title)]
        new = [NewThread(str(n), f"town:{n}", "1", one.as_json(), one.content_hash()) for n, one in enumerate(found, 1)]
        threads.put(conn, "town", new)
        settle(conn, known_source(conn, "town"), now, Synced(), believe=True)


def _thread(title: str) -> Thread:
    answer = "Hold the small button on the back for ten seconds until the light is white again."
    return Thread(
        title=title, question=f"{title}: what do I do, please?", replies=(Reply(answer, None, 2, False, None),),
        url="https://town.example/t/1", author=None, licence="", tags=(), language="en", created=None, changed=None,
        closed=False, hidden=False, solved=False, votes=0,
    )  # fmt: skip


def tone(seconds: float) -> bytes:
    """A file of sound."""
    file = io.BytesIO()
    at = np.arange(int(8000 * seconds)) / 8000
    soundfile.write(file, 0.2 * np.sin(2 * np.pi * 440 * at), 8000, format="WAV")
    return file.getvalue()


def stocked(
    wiring: Wiring, title: str = HOSTILE, where: Sequence[bulk.Place] | None = None, count: int = CALLS
) -> Mapping[str, object]:
    """All of it, with a draft and a thread of that title; what stands for each argument of an address."""
    calls(wiring, count, where)
    threads_that_wait(wiring, title)
    faulty = draft(wiring, title, faulty=True)
    sound = draft(wiring, "Winter menu", faulty=False)
    now = wiring.clock()
    with wiring.pool.connection() as conn:
        plan = wiring.plans.live(conn)
        voice.record(wiring, WHO, voice.prompt(conn, plan, "greeting", "en"), tone(2), "take 3.wav")
        incidents.start(
            conn, message={"en": "Our network is down in the north.", "es": "La red no funciona en el norte."},
            news={"en": "News at the link.", "es": "Noticias en el enlace."}, leaves=["mobile-no-signal"],
            starts_at=now, until=now + timedelta(hours=2), who="Ada Byron", why="a cable was cut",
        )  # fmt: skip
        mapping.ask(conn, wiring, WHO)
        study_id = rehearsal.ask(conn, wiring, WHO, sound, rehearsal.CHOICES[0])
        (call_sid,) = conn.execute("SELECT call_sid FROM facts WHERE name = 'clicked' LIMIT 1").fetchone() or ("",)
        (recording_id,) = conn.execute("SELECT id FROM recordings LIMIT 1").fetchone() or (0,)
    work_off(wiring)
    return {
        "draft_id": faulty, "sound_draft_id": sound, "study_id": study_id, "version": plan.version, "leaf_id": LEAF,
        "call_sid": call_sid, "recording_id": recording_id, "article_id": "router-not-online", "review_id": "town:1",
        "month": f"{now:%Y-%m}", "figure": "incremental",
    }  # fmt: skip
