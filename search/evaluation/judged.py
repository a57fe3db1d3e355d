"""A judged set: articles, queries, and which articles solve which query."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.article import Article
from search.query import Query
from search.records import Defaults, RecordError, article_from


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
    """`skipped` counts articles that an import would refuse as well."""

    name: str
    articles: tuple[Article, ...]
    queries: tuple[Judged, ...]
    skipped: int


def read_set(folder: Path) -> JudgedSet:
    """A set of `articles.jsonl`, `queries.jsonl`, `qrels.tsv` and `labels.tsv`. Raises `SetError`.

    Without `labels.tsv` a query is answerable when `qrels.tsv` names an article for it. `articles.jsonl` may hold
    nothing but the path of another set's articles.
    """
    if not folder.is_dir():
        raise SetError(f"{folder} is not a folder")
    articles, skipped = _articles(folder)
    known = {article.id for article in articles}
    relevant: dict[str, set[str]] = {}
    for row in _rows(folder / "qrels.tsv", 3):
        if row[1] in known and row[2].lstrip("-").isdigit() and int(row[2]) > 0:
            relevant.setdefault(row[0], set()).add(row[1])
    labels = {row[0]: row for row in _rows(folder / "labels.tsv", 2)} if (folder / "labels.tsv").exists() else {}
    queries = tuple(_judged(record, relevant, labels) for record in _records(folder / "queries.jsonl"))
    if not queries:
        raise SetError(f"{folder / 'queries.jsonl'} holds no query")
    return JudgedSet(folder.resolve().name, articles, queries, skipped)


def _articles(folder: Path) -> tuple[tuple[Article, ...], int]:
    path = folder / "articles.jsonl"
    try:
        with path.open(encoding="utf-8") as file:
            beginning = file.readline(1000).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SetError(f"{path} cannot be read: {error}") from error
    if beginning and not beginning.startswith("{") and (folder / beginning).is_file():
        path = folder / beginning
    found: dict[str, Article] = {}
    skipped = 0
    for record in _records(path):
        try:
            article = article_from(record, Defaults())
        except RecordError:
            skipped += 1
            continue
        found.setdefault(article.id, article)
    if not found:
        raise SetError(f"{path} holds no usable article")
    return tuple(found.values()), skipped


def _judged(record: dict[str, Any], relevant: dict[str, set[str]], labels: dict[str, list[str]]) -> Judged:
    name, text = record.get("id"), record.get("text")
    if not isinstance(name, str) or not isinstance(text, str):
        raise SetError(f"a query has no id or no text: {str(record)[:80]}")
    path = tuple(part.strip() for part in str(record.get("menu_path") or "").split(">") if part.strip())
    nbest = tuple(one for one in record.get("nbest") or () if isinstance(one, str))
    found = frozenset(relevant.get(name, ()))
    label = labels.get(name)
    return Judged(
        id=name,
        query=Query(path, text, str(record.get("language") or "en"), nbest=nbest),
        relevant=found,
        answerable=label[1] == "1" if label else bool(found),
        kind=label[2] if label and len(label) > 2 else "",
    )


def _records(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    record = json.loads(line)
                    if not isinstance(record, dict):
                        raise SetError(f"{path}:{number} is not a JSON object")
                    yield record
    except (OSError, ValueError) as error:
        raise error if isinstance(error, SetError) else SetError(f"{path} cannot be read: {error}") from error


def _rows(path: Path, least: int) -> Iterator[list[str]]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise SetError(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        row = line.split("\t")
        if line.strip() and len(row) < least:
            raise SetError(f"{path}:{number} has {len(row)} columns, not {least}")
        if line.strip():
            yield [part.strip() for part in row]
