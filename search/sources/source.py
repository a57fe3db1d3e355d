"""What every kind of source gives: its threads as they stand there now, and word of those that are gone.

A kind pulls; it does not clean, judge or store. What it hands out comes from outside and is not trusted.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Protocol


class SourceError(Exception):
    """Why a source cannot be pulled, in words for a manager. What was pulled before stays."""


class NotThere(SourceError):
    """The source answered 404 or 410: for one thread this means that it is gone."""


class NotAllowed(SourceError):
    """The source answered 401 or 403: this thread is not for everybody, or our key is not good."""


class TooBig(SourceError):
    """The answer is longer than one may be."""


class Paused(SourceError):
    """This pull has taken as long as one may, or is to stop; the next one goes on after what was stored. `after_s`: the
    source asks not to be asked again before so many seconds have passed."""

    def __init__(self, why: str, after_s: float | None = None) -> None:
        super().__init__(why)
        self.after_s = after_s


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """One answer as the source has it: `html`, or `text` where the source has plain text; never both."""

    html: str = ""
    text: str = ""
    author: str | None = None
    votes: int = 0
    accepted: bool = False
    created: datetime | None = None  # aware, UTC


@dataclass(frozen=True, slots=True)
class Raw:
    """One thread as the source has it. `answers` are in the order of the source, the oldest first.

    `id` is stable within the source and any text; times are aware, UTC; `language` is None where the source
    does not say; `votes` are those of the question. A thread that callers must not get is still given, with
    `closed` or `hidden` set: that is how it is taken out again.
    """

    id: str
    url: str
    title: str
    question_html: str = ""
    question_text: str = ""
    answers: tuple[RawAnswer, ...] = ()
    author: str | None = None
    licence: str = ""
    tags: tuple[str, ...] = ()
    language: str | None = None
    created: datetime | None = None
    changed: datetime | None = None
    closed: bool = False
    hidden: bool = False
    solved: bool = False
    votes: int = 0
    version: str = ""  # changes when the listing shows that the thread did; given back in `Place.known`


@dataclass(frozen=True, slots=True)
class Gone:
    """The source has this thread no more."""

    id: str


Change = Raw | Gone


@dataclass(frozen=True, slots=True)
class Batch:
    """Some changes, and where to go on after them.

    `cursor` is what `changes` is given the next time if the pull ends here; it may hold validators (ETag) too.
    `listing`, on the last batch of a pull at most, holds the id of every thread the source has now: what we have
    and it does not is gone. None: this pull cannot tell (a feed never can).
    `skipped` says, with its place, what could not be read and was left out.
    """

    changes: tuple[Change, ...]
    cursor: str | None
    listing: frozenset[str] | None = None
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer to a request: `status` is 200, or 304 (not changed, `body` empty) if a validator was sent.

    `url` is the one that answered, after redirects; `content_type` is bare and in small letters.
    """

    url: str
    status: int
    body: bytes
    content_type: str = ""
    charset: str | None = None
    etag: str | None = None
    last_modified: str | None = None


class Fetch(Protocol):
    """The only way to the network: see `fetching.Fetcher`."""

    def __call__(
        self,
        url: str,
        *,
        accept: tuple[str, ...],
        headers: Mapping[str, str] | None = None,
        etag: str | None = None,
        last_modified: str | None = None,
    ) -> Fetched:
        """GET `url`. `accept` lists the content types that will do ("application/json"; a "text/*" is allowed).

        Waits as the server's Retry-After and the host's rate demand. Raises `NotThere` for 404 and 410 and
        `SourceError` for everything else that is not a good answer.
        """

    def at_most(self, host: str, per_second: float) -> None:
        """From now on ask this host no oftener (a robots.txt's crawl delay)."""


#: (threads done, threads in all or None while nobody knows); in a folder or a dump they may be bytes
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Place:
    """Where a source is and how it is to be read. `url` is a web address, or a path for kinds that read files.

    `user` and `secret` come from the environment variable named with the source, never from the database.
    `options` are the kind's own (a Discourse category, a Zendesk locale), as `KIND.options` lists them.
    `known` holds the version of each thread we have. `full` asks for a listing of everything, where that costs
    much and is done once a day only.
    """

    url: str
    user: str | None = None
    secret: str | None = field(default=None, repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, str] = field(default_factory=dict)
    full: bool = False


class Source(Protocol):
    """One kind of source at one place."""

    kind: ClassVar[str]
    options: ClassVar[frozenset[str]]

    def __init__(self, place: Place) -> None:
        """Raises `SourceError` when the place or an option cannot be right; asks nothing of the network."""

    def changes(self, cursor: str | None, fetch: Fetch, progress: Progress) -> Iterator[Batch]:
        """What has changed since `cursor` (None: everything), in batches of at most some hundred threads.

        A cursor that cannot be read counts as None. The pull ends by itself: pages, threads and sizes have caps,
        and a source that leads in a circle raises `SourceError`, as does all that is broken beyond one thread.
        """
