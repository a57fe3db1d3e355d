"""Which calls waiting threads would serve: the real search asked on the calls of late."""

import itertools
from dataclasses import replace

from bench import bulk
from ivr.articles_cli import build_index
from ivr.console import reviews
from ivr.console.actors import Actor
from ivr.jobs.summarize import rebuild
from ivr.studies_cli import work_off
from ivr.wiring import Wiring
from search.sources.thread import Thread
from tests.ivr.web.console.test_reviews import put, thread

PARROT, BREAD = "My parrot unplugs the router every night", "How long does sourdough bread bake"
SAID = ("my parrot unplugs the router every night", "um hello")


def about(title: str, *tags: str) -> Thread:
    return replace(thread(1), title=title, question=f"{title}. What can I do?", tags=tags)


def test_threads_serve_callers_who_say_so_at_leaves_that_allow_their_tags(wiring: Wiring) -> None:
    put(wiring, {1: about(PARROT, "internet"), 2: about(BREAD, "internet"), 3: about(f"{PARROT}!", "birds")})
    build_index(wiring.settings, threads=1)
    wiring.load()
    said = itertools.cycle(SAID)
    with wiring.pool.connection() as conn:
        bulk.fill(conn, 60, until=wiring.clock(), days=20, seal=lambda _: wiring.numbers.seal(next(said)))
    rebuild(wiring)
    with wiring.pool.connection() as conn:
        reviews.ask(conn, wiring, Actor(1, "Editor"))
        assert work_off(wiring) == 1
        queue = reviews.queue(conn, "", "", None)
    assert queue.counting is None
    assert queue.counted is not None
    told = queue.counted.told
    assert told is not None
    assert (told["threads"], told["left"]) == (3, 0)
    assert told["calls"] > 0
    assert [(line.article_id, line.calls > 0) for line in queue.lines] == [
        ("town:1", True),
        ("town:2", False),
        ("town:3", False),
    ]
