"""Stack Exchange data dumps: Posts.xml, with Users.xml beside it for the authors' names.

The format: one <row/> a post, its columns attributes, an empty column an absent attribute; PostTypeId 1 is a question,
2 an answer (meta.stackexchange.com/questions/2677). Texts are CC BY-SA in the version each row names, so author, link
and licence are kept.
"""

import json
import re
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, ClassVar

from search.sources.payload import moment, read_cursor, write_cursor
from search.sources.source import Batch, Fetch, Place, Progress, Raw, RawAnswer, SourceError
from search.sources.xml_stream import elements

BATCH = 200
MAX_ANSWERS = 20  # of one question: the accepted one and those with the most votes
_KEPT = (
    *("Title", "Body", "Tags", "CreationDate", "LastActivityDate", "LastEditDate", "Score", "ClosedDate"),
    *("OwnerUserId", "OwnerDisplayName", "ContentLicense", "AcceptedAnswerId"),
)
_NUMBER = re.compile(r"-?[0-9]{1,12}")
Row = Mapping[str, str]


class StackExchange:
    """A dump in a folder, or its Posts.xml. `site` ("superuser.com") makes the links to the questions."""

    kind: ClassVar[str] = "stack-exchange"
    options: ClassVar[frozenset[str]] = frozenset({"site"})

    def __init__(self, place: Place) -> None:
        path = Path(place.url)
        self._posts = path / "Posts.xml" if path.is_dir() else path
        if self._posts.suffix.lower() == ".7z":
            raise SourceError(f"{path} is packed: unpack it and name the folder")
        self._site = place.options.get("site", "")
        if self._site and not re.fullmatch(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", self._site):
            raise SourceError("a site is named by its host, such as superuser.com")
        self._known = place.known

    def changes(self, cursor: str | None, fetch: Fetch, progress: Progress) -> Iterator[Batch]:
        """See `source.Source`. The cursor names the file's size and date: a dump that is the same is not read."""
        try:
            status = self._posts.stat()
            here = f"{status.st_size} {status.st_mtime_ns}"
            if read_cursor(cursor).get("dump") == here:
                yield Batch((), cursor)
                return
            with self._posts.open("rb") as file, TemporaryFile() as spool:
                posts = _Posts(spool)
                posts.read(file, status.st_size, progress, self._posts.name)
                names = self._names(posts.owners)
                yield from self._batches(posts, names, cursor, write_cursor(dump=here))
        except OSError as error:
            raise SourceError(f"{self._posts} cannot be read ({error.strerror})") from None

    def _batches(self, posts: "_Posts", names: Mapping[str, str], before: str | None, after: str) -> Iterator[Batch]:
        raws: list[Raw] = []
        there: set[str] = set()
        for number in posts.questions:
            if not (answers := posts.answers.get(number)):
                continue
            there.add(str(number))
            raw = self._raw(number, posts, answers, names)
            if self._known.get(raw.id) != raw.version:
                raws.append(raw)
            if len(raws) == BATCH:
                yield Batch(tuple(raws), before)
                raws.clear()
        if not there:
            raise SourceError(f"{self._posts.name} holds no question with an answer")
        yield Batch(tuple(raws), after, frozenset(there), tuple(posts.skipped))

    def _raw(self, number: int, posts: "_Posts", answers: "array[int]", names: Mapping[str, str]) -> Raw:
        question = posts.row(number)
        accepted = _number(question.get("AcceptedAnswerId"))
        best = sorted((posts.row(one) | {"Id": str(one)} for one in answers), key=lambda row: _rank(row, accepted))
        kept = sorted(best[:MAX_ANSWERS], key=lambda row: int(row["Id"]))
        licences = sorted({row["ContentLicense"] for row in (question, *kept) if row.get("ContentLicense")})
        edits = max((row.get("LastEditDate") or row.get("CreationDate", "") for row in kept), default="")
        changed = max(edits, question.get("LastActivityDate") or question.get("CreationDate", ""))
        votes = _number(question.get("Score"))
        return Raw(
            id=str(number),
            url=f"https://{self._site}/questions/{number}" if self._site else "",
            title=question.get("Title", ""),
            question_html=question.get("Body", ""),
            answers=tuple(
                RawAnswer(
                    html=row.get("Body", ""),
                    author=_author(row, names),
                    votes=_number(row.get("Score")),
                    accepted=int(row["Id"]) == accepted,
                    created=moment(row.get("CreationDate")),
                )
                for row in kept
            ),
            author=_author(question, names),
            licence=", ".join(licences) or "CC BY-SA",
            tags=tuple(re.findall(r"[^<>|]+", question.get("Tags", "")[:500])),
            created=moment(question.get("CreationDate")),
            changed=moment(changed),
            closed="ClosedDate" in question,
            solved=any(int(row["Id"]) == accepted for row in kept),
            votes=votes,
            version=f"{changed} {accepted} {len(answers)} {votes}",
        )

    def _names(self, wanted: set[str]) -> dict[str, str]:
        users = self._posts.with_name("Users.xml")
        names: dict[str, str] = {}
        if users.is_file():
            with users.open("rb") as file:
                for row in elements(file, ("row",), users.name):
                    if (number := row.get("Id", "")) in wanted and (name := row.get("DisplayName")):
                        names[number] = name
        return names


@dataclass
class _Posts:
    """All posts of a dump: their texts in a file of our own, only numbers in memory (some 100 bytes a post)."""

    spool: IO[bytes]
    questions: "array[int]" = field(default_factory=lambda: array("q"))
    answers: dict[int, "array[int]"] = field(default_factory=dict)
    owners: set[str] = field(default_factory=set)
    skipped: list[str] = field(default_factory=list)
    _place: dict[int, int] = field(default_factory=dict)

    def read(self, file: IO[bytes], size: int, progress: Progress, name: str) -> None:
        """Everything of Posts.xml. Raises `SourceError`."""
        for count, row in enumerate(elements(file, ("row",), name), start=1):
            kind, number = row.get("PostTypeId"), _number(row.get("Id"))
            if kind not in ("1", "2"):
                continue  # wikis of tags, nominations
            parent = _number(row.get("ParentId"))
            if number <= 0 or number in self._place or (kind == "2" and parent <= 0):
                if len(self.skipped) < 100:
                    self.skipped.append(
                        f"row {count}: has no number of its own" if kind == "1" else f"row {count}: answers nothing"
                    )
                continue
            if kind == "1":
                self.questions.append(number)
            else:
                self.answers.setdefault(parent, array("q")).append(number)
            self._keep(number, {column: row.get(column, "") for column in _KEPT if column in row.attrib})
            if not count % 1000:
                progress(file.tell(), size)
        progress(size, size)

    def _keep(self, number: int, row: dict[str, str]) -> None:
        self._place[number] = self.spool.tell()
        self.spool.write(json.dumps(row).encode() + b"\n")
        if owner := row.get("OwnerUserId"):
            self.owners.add(owner)

    def row(self, number: int) -> dict[str, Any]:
        """The columns of one post."""
        self.spool.seek(self._place[number])
        row: dict[str, Any] = json.loads(self.spool.readline())
        return row


def _rank(row: Row, accepted: int) -> tuple[bool, int, int]:
    return int(row["Id"]) != accepted, -_number(row.get("Score")), int(row["Id"])


def _author(row: Row, names: Mapping[str, str]) -> str | None:
    return names.get(row.get("OwnerUserId", "")) or row.get("OwnerDisplayName") or None


def _number(value: str | None) -> int:
    return int(value) if value and _NUMBER.fullmatch(value) else 0
