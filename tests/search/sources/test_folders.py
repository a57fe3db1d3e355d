"""Files and folders followed as sources: what is new, what changed, what is gone."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from search.sources.folders import CsvFile, JsonlFile, MarkdownFolder
from search.sources.source import Batch, RawAnswer, SourceError
from tests.search.sources.site import place, pull_files, raws

LIGHT: dict[str, Any] = {
    "id": "light", "title": "Router light stays red", "question": "It is red.", "votes": 4, "licence": "CC BY 4.0",
    "author": "Sam", "answers": [{"text": "Hold the pin.", "author": "Dana", "votes": 2, "accepted": True}],
}  # fmt: skip
BILL: dict[str, Any] = {"id": "bill", "title": "Where is my bill?", "body": "Open the app.", "language": "es"}


def write(path: Path, *records: object) -> Path:
    path.write_text("\n".join(json.dumps(record) for record in records), "utf-8")
    return path


def known(batch: Batch) -> dict[str, str]:
    return {change.id: change.version for change in raws(batch)}


def test_json_lines_come_with_author_licence_votes_and_language_if_said(tmp_path: Path) -> None:
    path = write(tmp_path / "articles.jsonl", LIGHT, BILL)
    [batch] = pull_files(JsonlFile(place(str(path))))
    light, bill = raws(batch)
    assert vars_of(light) == ("light", "Sam", "CC BY 4.0", 4, None, True)
    assert vars_of(bill) == ("bill", None, "", 0, "es", True)
    assert light.answers == (RawAnswer(text="Hold the pin.", author="Dana", votes=2, accepted=True),)
    assert batch.listing == frozenset({"light", "bill"})


def vars_of(raw: Any) -> tuple[object, ...]:
    return raw.id, raw.author, raw.licence, raw.votes, raw.language, raw.solved


def test_dates_are_evidence_where_a_record_tells_them(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {**LIGHT, "created": "2026-11-01T10:00:00+02:00"}, {**BILL, "updated": "soon"})
    [batch] = pull_files(JsonlFile(place(str(path))))
    assert [(one.created, one.changed) for one in raws(batch)] == [
        (datetime(2026, 11, 1, 8, tzinfo=UTC),) * 2,
        (None, None),
    ]
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "a.md").write_text("---\ntitle: T\ndate: 2026-10-01\nupdated: 2026-11-02 10:00:00\n---\nText")
    [batch] = pull_files(MarkdownFolder(place(str(tmp_path / "m"))))
    [one] = raws(batch)
    assert one.created == datetime(2026, 10, 1, tzinfo=UTC)
    assert one.changed == datetime(2026, 11, 2, 10, tzinfo=UTC)


def test_only_what_changed_is_given_and_what_is_gone_is_not_listed(tmp_path: Path) -> None:
    path = write(tmp_path / "articles.jsonl", LIGHT, BILL)
    [first] = pull_files(JsonlFile(place(str(path))))
    [same] = pull_files(JsonlFile(place(str(path), known(first))), first.cursor)
    assert (same.changes, same.listing, same.cursor) == ((), None, first.cursor)
    write(path, {**LIGHT, "votes": 5})
    [later] = pull_files(JsonlFile(place(str(path), known(first))), first.cursor)
    assert [change.id for change in raws(later)] == ["light"]
    assert later.listing == frozenset({"light"})


def test_nothing_is_taken_for_gone_while_a_record_cannot_be_read(tmp_path: Path) -> None:
    path = write(tmp_path / "articles.jsonl", LIGHT, {**BILL, "title": "x" * 10_000_000})
    [batch] = pull_files(JsonlFile(place(str(path), {"bill": "as it was"})))
    assert [change.id for change in raws(batch)] == ["light"]
    assert batch.listing is None
    assert batch.skipped == ("line 2: is longer than 4000000 bytes",)


def test_a_readme_hides_nothing_that_is_gone_but_an_article_that_broke_stays(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.md").write_text(f"---\ntitle: {name} is slow\n---\nReset {name}.", "utf-8")
    (tmp_path / "README.md").write_text("# No article", "utf-8")
    [first] = pull_files(MarkdownFolder(place(str(tmp_path))))
    ours = known(first)
    (tmp_path / "a.md").unlink()
    [gone] = pull_files(MarkdownFolder(place(str(tmp_path), ours)), first.cursor)
    assert gone.listing == frozenset({"b", "c"})
    (tmp_path / "b.md").write_text("broken", "utf-8")
    cursor, ours = gone.cursor, {name: ours[name] for name in ("b", "c")}
    for text in ("x", "y"):
        (tmp_path / "c.md").write_text(f"---\ntitle: c is slow\n---\n{text}", "utf-8")
        [broken] = pull_files(MarkdownFolder(place(str(tmp_path), ours)), cursor)
        cursor = broken.cursor
        assert broken.listing is None  # nobody can tell whether b is gone
    (tmp_path / "b.md").unlink()
    [after] = pull_files(MarkdownFolder(place(str(tmp_path), ours)), cursor)
    assert after.listing == frozenset({"c"})


def test_a_broken_line_that_was_never_an_article_hides_nothing_that_is_gone(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", LIGHT, BILL, {"id": "x"})
    [first] = pull_files(JsonlFile(place(str(path))))
    write(path, BILL, {"id": "x"})
    [later] = pull_files(JsonlFile(place(str(path), known(first))), first.cursor)
    assert later.listing == frozenset({"bill"})
    write(path, BILL, {**LIGHT, "title": ""}, {"id": "x"})
    [broken] = pull_files(JsonlFile(place(str(path), known(first))), first.cursor)
    assert broken.listing is None


def test_a_folder_of_markdown_follows_new_and_removed_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.md").write_text(f"---\ntitle: {name} is slow\n---\nReset **{name}**.", "utf-8")
    [first] = pull_files(MarkdownFolder(place(str(tmp_path))))
    assert first.listing == frozenset({"a", "b"})
    (tmp_path / "b.md").unlink()
    (tmp_path / "c.md").write_text("---\ntitle: c\n---\nReset it.", "utf-8")
    [later] = pull_files(MarkdownFolder(place(str(tmp_path), known(first))), first.cursor)
    assert [change.id for change in raws(later)] == ["c"]
    assert later.listing == frozenset({"a", "c"})


def test_a_csv_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "articles.csv"
    path.write_text('id,title,body,votes\nbill,Where is my bill?,"Open the app, then Account.",3\n', "utf-8")
    [batch] = pull_files(CsvFile(place(str(path))))
    assert [vars_of(change) for change in raws(batch)] == [("bill", None, "", 3, None, True)]


def test_what_cannot_be_read_gives_the_reason(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"ends in \.csv"):
        CsvFile(place("articles.jsonl"))
    with pytest.raises(SourceError, match="is no folder"):
        pull_files(MarkdownFolder(place(str(tmp_path / "nowhere"))))
    with pytest.raises(SourceError, match="cannot be read"):
        pull_files(JsonlFile(place(str(tmp_path / "nowhere.jsonl"))))
    empty = write(tmp_path / "empty.jsonl")
    with pytest.raises(SourceError, match="holds no valid article"):
        pull_files(JsonlFile(place(str(empty))))
    (tmp_path / "latin.csv").write_bytes("id,title,body\n1,caf\u00e9,x".encode("latin-1"))
    with pytest.raises(SourceError, match="not UTF-8"):
        pull_files(CsvFile(place(str(tmp_path / "latin.csv"))))


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("---\ntitle: Secret\n---\nSecret.", "utf-8")
    folder = tmp_path / "articles"
    folder.mkdir()
    os.symlink(tmp_path / "secret.md", folder / "link.md")
    (folder / "a.md").write_text("---\ntitle: a\n---\nReset it.", "utf-8")
    assert pull_files(MarkdownFolder(place(str(folder))))[0].listing == frozenset({"a"})
