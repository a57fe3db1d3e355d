"""A judged set: articles, queries, and which articles solve which query."""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.article import Article
from search.query import Query
from search.records import Defaults, RecordError, article_from, id_of, language_of

LONGEST_PATH = 255


class SetError(ValueError):
    """A folder is not a judged set, or a file of it cannot be read; the message says which and where."""


@dataclass(frozen=True)
class Judged:
    """One query with the ids of the articles that solve it; none where no article should be offered."""

    id: str
    query: Query
    relevant: frozenset[str]
    answerable: bool
    kind: str

    @property
    def path(self) -> str:
        """The menu path as words."""
        return " ".join(self.query.path)


@dataclass(frozen=True)
class JudgedSet:
    """`skipped` counts articles that an import would refuse as well, `unknown` the judgements that name one of those,
    or an article or a query that is not there."""

    name: str
    articles: tuple[Article, ...]
    queries: tuple[Judged, ...]
    skipped: int
    unknown: int = 0


def read_set(folder: Path) -> JudgedSet:
    """A set of `articles.jsonl`, `queries.jsonl`, `qrels.tsv` and `labels.tsv`. Raises `SetError`.

    Without `labels.tsv` a query is answerable when `qrels.tsv` names an article for it, and one that names no language
    is in that of the articles, where they have but one. `articles.jsonl` may hold nothing but the path of another set's
    articles.
    """
    if not folder.is_dir():
        raise SetError(f"{folder} is not a folder")
    articles, skipped = _articles(folder)
    labels = _labels(folder / "labels.tsv") if (folder / "labels.tsv").exists() else {}
    judgements = set(_judgements(folder / "qrels.tsv"))
    known = {article.id for article in articles}
    spoken = {article.language for article in articles}
    defaults = Defaults(*spoken) if len(spoken) == 1 else Defaults()
    relevant: dict[str, set[str]] = {}
    for query_id, article_id in judgements:
        if article_id in known:
            relevant.setdefault(query_id, set()).add(article_id)
    queries: dict[str, Judged] = {}
    for where, record in _records(folder / "queries.jsonl"):
        try:
            one = _judged(record, relevant, labels, defaults)
        except (SetError, RecordError) as error:
            raise SetError(f"{where}: {error}") from error
        if one.id in queries:
            raise SetError(f"{where}: the id {one.id} is already used")
        queries[one.id] = one
    if not queries:
        raise SetError(f"{folder / 'queries.jsonl'} holds no query")
    unknown = sum(query_id not in queries or article_id not in known for query_id, article_id in judgements)
    return JudgedSet(folder.resolve().name, articles, tuple(queries.values()), skipped, unknown)


def _articles(folder: Path) -> tuple[tuple[Article, ...], int]:
    path = folder / "articles.jsonl"
    with suppress(SetError):
        beginning = next((line.strip() for line in _lines(path)), "")
        if len(beginning) <= LONGEST_PATH and not beginning.startswith("{") and (folder / beginning).is_file():
            path = folder / beginning
    found: dict[str, Article] = {}
    skipped: list[str] = []
    for where, record in _records(path):
        try:
            article = article_from(record, Defaults())
        except RecordError as error:
            skipped.append(f"{where}: {error}")
            continue
        found.setdefault(article.id, article)
    if not found:
        raise SetError(f"{path} holds no usable article" + (f" ({skipped[0]})" if skipped else ""))
    return tuple(found.values()), len(skipped)


def _labels(path: Path) -> dict[str, tuple[bool, str]]:
    """Whether something answers each query, and of what kind it is."""
    labels = {}
    for where, row in _rows(path, 2):
        if row[1] not in ("0", "1"):
            raise SetError(f"{where} has {row[1][:80]!r}, not 0 or 1, in its second column")
        labels[row[0]] = row[1] == "1", row[2] if len(row) > 2 else ""
    return labels


def _judgements(path: Path) -> Iterator[tuple[str, str]]:
    """Queries, each with an article that solves it."""
    for where, row in _rows(path, 3):
        relevance = math.nan
        with suppress(ValueError):
            relevance = float(row[2])
        if math.isnan(relevance):
            raise SetError(f"{where} has {row[2][:80]!r}, not a number, in its third column")
        if relevance > 0:
            yield row[0], row[1]


def _judged(
    record: Mapping[str, Any],
    relevant: Mapping[str, set[str]],
    labels: Mapping[str, tuple[bool, str]],
    defaults: Defaults,
) -> Judged:
    name, text = id_of(record), record.get("text")
    path, nbest = record.get("menu_path") or "", record.get("nbest") or []
    if not isinstance(name, str) or not isinstance(text, str):
        raise SetError("a query has no id or no text")
    if not isinstance(path, str) or not isinstance(nbest, list):
        raise SetError("menu_path is not a text, or nbest is not a list")
    choices = tuple(part.strip() for part in path.split(">") if part.strip())
    found = frozenset(relevant.get(name, ()))
    answerable, kind = labels.get(name, (bool(found), ""))
    said = tuple(one for one in nbest if isinstance(one, str))
    return Judged(name, Query(choices, text, language_of(record, defaults), nbest=said), found, answerable, kind)


def _records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            record = json.loads(line)
        except RecursionError as error:
            raise SetError(f"{where} is nested too deeply") from error
        except ValueError as error:
            detail = error.msg if isinstance(error, json.JSONDecodeError) else "a number is too long"
            raise SetError(f"{where} is not JSON ({detail})") from error
        if not isinstance(record, dict):
            raise SetError(f"{where} is not a JSON object")
        yield where, record


def _rows(path: Path, least: int) -> Iterator[tuple[str, list[str]]]:
    for number, line in enumerate(_lines(path), 1):
        row = line.split("\t")
        if line.strip() and len(row) < least:
            raise SetError(f"{path}:{number} has {len(row)} columns, not {least}: tabs part them")
        if line.strip():
            yield f"{path}:{number}", [part.strip() for part in row]


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig") as file:  # some editors begin a file with a mark
            yield from file
    except (OSError, UnicodeDecodeError) as error:
        raise SetError(f"{path} cannot be read: {error}") from error
