"""`flask articles` and `flask index`, on real stores and with the real encoder."""

import errno
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskCliRunner
from psycopg import Connection
from redis import Redis

from config.settings import Settings
from ivr import articles_cli, bundles, gate
from ivr.articles_cli import (
    STARTER_CALIBRATION,
    STARTER_COMMUNITY,
    build_index,
    commands,
    import_path,
    index_is_stale,
)
from ivr.wiring import index_folder
from models import articles, indexes
from search.calibration import Calibrations, as_json, calibrations_from, shipped
from search.encoder import OnnxEncoder
from search.finder import Finder
from search.importing import ImportRefused
from search.index import BEFORE, BundleError, _sealed, load
from search.judge import gate_id
from search.judge import shipped as judge
from search.query import Query
from search.result import Match


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    return OnnxEncoder()


@pytest.fixture(autouse=True)
def loaded_once(monkeypatch: pytest.MonkeyPatch, encoder: OnnxEncoder) -> None:
    """Every build uses the one encoder of this module: loading it takes longer than these builds."""
    monkeypatch.setattr(articles_cli, "load_encoder", lambda *settings: encoder)


@pytest.fixture
def flask(settings: Settings) -> Iterator[FlaskCliRunner]:
    """Runs `flask ...` commands of this part alone."""
    app = Flask("test")
    app.extensions["offhold"] = SimpleNamespace(
        settings=settings, clock=lambda: datetime.now(UTC), announce=lambda what: None
    )
    for command in commands:
        app.cli.add_command(command)
    with app.app_context():
        yield app.test_cli_runner()


def run(flask: FlaskCliRunner, *words: str) -> Result:
    result: Result = flask.invoke(args=list(words))
    return result


def write(path: Path, *titles: str) -> Path:
    records = [
        {"id": f"a{place}", "title": title, "body": f"Q: {title}?\nA: Restart it and wait for a minute."}
        for place, title in enumerate(titles)
    ]
    path.write_text("\n".join(json.dumps(record) for record in records), "utf-8")
    return path


TITLES = ("Router light is red", "Charged twice this month", "Remote does not pair")


def test_import_hides_no_reason_without_saying_so(
    flask: FlaskCliRunner, db: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(articles_cli, "SKIPPED_SHOWN", 1)
    file = write(tmp_path / "threads.jsonl", *TITLES, "")
    file.write_text(file.read_text() + "\n{\n")
    done = run(flask, "articles", "import", str(file))
    assert "2 skipped:" in done.output
    assert "  and 1 more reasons: --skipped FILE tells each record's\n" in done.output


def test_import_says_what_was_added_and_what_was_skipped(flask: FlaskCliRunner, db: Connection, tmp_path: Path) -> None:
    file = write(tmp_path / "threads.jsonl", *TITLES, "")
    skipped = tmp_path / "skipped.txt"
    done = run(flask, "articles", "import", str(file), "--language", "es", "--skipped", str(skipped))
    assert done.exit_code == 0, done.output
    assert "3 added, 0 changed, 0 unchanged" in done.output
    assert "1 x has no title (line 4)" in done.output
    assert skipped.read_text() == "line 4: has no title\n"
    assert articles.count_by_source(db) == [("threads", "es", "live", 3)]
    assert "3 live" in run(flask, "articles", "list").output
    assert "3 unchanged" in run(flask, "articles", "import", str(file), "--language", "es").output
    stale = "flask index build puts these articles into it"
    assert stale in done.output
    run(flask, "index", "build")
    assert stale not in run(flask, "articles", "import", str(file), "--language", "es").output


def test_a_refused_file_changes_nothing(flask: FlaskCliRunner, db: Connection, tmp_path: Path) -> None:
    file = write(tmp_path / "threads.jsonl", *TITLES)
    file.write_bytes(file.read_bytes() + b'\n{"id": "\xff"}')
    refused = run(flask, "articles", "import", str(file))
    assert refused.exit_code == 1
    assert "line 4 is not UTF-8" in refused.output
    assert "Nothing was imported" in refused.output
    assert articles.count_live(db) == 0


def test_import_from_code_raises_what_is_wrong(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="no valid article"):
        import_path(settings, write(tmp_path / "none.jsonl"))


def test_an_index_is_built_found_with_rolled_back_and_told(
    flask: FlaskCliRunner,
    settings: Settings,
    db: Connection,
    redis: "Redis",
    encoder: OnnxEncoder,
    tmp_path: Path,
) -> None:
    nothing = run(flask, "index", "build")
    assert nothing.exit_code == 1
    assert "there is no live article to build an index from" in nothing.output
    assert "no index is live" in run(flask, "index", "verify").output

    import_path(settings, write(tmp_path / "threads.jsonl", *TITLES))
    assert index_is_stale(settings)
    listener: Any = redis.pubsub  # its stubs leave it untyped
    news = listener()
    news.subscribe("offhold:news")
    assert news.get_message(timeout=5)["type"] == "subscribe"
    first = build_index(settings)
    assert news.get_message(timeout=5)["data"] == "index"
    news.close()
    assert not index_is_stale(settings)
    assert (first.article_count, first.model_id) == (3, "all-MiniLM-L6-v2")

    bundle = load(index_folder(settings) / first.version, encoder.model_id, encoder.dimension)
    found = Finder(bundle, encoder).find(Query((), "the light on the router is red", "en"))
    assert isinstance(found, Match)
    assert found.article_id == "a0"

    import_path(settings, write(tmp_path / "threads.jsonl", *TITLES, "Phone without signal"))
    assert index_is_stale(settings)
    assert "4 articles, live" in run(flask, "index", "build").output
    assert f"{first.version} is live" in run(flask, "index", "rollback").output
    live = indexes.current(db)
    assert live is not None
    assert live.version == first.version
    assert live.held
    assert "was rolled back to" in run(flask, "index", "build", "--automatic").output
    assert indexes.current(db) == live
    assert "there is no earlier index to go back to" in run(flask, "index", "rollback").output
    assert "3 articles, all-MiniLM-L6-v2, intact" in run(flask, "index", "verify").output
    (second,) = {one.version for one in indexes.list_all(db)} - {first.version}
    indexes.note_use(db, "here:7", first.version)
    indexes.note_use(db, "there:8", second)
    listed = run(flask, "index", "list").output.splitlines()
    assert listed[0].split() == [second, "retired", "4", "articles", "all-MiniLM-L6-v2"]
    assert listed[1].startswith(f"{first.version}  live ")
    assert "held since a rollback" in listed[1]
    assert listed[2:] == [f"here:7 serves {first.version}", f"there:8 serves {second}  (not the live one yet)"]
    build_index(settings)
    assert "held since a rollback" not in run(flask, "index", "list").output


def test_a_damaged_index_is_not_rolled_back_to(flask: FlaskCliRunner, settings: Settings, tmp_path: Path) -> None:
    import_path(settings, write(tmp_path / "threads.jsonl", *TITLES))
    first = build_index(settings)
    second = build_index(settings)
    (index_folder(settings) / first.version / "vectors.npy").write_bytes(b"x")
    refused = run(flask, "index", "rollback")
    assert refused.exit_code == 1
    assert "is damaged" in refused.output
    assert run(flask, "index", "verify", first.version).exit_code == 1
    assert f"{second.version}: 3 articles" in run(flask, "index", "verify").output


def test_an_index_is_fetched_again_unless_its_files_are_gone_everywhere(
    settings: Settings, db: Connection, tmp_path: Path
) -> None:
    import_path(settings, write(tmp_path / "threads.jsonl", *TITLES))
    built = build_index(settings)
    (index_folder(settings) / built.version).rename(tmp_path / "elsewhere")
    assert not index_is_stale(settings)
    db.execute("DELETE FROM index_chunks")
    assert index_is_stale(settings)


def test_an_index_of_an_earlier_format_is_stale(settings: Settings, tmp_path: Path) -> None:
    import_path(settings, write(tmp_path / "threads.jsonl", *TITLES))
    built = build_index(settings)
    manifest = index_folder(settings) / built.version / "manifest.json"
    manifest.write_text(json.dumps({"format": 1, "version": built.version}), "utf-8")
    assert index_is_stale(settings)


def test_an_index_of_an_earlier_format_that_lies_in_the_database_alone_is_stale(
    settings: Settings, db: Connection, tmp_path: Path
) -> None:
    """As where a release runs on a machine with an empty disk."""
    import_path(settings, write(tmp_path / "threads.jsonl", *TITLES))
    built = build_index(settings)
    folder = index_folder(settings) / built.version
    earlier = {**json.loads((folder / "manifest.json").read_text("utf-8")), "format": BEFORE - 1}
    del earlier["seal"]
    content = _sealed(earlier).encode()
    db.execute(
        "UPDATE index_chunks SET content = %s, sha256 = %s WHERE file = 'manifest.json'",
        (content, hashlib.sha256(content).digest()),
    )
    folder.rename(tmp_path / "elsewhere")
    assert index_is_stale(settings)


def test_a_second_builder_is_told_who_builds(
    flask: FlaskCliRunner, settings: Settings, db: Connection, database_url: str, tmp_path: Path
) -> None:
    import_path(settings, write(tmp_path / "threads.jsonl", TITLES[0]))
    with psycopg.connect(database_url, autocommit=True) as other, indexes.building(other, "attic:42"):
        refused = run(flask, "index", "build")
        assert refused.exit_code == 1
        assert "attic:42 is building an index" in refused.output
        left = run(flask, "index", "build", "--automatic")
        assert left.exit_code == 0
        assert "attic:42 is building an index" in left.output
    assert indexes.list_all(db) == []
    assert run(flask, "index", "build").exit_code == 0


def test_builds_that_fail_leave_nothing_and_the_rollback_stays(
    flask: FlaskCliRunner, settings: Settings, db: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*bundle: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    import_path(settings, write(tmp_path / "threads.jsonl", TITLES[0]))
    first = build_index(settings)
    with monkeypatch.context() as away:
        away.setattr(bundles, "put", refused)
        failed = run(flask, "index", "build")
        assert "No space left on device. The index in use has not changed." in failed.output
    assert [one.version for one in indexes.list_all(db)] == [first.version]
    assert [folder.name for folder in index_folder(settings).iterdir()] == [first.version]
    for number in range(bundles.KEPT):  # as builds do that are killed
        indexes.add(db, replace(first, version=f"killed-{number}"))
    build_index(settings)
    assert f"{first.version} is live" in run(flask, "index", "rollback").output


def test_bad_indexes_in_a_row_do_not_take_the_place_of_the_good_one(
    flask: FlaskCliRunner, settings: Settings, tmp_path: Path
) -> None:
    import_path(settings, write(tmp_path / "threads.jsonl", TITLES[0]))
    good = build_index(settings).version
    for _ in range(bundles.KEPT):
        build_index(settings)
        assert f"{good} is live" in run(flask, "index", "rollback").output


def test_no_build_fills_the_disk(
    flask: FlaskCliRunner, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_path(settings, write(tmp_path / "threads.jsonl", TITLES[0]))
    monkeypatch.setattr(bundles, "LEFT_FREE_BYTES", 1 << 60)
    assert "must be free for the index" in run(flask, "index", "build").output


def test_what_is_held_while_an_index_is_built_stays(
    flask: FlaskCliRunner, settings: Settings, db: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_path(settings, write(tmp_path / "threads.jsonl", TITLES[0]))
    live = build_index(settings).version

    def held_meanwhile(conn: Connection, root: Path, version: str) -> None:
        indexes.roll_back(conn, live)

    monkeypatch.setattr(bundles, "put", held_meanwhile)
    assert f"{live} was rolled back to" in run(flask, "index", "build", "--automatic").output
    assert [(one.version, one.state) for one in indexes.list_all(db)] == [(live, "live")]


def test_an_index_of_another_encoder_is_not_rolled_back_to(
    flask: FlaskCliRunner,
    settings: Settings,
    db: Connection,
    encoder: OnnxEncoder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import_path(settings, write(tmp_path / "threads.jsonl", TITLES[0]))
    with monkeypatch.context() as earlier:
        earlier.setattr(encoder, "model_id", "tuned")
        first = build_index(settings)
    second = build_index(settings)
    refused = run(flask, "index", "rollback")
    assert refused.exit_code == 1
    assert f"{first.version} was built with tuned: it can be served once" in refused.output
    live = indexes.current(db)
    assert live is not None
    assert (live.version, live.held) == (second.version, False)


def test_old_bundles_are_removed(settings: Settings, db: Connection, tmp_path: Path) -> None:
    import_path(settings, write(tmp_path / "threads.jsonl", TITLES[0]))
    versions = [build_index(settings).version for _ in range(4)]
    assert sorted(folder.name for folder in index_folder(settings).iterdir()) == sorted(versions[1:])
    rows = db.execute("SELECT DISTINCT version FROM index_chunks ORDER BY 1").fetchall()
    assert [row[0] for row in rows] == sorted(versions[1:])


def test_articles_are_withdrawn_and_authors_unnamed(
    flask: FlaskCliRunner, settings: Settings, db: Connection, tmp_path: Path
) -> None:
    import_path(settings, write(tmp_path / "threads.jsonl", *TITLES))
    said = run(flask, "articles", "withdraw", "a1", "nope").output
    assert said == "a1: withdrawn\nnope: was not live\n"
    assert run(flask, "articles", "restore", "a1", "a2").output == "a1: live again\na2: was not withdrawn\n"
    assert run(flask, "articles", "withdraw", "a1").exit_code == 0
    assert run(flask, "articles", "withdraw").exit_code == 2
    assert articles.count_live(db) == 2
    assert "Dana K. is not named any more" in run(flask, "articles", "unname", "Dana K.").output
    assert db.execute("SELECT author FROM unnamed_authors").fetchall() == [("Dana K.",)]


def test_a_whole_source_is_withdrawn(flask: FlaskCliRunner, settings: Settings, db: Connection, tmp_path: Path) -> None:
    import_path(settings, write(tmp_path / "threads.jsonl", *TITLES), source="starter")
    written = write(tmp_path / "ours.jsonl", "Ours")
    written.write_text(written.read_text("utf-8").replace('"a0"', '"ours"'), "utf-8")
    import_path(settings, written)
    assert run(flask, "articles", "withdraw", "--source", "starter").output == "3 articles of starter withdrawn\n"
    assert [article.id for article in articles.iter_live(db)] == ["ours"]


def test_a_build_takes_the_communitys_own_calibration_along(
    settings: Settings, db: Connection, tmp_path: Path, encoder: OnnxEncoder, capsys: pytest.CaptureFixture[str]
) -> None:
    import_path(settings, write(tmp_path / "community.jsonl", "Red light", "Dark screen"))
    file, ours = settings.data_dir / "calibration.json", as_json(shipped()) | {"counts": [10, 5, 20]}
    ours |= {"languages": {"es": as_json(shipped()) | {"counts": [3, 2, 9]}}}
    file.write_text(json.dumps(ours | {"gate": gate_id(judge(), encoder.model_id)}), "utf-8")
    build_index(settings)
    assert gate.of_index(db) == calibrations_from(ours)
    file.write_text(json.dumps(ours | {"gate": "another"}), "utf-8")
    live = build_index(settings).version
    assert gate.of_index(db) == Calibrations(shipped())
    assert "calibrate again" in capsys.readouterr().err
    for damaged in ("{", "[]", '{"right": [1]}', "null"):
        file.write_text(damaged, "utf-8")
        with pytest.raises(BundleError, match="make it again, or delete it"):
            build_index(settings)
    current = indexes.current(db)
    assert current is not None
    assert current.version == live


def test_the_starter_community_brings_a_calibration_of_the_search_in_use(
    settings: Settings, db: Connection, tmp_path: Path, encoder: OnnxEncoder
) -> None:
    starter = json.loads(STARTER_CALIBRATION.read_text("utf-8"))
    assert starter["gate"] == gate_id(judge(), encoder.model_id)  # or make it again, as docs/search.md says
    import_path(settings, write(tmp_path / "starter.jsonl", "Red light"), source=STARTER_COMMUNITY)
    build_index(settings)
    assert gate.of_index(db) == calibrations_from(starter)
    import_path(settings, write(tmp_path / "ours.jsonl", "Dark screen", "No signal"), source="ours")
    build_index(settings)
    assert gate.of_index(db) == Calibrations(shipped())
