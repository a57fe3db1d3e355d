"""A web site on this machine: answers by path, each with an ETag."""

import hashlib

from search.sources.fetching import Fetcher
from search.sources.source import Batch, Fetched, Gone, Place, Raw, Source
from tests.search.sources.standins import Answer, Asked, StandIn


class Site(StandIn):
    """`pages`: path -> (content type, body)."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[str, tuple[str, bytes]] = {}

    def answer(self, asked: Asked) -> Answer:
        kind, body = self.pages.get(asked.path, ("", b""))
        if not kind:
            return Answer(404)
        return Answer(body=body, headers={"Content-Type": kind, "ETag": f'"{hashlib.sha256(body).hexdigest()[:12]}"'})


class Pull:
    """What one pull of a source gave; `slept` are the waits it was made to take, in seconds."""

    def __init__(self, source: Source, cursor: str | None = None) -> None:
        self.slept: list[float] = []
        fetch = Fetcher("Offhold/1", allow_private=True, per_second=1e6, sleep=self.slept.append)
        self.batches: list[Batch] = list(source.changes(cursor, fetch, lambda done, of: None))
        changes = [change for batch in self.batches for change in batch.changes]
        self.raws = [change for change in changes if isinstance(change, Raw)]
        self.gone = [change.id for change in changes if isinstance(change, Gone)]
        self.cursor = self.batches[-1].cursor
        listing = self.batches[-1].listing
        self.listing = None if listing is None else set(listing)
        self.skipped = [one for batch in self.batches for one in batch.skipped]
        self.known = {raw.id: raw.version for raw in self.raws}


class NoNetwork:
    """For kinds that read files."""

    def __call__(self, url: str, **more: object) -> Fetched:
        raise AssertionError(f"asked the network for {url}")

    def at_most(self, host: str, per_second: float) -> None:
        raise AssertionError("asked the network")


def pull_files(source: Source, cursor: str | None = None) -> list[Batch]:
    return list(source.changes(cursor, NoNetwork(), lambda done, of: None))


def place(url: str, known: dict[str, str] | None = None, *, full: bool = False, **options: str) -> Place:
    return Place(url, known=known or {}, full=full, options=options)


def raws(batch: Batch) -> list[Raw]:
    """The threads of a batch that says of none that it is gone."""
    assert not any(isinstance(change, Gone) for change in batch.changes)
    return [change for change in batch.changes if isinstance(change, Raw)]
