"""Article files read record by record: JSON lines, CSV, or a folder of Markdown.

A bad record is skipped and reported with its place and reason. A file of many is refused whole when it is not
UTF-8, is of an unknown kind or holds no valid record, so that what was live stays live.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from search.article import Article
from search.records import Defaults, RecordError, article_from

MAX_RECORD_BYTES = 4_000_000
REFUSED_FOR = 3  # reasons that a refusal tells; of the others it says how many there are
_CHUNK = 1 << 16


class ImportRefused(ValueError):
    """The file as a whole cannot be imported."""


@dataclass(frozen=True)
class Skipped:
    """A record left out: where it stands ("line 7", or a file name) and why."""

    where: str
    reason: str


@dataclass
class ImportReport:
    """What an import has met so far; complete when the articles are used up."""

    kept: int = 0
    bytes_read: int = 0
    skipped: list[Skipped] = field(default_factory=list)


def size_bytes(path: Path) -> int:
    """How many bytes `read_articles` will read, for a progress bar. Raises `ImportRefused`."""
    if path.is_dir():
        return sum(file.stat().st_size for file in _markdown_files(path))
    if not path.is_file():
        raise ImportRefused(f"{path} is neither a file nor a folder")
    return path.stat().st_size


def read_articles(path: Path, report: ImportReport, defaults: Defaults | None = None) -> Iterator[Article]:
    """The valid articles of `path`, in order, each id once; `report` is filled on the way.

    Raises `ImportRefused`, possibly after some articles were given: store them in one transaction.
    """
    return (article for article, _ in read_records(path, report, defaults or Defaults()))


def read_records(
    path: Path, report: ImportReport, defaults: Defaults
) -> Iterator[tuple[Article, Mapping[str, object]]]:
    """As `read_articles`, each with the record it was made from."""
    first_place: dict[str, str] = {}
    for where, record in _records(path, report):
        try:
            if isinstance(record, RecordError):
                raise record
            article = article_from(record, defaults)
            if article.id in first_place:
                raise RecordError(f"id {article.id} is already used in {first_place[article.id]}")
        except RecordError as error:
            report.skipped.append(Skipped(where, str(error)))
            continue
        first_place[article.id] = where
        report.kept += 1
        yield article, record if isinstance(record, Mapping) else {}
    if not report.kept:
        told = [f"{skipped.where} {skipped.reason}" for skipped in report.skipped[:REFUSED_FOR]]
        if more := len(report.skipped) - len(told):
            told.append(f"and {more} more")
        if path.is_dir() and not told:
            told = ["of a folder, files that end in .md are read; name any other file by itself"]
        raise ImportRefused(f"{path} holds no valid article" + (f": {'; '.join(told)}" if told else ""))


Record = tuple[str, object]  # the place, and the decoded record or the RecordError met instead


def _records(path: Path, report: ImportReport) -> Iterator[Record]:
    if path.is_dir():
        return _markdown_records(path, report)
    if not path.is_file():
        raise ImportRefused(f"{path} is neither a file nor a folder")
    kind = path.suffix.lower()
    if kind in (".jsonl", ".ndjson"):
        return _json_records(path, report)
    if kind == ".csv":
        return _csv_records(path, report)
    raise ImportRefused(f"{path} is of no known kind: expected .jsonl, .csv or a folder of .md files")


def _json_records(path: Path, report: ImportReport) -> Iterator[Record]:
    with path.open("rb") as file:
        for number, line in enumerate(_lines(file, report), start=1):
            where = f"line {number}"
            if line is None:
                yield where, RecordError(f"is longer than {MAX_RECORD_BYTES} bytes")
                continue
            text = _decoded(line, where)
            if text.strip():
                yield where, _from_json(text)


def _from_json(text: str) -> object:
    try:
        return json.loads(text)
    except RecursionError:
        return RecordError("is nested too deeply")
    except ValueError as error:
        detail = error.msg if isinstance(error, json.JSONDecodeError) else "a number is too long"
        return RecordError(f"is not valid JSON ({detail})")


def _csv_records(path: Path, report: ImportReport) -> Iterator[Record]:
    csv.field_size_limit(MAX_RECORD_BYTES)
    with path.open("rb") as file:
        reader = csv.DictReader(_csv_lines(file, report), restkey="", strict=True)
        try:
            reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
        except csv.Error as error:
            raise ImportRefused(f"{path} has a first line that is not CSV ({error})") from None
        if not {"id", "title"} <= set(reader.fieldnames):
            raise ImportRefused(f"{path} has no columns id and title in its first line, parted by commas")
        while True:
            where = f"line {reader.line_num + 1}"
            try:
                row: dict[str, object] = dict(next(reader))
            except StopIteration:
                return
            except csv.Error as error:
                yield where, RecordError(f"is not valid CSV ({error})")
                continue
            extra = row.pop("", None)
            yield where, RecordError("has more fields than the first line") if extra else row


def _csv_lines(file: BinaryIO, report: ImportReport) -> Iterator[str]:
    for number, line in enumerate(_lines(file, report), start=1):
        if line is None:
            raise ImportRefused(f"line {number} is longer than {MAX_RECORD_BYTES} bytes: not a CSV of articles")
        yield _decoded(line, f"line {number}")


def _markdown_records(folder: Path, report: ImportReport) -> Iterator[Record]:
    for path in _markdown_files(folder):
        where = path.relative_to(folder).as_posix()
        if path.stat().st_size > MAX_RECORD_BYTES:
            yield where, RecordError(f"is longer than {MAX_RECORD_BYTES} bytes")
            continue
        content = path.read_bytes()
        report.bytes_read += len(content)
        try:
            yield where, _from_markdown(_decoded(content, where), where)
        except ImportRefused:  # one file of many
            yield where, RecordError("is not UTF-8")


def _markdown_files(folder: Path) -> list[Path]:
    """Regular files only: a link could lead out of the folder."""
    found = (path for path in folder.rglob("*.md") if path.is_file() and not path.is_symlink())
    return sorted(found)


def _from_markdown(text: str, where: str) -> object:
    """Front matter between two lines of "---", then the answer. The id defaults to the file's name."""
    parts = re.match(r"---[ \t]*\r?\n(.{0,10000}?)\r?\n---[ \t]*(?:\r?\n|\Z)(.*)", text, re.DOTALL)
    if parts is None:
        return RecordError("does not begin with front matter between two lines of ---")
    try:
        head = YAML(typ="safe", pure=True).load(parts[1])
    except (YAMLError, ValueError, RecursionError):
        return RecordError("its front matter is not valid YAML")
    if not isinstance(head, dict):
        return RecordError("its front matter has no names and values")
    answer = {"text": _plain_text(parts[2]), "author": head.get("author"), "accepted": True}
    if not answer["text"]:
        return RecordError("has no answer")
    named = {"id": re.sub(r"[^A-Za-z0-9._:-]+", "-", where.removesuffix(".md")), **head}
    return {**named, "author": None, "body": None, "answers": [answer]}


def _plain_text(markdown: str) -> str:
    """Markdown's marks of emphasis, headings and named links removed; code and lists stay as written."""
    text = re.sub(r"^#{1,6}[ \t]+", "", markdown, flags=re.MULTILINE)
    text = re.sub(r"\[([^\]\n]{1,300})\]\((https?://[^)\s]{1,2000})\)", r"\1 (\2)", text)
    return re.sub(r"(\*\*|__)(?=\S)(.{1,500}?)(?<=\S)\1", r"\2", text).strip()


def _lines(file: BinaryIO, report: ImportReport) -> Iterator[bytes | None]:
    """The lines of `file`; None for one longer than MAX_RECORD_BYTES, which is never held whole."""
    while line := file.readline(MAX_RECORD_BYTES + 1):
        report.bytes_read += len(line)
        if len(line) <= MAX_RECORD_BYTES:
            yield line
            continue
        while not line.endswith(b"\n") and (line := file.readline(_CHUNK)):
            report.bytes_read += len(line)
        yield None


def _decoded(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8-sig" if where == "line 1" or where.endswith(".md") else "utf-8")
    except UnicodeDecodeError as error:
        raise ImportRefused(f"{where} is not UTF-8 (byte {error.start + 1}): save the file as UTF-8") from error


def reasons(skipped: Iterable[Skipped]) -> dict[str, int]:
    """How often each reason occurs, most frequent first; ids and places left out."""
    counts: dict[str, int] = {}
    for one in skipped:
        reason = re.sub(r"^id \S+ is already used in .*", "id is already used", one.reason)
        counts[reason] = counts.get(reason, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))
