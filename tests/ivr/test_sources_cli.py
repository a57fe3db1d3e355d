"""`flask source` and `flask articles approve`, against a forum on this machine and files."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from psycopg import Connection

from config.settings import Settings
from ivr.articles_cli import articles_group
from ivr.jobs.sync_sources import Syncing
from ivr.sources_cli import source_group
from ivr.wiring import Wiring, build
from models import articles, sources
from tests.search.sources.standins import STEPS, Forum


@pytest.fixture
def wiring(settings: Settings) -> Iterator[Wiring]:
    built = build(settings.model_copy(update={"sources_allow_private": "on"}))
    yield built
    built.close()


@pytest.fixture
def flask(wiring: Wiring) -> Iterator[FlaskCliRunner]:
    app = Flask("test")
    app.extensions["offhold"] = wiring
    app.cli.add_command(source_group)
    app.cli.add_command(articles_group)
    with app.app_context():
        yield app.test_cli_runner()


def run(flask: FlaskCliRunner, *words: str) -> str:
    result = flask.invoke(args=list(words))
    return f"{result.exit_code} {result.output}"


def test_a_source_is_added_tested_synced_listed_and_removed(
    flask: FlaskCliRunner, forum: Forum, db: Connection
) -> None:
    assert run(flask, "source", "add", "discourse", forum.url, "--name", "town").startswith("0 town added.")
    assert "the name town is taken" in run(flask, "source", "add", "discourse", forum.url, "--name", "town")
    tried = run(flask, "source", "test", "town")
    assert "no accepted answer   en town:2  Invoice came twice" in tried
    assert "yes                  en town:1  Router light is red" in tried
    assert articles.of_source(db, "town") == []
    assert "town: 2 threads changed, 1 articles live, 0 lapsed" in run(flask, "source", "sync", "town")
    listed = run(flask, "source", "list")
    assert f"town: discourse {forum.url}, accepted; 1 articles; last synced 20" in listed
    assert "left out: 1 no accepted answer" in listed
    assert "town removed, 1 articles lapsed" in run(flask, "source", "remove", "town")
    assert articles.of_source(db, "town") == []
    assert run(flask, "source", "list") == "0 "
    assert "there is no source town" in run(flask, "source", "sync", "town")


def test_a_thread_is_approved_by_name(flask: FlaskCliRunner, forum: Forum, db: Connection) -> None:
    run(flask, "source", "add", "discourse", forum.url, "--name", "town", "--trust", "approved")
    run(flask, "source", "sync")
    assert run(flask, "source", "waiting", "town") == "0 town:1  Router light is red\ntown:2  Invoice came twice\n"
    approved = run(flask, "articles", "approve", "town:2", "town:9")
    assert approved == "0 town:2: approved, live\ntown:9: no source has such a thread\n"
    assert articles.of_source(db, "town") == ["town:2"]


def test_an_approval_is_kept_while_the_source_is_being_synced(
    flask: FlaskCliRunner, forum: Forum, db: Connection
) -> None:
    run(flask, "source", "add", "discourse", forum.url, "--name", "town", "--trust", "approved")
    run(flask, "source", "sync")
    with sources.alone(db, "town") as free:
        assert free
        told = run(flask, "articles", "approve", "town:2")
    assert told.startswith("1 town:2: approved, not live\nError: town is being synced: try again")
    assert told.endswith("The approvals are kept.\n")
    assert "1 articles live" in run(flask, "source", "sync", "town")  # though the forum did not change


def test_an_approval_is_kept_though_the_source_is_not_believed(
    flask: FlaskCliRunner, forum: Forum, db: Connection
) -> None:
    run(flask, "source", "add", "discourse", forum.url, "--name", "town")
    run(flask, "source", "sync")
    db.execute("UPDATE threads SET thread = jsonb_set(thread, '{closed}', 'true')")
    told = run(flask, "articles", "approve", "town:2")
    assert told.startswith("1 town:2: approved, not live\nError: town: only 0 of 1 articles would be left")
    assert told.endswith("The approvals are kept.\n")
    assert db.execute("SELECT approved_hash = content_hash FROM threads WHERE id = '2'").fetchone() == (True,)


def test_a_source_that_crashes_does_not_end_the_sync_of_the_others(
    flask: FlaskCliRunner, forum: Forum, db: Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def crashes(*_: object) -> None:
        raise ZeroDivisionError

    file = tmp_path / "threads.jsonl"
    file.write_text(json.dumps({"id": "a1", "title": "A title", "body": f"Q: What of it?\nA: {STEPS}"}), "utf-8")
    run(flask, "source", "add", "discourse", forum.url, "--name", "forum")
    run(flask, "source", "add", "jsonl", str(file), "--name", "the-last")
    monkeypatch.setattr("search.sources.discourse._accepted", crashes)
    monkeypatch.setattr("os.nice", lambda by: by)  # the tests that follow keep their place
    told = run(flask, "source", "sync", "--due")
    assert told.startswith("1 ")
    assert "forum: failed unexpectedly (ZeroDivisionError)" in told
    assert "the-last: 1 threads changed, 1 articles live" in told
    assert "not synced: forum. Their last good articles stay." in told
    row = sources.read(db, "forum")
    assert row is not None
    assert (row.problem, row.failures) == ("failed unexpectedly (ZeroDivisionError)", 1)


def test_what_could_not_be_read_is_listed(flask: FlaskCliRunner, forum: Forum) -> None:
    forum.topics[1]["title"] = ""
    run(flask, "source", "add", "discourse", forum.url, "--name", "town")
    run(flask, "source", "sync", "--due")
    assert f"  cannot be read: {forum.url}/t/1.json is no topic" in run(flask, "source", "list")


def test_what_went_wrong_is_told_and_listed(
    flask: FlaskCliRunner, forum: Forum, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(flask, "source", "add", "zendesk", forum.url, "--name", "wrong-kind")
    failed = run(flask, "source", "sync")
    assert failed.startswith("1 ")
    assert "not synced: wrong-kind. Their last good articles stay." in failed
    assert "PROBLEM: " in run(flask, "source", "list")
    assert "wrong-kind: " in run(flask, "source", "test", "wrong-kind")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("discourse", "forum.example.com"), "a Discourse forum is named by its web address"),
        (("discourse", "https://f.example", "--option", "category=x"), "is written slug/id"),
        (("discourse", "https://f.example", "--option", "colour=x"), "has no option colour; it has category"),
        (("zendesk", "https://f.example/hc/en-us"), "a help center is named by its host"),
        (("zendesk", "https://f.example", "--option", "locale=../x"), "a locale is written like en-us"),
        (("discourse", "https://f.example", "--credentials", "PATH"), "begins with SOURCE_"),
        (("feed", "http://["), "http://[ is no address"),
        (("discourse", "https://f.example", "--max-age-days", "99999999"), "is not in the range"),
        (("discourse", "https://f.example", "--name", "Our Town"), "--name is 1 to 30 small letters"),
    ],
)
def test_a_source_that_cannot_be_right_is_not_added(flask: FlaskCliRunner, words: tuple[str, ...], told: str) -> None:
    result = run(flask, "source", "add", *words)
    assert told in result
    assert not result.startswith("0")


def test_files_are_a_source_too(flask: FlaskCliRunner, db: Connection, tmp_path: Path) -> None:
    file = tmp_path / "Our threads.jsonl"
    records = [
        {"id": f"a{n}", "title": f"Title {n}", "body": f"Q: What of {n * 7919}?\nA: {n}: {STEPS}"} for n in (1, 2)
    ]
    file.write_text("\n".join(json.dumps(record) for record in records), "utf-8")
    assert "our-threads added" in run(flask, "source", "add", "jsonl", str(file))
    assert "2 articles live" in run(flask, "source", "sync")
    assert articles.of_source(db, "our-threads") == ["our-threads:a1", "our-threads:a2"]


def test_the_worker_syncs_what_is_due_in_a_process_of_its_own_one_at_a_time(
    flask: FlaskCliRunner, forum: Forum, wiring: Wiring, tmp_path: Path
) -> None:
    mark = tmp_path / "begun"
    command = (sys.executable, "-c", f"import pathlib, time; pathlib.Path({str(mark)!r}).touch(); time.sleep(1)")
    syncing = Syncing(command)
    assert not syncing.sync_sources(wiring)  # nothing is due
    run(flask, "source", "add", "discourse", forum.url, "--name", "town")
    assert syncing.sync_sources(wiring)
    assert not syncing.sync_sources(wiring)  # one is under way
    assert syncing.wait(30) == 0
    assert mark.exists()
    run(flask, "source", "sync")
    wiring.clock = lambda: datetime.now(UTC) + timedelta(minutes=13)
    assert not syncing.sync_sources(wiring)
    wiring.clock = lambda: datetime.now(UTC) + timedelta(minutes=16)
    assert syncing.sync_sources(wiring)
    assert syncing.wait(30) == 0


def test_the_workers_command_exists(
    wiring: Wiring, settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("database_url", "redis_url"):
        monkeypatch.setenv(name.upper(), getattr(settings, name).get_secret_value())
    monkeypatch.setenv("DATA_DIR", str(settings.data_dir))
    with wiring.pool.connection() as conn:
        conn.execute(
            "INSERT INTO sources (name, kind, url, trust, language, licence, name_authors, every_minutes, next_at)"
            " VALUES ('town', 'discourse', 'http://10.0.0.1', 'accepted', 'en', '', false, 15, '2026-01-01')"
        )
    syncing = Syncing()
    assert syncing.sync_sources(wiring)
    assert syncing.wait(60) == 1
    assert "town: http://10.0.0.1/latest.json is in the private network: not asked" in capfd.readouterr().err
