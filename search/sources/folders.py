"""Files of articles followed like any other source: a folder of Markdown, a CSV file, a file of JSON lines.

They are read as `search.importing` reads them. What is no more in the file is gone, except while something in it
cannot be read that may be an article of ours: then nobody can tell what is gone.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from search.article import Article
from search.importing import ImportRefused, ImportReport, read_records, reasons, size_bytes
from search.records import Defaults
from search.sources.payload import moment, read_cursor, text, write_cursor
from search.sources.source import Batch, Fetch, Place, Progress, Raw, RawAnswer, SourceError

BATCH = 200
MAX_SKIPPED = 100
_UNSAID = "und"  # ISO 639: undetermined


class _Files:
    """What the three kinds share; `place.url` is a path."""

    kind: ClassVar[str]
    options: ClassVar[frozenset[str]] = frozenset()
    suffixes: ClassVar[tuple[str, ...]]  # none: a folder

    def __init__(self, place: Place) -> None:
        self._path = Path(place.url)
        self._known = place.known
        if self.suffixes and self._path.suffix.lower() not in self.suffixes:
            raise SourceError(f"{self._path} is no file that ends in {' or '.join(self.suffixes)}")

    def changes(self, cursor: str | None, fetch: Fetch, progress: Progress) -> Iterator[Batch]:
        """See `source.Source`. The cursor names sizes and dates: files that are the same are not read."""
        try:
            if not self.suffixes and not self._path.is_dir():
                raise SourceError(f"{self._path} is no folder")
            here = _state(self._path)
            if read_cursor(cursor).get("files") == here:
                yield Batch((), cursor)
                return
            yield from self._read(cursor, here, progress)
        except ImportRefused as error:
            raise SourceError(str(error)) from None
        except OSError as error:
            raise SourceError(f"{self._path} cannot be read ({error.strerror})") from None

    def _read(self, before: str | None, here: str, progress: Progress) -> Iterator[Batch]:
        report = ImportReport()
        size = size_bytes(self._path)
        there: set[str] = set()
        raws: list[Raw] = []
        for article, record in read_records(self._path, report, Defaults(language=_UNSAID)):
            there.add(article.id)
            created = _moment(record, "created", "date")
            raw = _raw(article, created, _moment(record, "updated", "changed") or created)
            if self._known.get(article.id) != raw.version:
                raws.append(raw)
            if len(raws) == BATCH:
                progress(report.bytes_read, size)
                yield Batch(tuple(raws), before)
                raws.clear()
        progress(size, size)
        skipped = tuple(f"{one.where}: {one.reason}" for one in report.skipped[:MAX_SKIPPED])
        known_unfit = text(read_cursor(before).get("unfit"))
        unfit = self._unfit(report, known_unfit, missing=bool(self._known.keys() - there))
        after = write_cursor(files=here, unfit=known_unfit if unfit is None else unfit)
        yield Batch(tuple(raws), after, None if unfit is None else frozenset(there), skipped)

    def _unfit(self, report: ImportReport, known: str, *, missing: bool) -> str | None:
        """What cannot be read and is none of our articles, such as a README: it was so (`known`) when none of them was
        missing. None when one is missing, and more than that cannot be read."""
        now = [one.where for one in report.skipped] if not self.suffixes else [*_each_reason(report)]
        return "\n".join(now) if not missing or Counter(now) <= Counter(known.split("\n")) else None


class MarkdownFolder(_Files):
    """A folder of .md files, each with front matter."""

    kind = "markdown"
    suffixes = ()


class CsvFile(_Files):
    """A CSV file with the columns id and title."""

    kind = "csv"
    suffixes = (".csv",)


class JsonlFile(_Files):
    """A file of JSON objects, one a line."""

    kind = "jsonl"
    suffixes = (".jsonl", ".ndjson")


def _each_reason(report: ImportReport) -> Iterator[str]:
    for reason, count in reasons(report.skipped).items():
        yield from [reason] * count


def _state(path: Path) -> str:
    """Changes when a file is written, added, renamed or removed."""
    files = sorted(path.rglob("*.md")) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        status = file.lstat()
        digest.update(f"{file} {status.st_size} {status.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:32]


def _moment(record: Mapping[str, object], *names: str) -> datetime | None:
    """The first time that is told, ISO 8601; YAML has made one of it already."""
    return next((at for name in names if (at := moment(str(record.get(name) or "")))), None)


def _raw(article: Article, created: datetime | None, changed: datetime | None) -> Raw:
    told = repr((article, created, changed)) if changed else repr(article)
    return Raw(
        id=article.id,
        url=article.url,
        title=article.title,
        question_text=article.question,
        answers=tuple(
            RawAnswer(text=answer.text, author=answer.author, votes=answer.votes, accepted=answer.accepted)
            for answer in article.answers
        ),
        author=article.author,
        licence=article.licence,
        tags=article.tags,
        language=None if article.language == _UNSAID else article.language,
        created=created,
        changed=changed,
        solved=article.accepted is not None,
        votes=article.votes,
        version=hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32],
    )
