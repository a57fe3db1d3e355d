"""Where a story is played: the real app on the real stores, the carrier of the desk, and one clock for both."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from flask import Flask
from redis import Redis

from config.settings import Settings, load
from ivr import wiring as wirings
from ivr.app import create_app
from ivr.jobs.erase_old import erase_old
from ivr.jobs.times import DEFAULT
from ivr.jobs.worker import drain
from ivr.landing import Landing
from ivr.live import Queues
from ivr.phone.engine import Carrier
from ivr.phone.server import rest_app, running
from ivr.phone.signing import Pairs
from ivr.phone.story import Story
from ivr.phone.story_play import Hooks, StoryResult, play_story
from ivr.phone.transport import Answer, FlaskTransport
from ivr.spool import Spool
from ivr.texts.numbers import country, prefix
from ivr.wiring import Wiring
from models import articles, facts, incidents, numbers, optouts, plans, switches, text_counts, texts
from models.texts import NewText
from tests.databases import copied
from tests.record import Record, read_record, unlike
from tests.scenery import (
    COMMUNITY,
    NOON,
    PUBLIC,
    EveryOther,
    ReadOnce,
    Scenery,
    environment,
    finder_of,
    patched,
)

ACCOUNT, TOKEN, NUMBER = "AC" + "5" * 32, "the token of a company's own account", "+15005550006"


class _Ears:
    """The way to the app, noting what the queue told it."""

    def __init__(self, app: Flask) -> None:
        self.hear_with(app)
        self.results: list[str] = []

    def hear_with(self, app: Flask) -> None:
        self._send = FlaskTransport(app)

    def __call__(self, method: str, url: str, form: Pairs, headers: Mapping[str, str]) -> Answer:
        answer = self._send(method, url, form, headers)
        for name, value in form:
            if name == "QueueResult" and answer.status < 400 and value not in self.results:
                self.results.append(value)
        return answer


class Stage:
    """One story's world."""

    def __init__(self, scenery: Scenery, story: Story, parts: ExitStack) -> None:
        self.scenery, self.story = scenery, story
        given = dict(story.given)
        database = f"story_{uuid4().hex[:12]}"
        parts.enter_context(copied(scenery.admin_url, scenery.database, database))
        own = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN, "TWILIO_SENDER_NUMBER": NUMBER}
        more = {**(own if given.pop("own_account", False) else {}), **given.pop("settings", {})}
        settings_given = environment(scenery.url(database), scenery.redis_url, scenery.folder, **more)
        account = load(settings_given, dotenv=None)
        self.carrier = Carrier(
            account.twilio_account_sid,
            account.twilio_auth_token[0].get_secret_value(),
            PUBLIC,
            transport=_deaf,
            start=_instant(given.pop("at", NOON)),
        )
        self._rest = rest_app(self.carrier)
        self._server = ExitStack()
        parts.enter_context(self._server)
        self.api = self._server.enter_context(running(self._rest))
        self._environment = {**settings_given, "TWILIO_API_BASE_URL": self.api}
        self.wiring = self._wired(load(self._environment, dotenv=None), str(given.pop("finder", "real")))
        parts.callback(self._unwire)
        self.app = create_app(self.wiring)
        self.ears = _Ears(self.app)
        self.carrier.webhooks.transport = self.ears
        self.working = True
        self._given = given

    def _wired(self, settings: Settings, finder: str) -> Wiring:
        def clock() -> datetime:
            return self.carrier.now

        built = wirings.build(settings, clock, name="story", pool_size=4)
        found = finder_of(self.scenery, finder)
        if found is not None:
            built.finders.swap(found)
        queues = Queues(clock, look_again_s=0)
        numbers, kept = built.numbers, self.scenery.folder / f"spool-{uuid4().hex[:12]}"  # no story lands another's
        return replace(
            built, plans=ReadOnce(), queues=queues, recent=EveryOther(), encoder=self.scenery.encoder,
            spool=Spool(kept, numbers.seal, numbers.open),
        )  # fmt: skip

    def _unwire(self) -> None:
        self.wiring.close()
        for client in {self.wiring.sender._client, self.wiring.sender._quick}:
            client.http_client.session.close()

    def play(self, *, twice: bool) -> tuple[StoryResult, Record]:
        """Play the story to its end: what came of it, and what is on record then."""
        hooks = Hooks(
            settle=self.settle,
            given=lambda _: self.meanwhile(self._given),
            rest=self.rest,
            flushall=self.forget,
            expects=self.expects,
            meanwhile=self.meanwhile,
        )
        result = play_story(self.story, self.carrier, hooks=hooks, pace=self, double=twice)
        return result, self.record()

    # ---- time

    def on(self, carrier: Carrier, limit_s: float) -> None:
        """Straight to the next thing due, at the carrier or among our own texts (see `Pace`)."""
        due = self._next_text()
        ahead = (due - carrier.now).total_seconds() if due else 0.0
        carrier.advance_to_next(min(limit_s, ahead) if ahead > 0 else limit_s)

    def settle(self) -> None:
        """What was kept lands; and the worker, where there is one and it has something to do."""
        Landing(self.wiring).land()
        due = self._next_text()
        if due is not None and due <= self.carrier.now:
            self.work()

    def _next_text(self) -> datetime | None:
        """When a text of ours is due to be sent, given up or looked up next."""
        with self.wiring.pool.connection() as conn:
            row = conn.execute(
                "SELECT min(CASE status WHEN 'sending' THEN lease_until ELSE due_at END) FROM texts"
                " WHERE status IN ('queued', 'sending', 'unknown') AND settled_at IS NULL"
            ).fetchone()
        return row[0] if row else None

    def work(self) -> None:
        if self.working:
            drain(self.wiring)

    def rest(self, _: timedelta) -> None:
        """Days go by: what is old is erased."""
        self.work()
        if self.working:
            erase_old(self.wiring)

    def forget(self) -> None:
        with Redis.from_url(self.scenery.redis_url) as client:
            client.flushall()

    # ---- the company's side

    def meanwhile(self, events: Mapping[str, Any]) -> None:
        """What happens at the company, the carrier or in the world while the caller calls."""
        for name, value in events.items():
            getattr(self, f"_{name}")(value)

    def _plan(self, patch: Mapping[str, Any]) -> None:
        text = patched(patch)
        ReadOnce.read(text)
        with self.wiring.pool.connection() as conn:
            plans.publish(conn, text, "tests", "the story wants it", at=self.carrier.now)

    def _restarts(self, settings: Mapping[str, str]) -> None:
        """The service begins anew, with other settings."""
        self._unwire()
        self.wiring = self._wired(load({**self._environment, **settings}, dotenv=None), "real")
        self.app = create_app(self.wiring)
        self.ears.hear_with(self.app)

    def _withdraws(self, article_id: str) -> None:
        with self.wiring.pool.connection() as conn:
            assert articles.withdraw(conn, (article_id,)) == [article_id]

    def _lapses(self, article_id: str) -> None:
        """Its source has it no more."""
        with self.wiring.pool.connection() as conn:
            kept = [one for one in articles.of_source(conn, COMMUNITY.stem) if one != article_id]
            assert articles.lapse_others(conn, COMMUNITY.stem, kept) == 1

    def _article(self, changes: Mapping[str, Any]) -> None:
        """Changes to one article of the community, `id` names it."""
        with self.wiring.pool.connection() as conn:
            article = articles.read(conn, changes["id"])
            assert article is not None
            articles.upsert_many(conn, [replace(article, **changes)], "story")

    def _unnames(self, author: str) -> None:
        with self.wiring.pool.connection() as conn:
            articles.unname(conn, author)

    def _closes(self, queue: str) -> None:
        with self.wiring.pool.connection() as conn:
            plans.switch_queue(conn, queue, closed=True, who="tests", why="a meeting", at=self.carrier.now)

    def _stops_offers(self, queue: str) -> None:
        """Of a queue, or of `all`."""
        self._switch(queue, stopped=True)

    def _lets_offers_go_on(self, queue: str) -> None:
        self._switch(queue, stopped=False)

    def _switch(self, queue: str, *, stopped: bool) -> None:
        name = switches.ALL if queue == "all" else queue
        with self.wiring.pool.connection() as conn:
            switches.pull(conn, name, stopped=stopped, who="tests", why="the story wants it", at=self.carrier.now)

    def _incident(self, told: Mapping[str, Any]) -> None:
        """`message` and `news` by language, the `leaves` concerned (none named: all), `for_s` seconds."""
        now = self.carrier.now
        until = now + timedelta(seconds=told["for_s"])
        with self.wiring.pool.connection() as conn:
            incidents.start(
                conn, message=told["message"], news=told.get("news", {}), leaves=told.get("leaves"), starts_at=now,
                until=until, who="tests", why="the story wants it",
            )  # fmt: skip

    def _ends_incident(self, number: int) -> None:
        with self.wiring.pool.connection() as conn:
            assert incidents.end(conn, number, who="tests", why="mended", at=self.carrier.now)

    def _answers(self, lately: Mapping[str, Any]) -> None:
        """Calls that agents answered until now, one every so many seconds."""
        with self.wiring.pool.connection() as conn:
            for n in range(lately["count"]):
                at = self.carrier.now - timedelta(seconds=n * lately["every_s"])
                facts.add(conn, f"CA{n:032x}", "agent_connected", at, {"queue": lately["queue"], "waited_s": 60})

    def _opted_out(self, number: str) -> None:
        with self.wiring.pool.connection() as conn:
            optouts.opt_out(conn, self.wiring.numbers.key(number), self.carrier.now - timedelta(days=40), "reply")

    def _texted(self, earlier: Mapping[str, Any]) -> None:
        """Texts a number got in other calls, `ago_h` hours ago; or `in_this_call`, about these articles."""
        key = self.wiring.numbers.key(earlier["to"])
        at = self.carrier.now - timedelta(hours=earlier["ago_h"])
        here = earlier.get("in_this_call", [])
        with self.wiring.pool.connection() as conn:
            kept = numbers.keep(conn, key, self.wiring.numbers.seal(earlier["to"]), at)
            for n in range(earlier["count"]):
                call = list(self.carrier.calls)[-1] if here else f"CA{n + 900:032x}"
                new = NewText(
                    id=uuid4().hex, call_sid=call, article_id=here[n] if here else f"earlier-{n}", kind="link",
                    caller_key=key, to_key=key, number_id=kept, from_number=NUMBER, language="en", leaf=None,
                    topic="", discreet=False,
                    path=(), body="earlier", segments=1, token=uuid4().hex[:11], typed=earlier.get("typed", False),
                    test=False, due_at=at, created_at=at, expires_at=at, status="delivered",
                    prefix_key=self.wiring.numbers.key(prefix(earlier["to"])),
                )  # fmt: skip
                texts.queue(conn, new)
                text_counts.add(conn, country(earlier["to"]), at)

    def _carrier_blocks(self, number: str) -> None:
        self.carrier.texts.blocked.add((number, NUMBER))

    def _takes_no_texts(self, number: str) -> None:
        self.carrier.texts.handset(number).line_type = "landline"

    def _line(self, number: str) -> None:
        self.carrier.add_line(number, "Second number", "/voice/incoming")

    def _carrier(self, knobs: Mapping[str, Any] | str) -> None:
        """`down`, `up`, or what it does badly."""
        if knobs == "down":
            self._server.close()
        elif isinstance(knobs, str):
            self._server.enter_context(running(self._rest, int(self.api.rsplit(":", 1)[1])))
        else:
            for name, value in knobs.items():
                setattr(self.carrier.faults, name, value)

    def _worker(self, what: str) -> None:
        """`stops`, `starts`, or `dies` at the instant after it took the text that waits."""
        self.working = what != "stops"
        if what == "dies":
            with self.wiring.pool.connection() as conn:
                (waiting,) = texts.due(conn, self.carrier.now, timedelta(0)).queued
                assert texts.claim(conn, waiting, self.carrier.now, DEFAULT.lease) is not None
                conn.execute("DELETE FROM procrastinate_jobs")

    # ---- what is looked at

    def record(self) -> Record:
        """What is on record now."""
        sids = [*self.carrier.calls, *(message.sid for message in self.carrier.texts.inbound)]
        accepted = sum(message.direction == "outbound-api" for message in self.carrier.messages)
        with self.wiring.pool.connection() as conn:
            return read_record(conn, sids, accepted, tuple(self.ears.results))

    def expects(self, wishes: Mapping[str, Any], _: StoryResult) -> list[str]:
        """See `Hooks.expects`."""
        problems = []
        for name, wish in wishes.items():
            match name:
                case "agent_reads":
                    page = self._agents_page()
                    problems += [f"the agent does not read {one!r} in {page!r}" for one in wish if one not in page]
                case "task":
                    task = json.loads(self.carrier.tasks[-1][2])
                    problems += [f"task: {key} is {task.get(key)!r}" for key in wish if task.get(key) != wish[key]]
                case "dialled":
                    if [number for _, number in self.carrier.dialled] != wish:
                        problems.append(f"dialled {self.carrier.dialled}")
                case "ready":
                    status = self.app.test_client().get("/readyz", base_url=PUBLIC).status_code
                    problems += [] if status == wish else [f"readyz: {status}"]
                case _:
                    problems += unlike(self.record(), {name: wish})
        return problems

    def _agents_page(self) -> str:
        agents = [call.sid for call in self.carrier.calls.values() if call.line.friendly_name == "Agents"]
        got = self.app.test_client().get("/agent", query_string={"call": agents[-1]}, base_url=PUBLIC)
        return " ".join(got.get_data(as_text=True).split())


def _instant(at: datetime | str) -> datetime:
    return at if isinstance(at, datetime) else datetime.fromisoformat(at)


def _deaf(method: str, url: str, form: Pairs, headers: Mapping[str, str]) -> Answer:
    raise AssertionError("the app is not there yet")
