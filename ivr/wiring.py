"""The only builder of real things: clock, stores, finder, carrier. Everything else is handed what it needs."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import redis
import structlog
from psycopg import Connection

from config import folders
from config.settings import Settings
from ivr import board as boards
from ivr import gate, menu_paths, recorded
from ivr.audio import Audio
from ivr.board import Board, News
from ivr.call.plan import Plan
from ivr.call.prompts import Prompt
from ivr.carrier import twiml
from ivr.carrier.sender import Sender
from ivr.index_news import IndexNews
from ivr.live import Plans, Queues, Recent
from ivr.places import Places
from ivr.spool import Spool
from ivr.texts.numbers import Numbers
from models import db, site
from models import texts as text_rows
from models.db import DatabaseAway
from search.calibration import UNANSWERABLE_SHARE
from search.door import Door
from search.encoder import Encoder, load_encoder
from search.holder import FinderHolder

log = structlog.get_logger()

RENDERED_KEPT = 4096
LOOK_S = 2.0  # a changed article is found within five seconds

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The time now, aware, UTC."""
    return datetime.now(UTC)


@dataclass
class Wiring:
    """What a process of the service works with."""

    settings: Settings
    clock: Clock
    pool: db.Pool
    redis: "redis.Redis"
    numbers: Numbers
    plans: Plans
    queues: Queues
    recent: Recent
    finders: FinderHolder
    sender: Sender
    audio: Audio
    board: Board
    spool: Spool
    places: Places
    development_account: bool  # its calls come from the test phone
    encoder: Encoder | None = None
    seals_texts: bool = False  # known of this database: see `ivr.kept_texts`
    unanswerable: float = UNANSWERABLE_SHARE  # of callers, as far as is known: see `ivr.gate`
    _rendered: dict[tuple[tuple[Prompt, ...], int, int, str, int], str] = field(default_factory=dict)
    _news: list[News] = field(default_factory=list)
    _live: Plan | None = None

    def __post_init__(self) -> None:
        self._index_news = IndexNews(self.finders, index_folder(self.settings), self._own_connection)

    def render(self, prompts: tuple[Prompt, ...], plan: Plan, turn: int, language: str) -> str:
        """Prompts as the carrier's document. Many callers hear the same at the same turn: those are kept."""
        key = (prompts, plan.version, turn, language, self.audio.edition)
        try:
            known = self._rendered.get(key)
        except TypeError:  # a task's attributes: no two callers share them
            return self._render(prompts, plan, turn)
        if known is None:
            if len(self._rendered) >= RENDERED_KEPT:
                self._rendered.clear()
            known = self._rendered[key] = self._render(prompts, plan, turn)
        return known

    def _render(self, prompts: tuple[Prompt, ...], plan: Plan, turn: int) -> str:
        return twiml.render(prompts, plan=plan, base_url=self.settings.public_base_url, turn=turn, audio=self.audio)

    def cancel_follow_ups(self, conn: Connection, call_sid: str) -> None:
        """An agent has the caller: no "did it help?" text later."""
        text_rows.cancel_follow_ups(conn, call_sid)

    def announce(self, what: str) -> None:
        """Tell all processes that a new "plan" or "index" is out, that "switches" were pulled or there is an "incident"
        begun or ended, or that there are other "recordings"."""
        boards.announce(self.redis, what)

    def warm(self) -> None:
        """Load the encoder and the live index, and keep looking for newer ones. For processes that search.

        Without a usable encoder there are pinned articles only; the log and `/readyz` say so. An index that is not on
        this machine yet is fetched while calls are answered without.
        """
        beside = threading.Thread(target=self._load_encoder)  # reading the plan takes as long
        beside.start()
        _tried(self.look_for_plan)
        _tried(self.look_at_recordings)
        beside.join()
        _tried(partial(self._bring_index, fetching=False))
        client = boards.connect(self.settings.redis_url.get_secret_value())
        looks = (
            self.look_at_queues,
            self.look_at_recordings,
            self._look_for_paths,
            self._bring_index,
            self._index_news.follow,
        )
        for look in looks:  # none waits for another
            self._news.append(News(client, look, LOOK_S))

    def load(self) -> None:
        """As `warm`, once: for commands that search. Raises what keeps it from searching."""
        self.encoder = load_encoder(self.settings.encoder, self.settings.encoder_model)
        self.look_for_plan()
        self._index_news.look(self.encoder)

    def _load_encoder(self) -> None:
        try:
            encoder = load_encoder(self.settings.encoder, self.settings.encoder_model)
            encoder.encode(["warm"])
            self.encoder = encoder
        except Exception:  # a network that finds no memory raises what its library likes
            log.exception("encoder_not_loaded")

    def look_for_plan(self) -> None:
        """Load the live plan, and what is known of callers."""
        with self.pool.connection() as conn:
            self.unanswerable = gate.callers(conn, self.clock()).unanswerable
            self._live = self.plans.live(conn)

    def look_at_queues(self) -> None:
        """See which switches are pulled, which incidents there are, and how fast the queues are answered."""
        with self.pool.connection() as conn:
            self.queues.look(conn)

    def look_at_recordings(self) -> None:
        """Take what people recorded, and the company's own music."""
        with self.pool.connection() as conn:
            self.audio.take(recorded.look(conn, self.audio.recorded))

    def _look_for_paths(self) -> None:
        self.look_for_plan()
        if self._live is not None:
            self.finders.tabulate(menu_paths.queries(self._live))

    def _bring_index(self, *, fetching: bool = True) -> None:
        if self.encoder is not None:
            self._index_news.bring(self.encoder, fetching=fetching)

    def _own_connection(self) -> Connection:
        """Outside of the pool, whose connections are lent for moments only."""
        url = self.settings.database_url.get_secret_value()
        return Connection.connect(url, autocommit=True, connect_timeout=2, options="-c statement_timeout=10000")

    def check_hash_key(self) -> None:
        """Refuse a hash key that is not the one this database was begun with: opt-outs and arms hang on it.

        A database that is away is asked as soon as it answers, before anything else. Raises RuntimeError.
        """
        self.pool.check_first(self._hash_key_stands)
        with suppress(DatabaseAway), self.pool.connection():
            pass

    def _hash_key_stands(self, conn: Connection) -> None:
        mine = self.settings.hash_key_fingerprint()
        if site.put_once(conn, "number_hash_key", mine) != mine:
            raise RuntimeError("NUMBER_HASH_KEY is not the one this database was begun with: put the old one back")

    def close(self) -> None:
        """Let go of everything."""
        for news in self._news:
            news.close()
        self.board.close()
        self.redis.close()
        self.pool.close()


def _tried(look: Callable[[], None]) -> None:
    try:
        look()
    except Exception:
        log.exception("news_not_taken")


def index_folder(settings: Settings) -> Path:
    """Where index bundles lie on this machine."""
    return settings.data_dir / "index"


def _door(settings: Settings) -> Door:
    """This process's share of the machine; most of its threads stay with callers who need no search."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Door(max(1, cores // settings.web_processes), max(1, settings.web_threads // 8))


def build(
    settings: Settings, clock: Clock = system_clock, *, name: str = "offhold", pool_size: int | None = None
) -> Wiring:
    """Everything real, from settings. Nothing is asked of the stores yet."""
    client = boards.connect(settings.redis_url.get_secret_value())
    numbers = Numbers(settings.hash_key(), settings.encryption_keys())
    return Wiring(
        settings=settings,
        clock=clock,
        pool=db.open_pool(
            settings.database_url.get_secret_value(),
            size=pool_size or settings.web_threads,
            statement_timeout_ms=2000,
            name=name,
        ),
        redis=client,
        numbers=numbers,
        plans=Plans(),
        queues=Queues(clock),
        recent=Recent(),
        finders=FinderHolder(_door(settings)),
        sender=Sender.from_settings(settings),
        audio=Audio(),
        board=Board(client),
        places=Places(settings.web_threads),
        spool=Spool(folders.spool_folder(settings.data_dir), numbers.seal, numbers.open),
        development_account=settings.development_account,
    )
