"""Files of articles followed like any other source: a folder of Markdown, a CSV file, a file of JSON lines.

They are read as `search.importing` reads them. What is no more in the file is gone, except while something in it
cannot be read: then nobody can tell what is gone.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from search.article import Article
from search.importing import ImportRefused, ImportReport, read_articles, size_bytes
from search.records import Defaults
from search.sources.payload import read_cursor, write_cursor
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
            yield from self._read(cursor, write_cursor(files=here), progress)
        except ImportRefused as error:
            raise SourceError(str(error)) from None
        except OSError as error:
            raise SourceError(f"{self._path} cannot be read ({error.strerror})") from None

    def _read(self, before: str | None, after: str, progress: Progress) -> Iterator[Batch]:
        report = ImportReport()
        size = size_bytes(self._path)
        there: set[str] = set()
        raws: list[Raw] = []
        for article in read_articles(self._path, report, Defaults(language=_UNSAID)):
            there.add(article.id)
            version = hashlib.sha256(repr(article).encode("utf-8", "surrogatepass")).hexdigest()[:32]
            if self._known.get(article.id) != version:
                raws.append(_raw(article, version))
            if len(raws) == BATCH:
                progress(report.bytes_read, size)
                yield Batch(tuple(raws), before)
                raws.clear()
        progress(size, size)
        skipped = tuple(f"{one.where}: {one.reason}" for one in report.skipped[:MAX_SKIPPED])
        yield Batch(tuple(raws), after, None if skipped else frozenset(there), skipped)


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


def _state(path: Path) -> str:
    """Changes when a file is written, added, renamed or removed."""
    files = sorted(path.rglob("*.md")) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        status = file.lstat()
        digest.update(f"{file} {status.st_size} {status.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:32]


def _raw(article: Article, version: str) -> Raw:
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
        solved=article.accepted is not None,
        votes=article.votes,
        version=version,
    )
