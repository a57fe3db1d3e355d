"""`flask menu` and `flask queues` as an operator types them, on real stores."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from psycopg import Connection
from redis import Redis

from config.settings import Settings
from ivr.app import create_app
from ivr.planfile.store import STARTER
from ivr.wiring import build
from models import plans

Flask = Callable[..., Result]


@pytest.fixture
def flask(settings: Settings) -> Iterator[Flask]:
    wiring = build(settings)
    runner = create_app(wiring).test_cli_runner()
    yield lambda *words: runner.invoke(args=[str(word) for word in words])
    wiring.close()


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    file = tmp_path / "menu.yaml"
    text = STARTER.read_text("utf-8").replace("default_queue: general", "default_queue: genral")
    file.write_text(text.replace("follow_up: false", "stopped: true"))
    return file


def test_check_passes_the_starter_menu(flask: Flask) -> None:
    checked = flask("menu", "check", STARTER)
    assert checked.exit_code == 0
    assert checked.stdout == f"{STARTER}: 0 errors, 0 warnings. Callers can hear this.\n"


def test_check_fails_with_every_problem_and_its_place(flask: Flask, broken: Path) -> None:
    checked = flask("menu", "check", broken)
    assert checked.exit_code == 1
    assert "column 16: error: 'genral' is no queue. Did you mean 'general'?" in checked.output
    assert "warning: offers are switched off" in checked.output
    assert checked.output.endswith("Error: 1 error, 1 warning\n")


def test_check_of_a_file_that_is_not_there_says_so(flask: Flask, tmp_path: Path) -> None:
    checked = flask("menu", "check", tmp_path / "none.yaml")
    assert checked.exit_code == 1
    assert "the file cannot be read: No such file or directory. Check its path" in checked.output


def test_publish_refuses_a_broken_file_and_keeps_what_was_live(flask: Flask, broken: Path, db: Connection) -> None:
    flask("menu", "publish", STARTER, "--by", "dana", "--reason", "first")
    refused = flask("menu", "publish", broken, "--by", "dana", "--reason", "oops")
    assert refused.exit_code == 1
    assert "Nothing was published: what was live stays live." in refused.output
    assert [one.reason for one in plans.history(db)] == ["first"]


def test_a_user_without_a_login_name_is_recorded_by_number(
    flask: Flask, db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 10001")

    monkeypatch.setattr("getpass.getuser", nameless)
    assert flask("menu", "publish", STARTER, "--reason", "first").output == "Plan 1 is live.\n"
    assert [one.published_by for one in plans.history(db)] == [f"uid {os.getuid()}"]


def test_the_life_of_a_menu(flask: Flask, tmp_path: Path, redis: "Redis") -> None:
    channel = redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
    channel.subscribe("offhold:news")
    channel.get_message(timeout=1)
    assert flask("menu", "publish", STARTER, "--by", "dana", "--reason", "first").output == "Plan 1 is live.\n"
    news = channel.get_message(timeout=5)
    assert news is not None
    assert news["data"] == "plan"

    changed = tmp_path / "menu.yaml"
    changed.write_text(flask("menu", "export").output.replace("brand: Lumora", "brand: Northwind"))
    flask("menu", "publish", changed, "--by", "lee", "--reason", "new name")
    assert flask("menu", "diff", "1", "2").output == "Brand: 'Lumora' became 'Northwind'\n"
    assert flask("menu", "rollback", "1", "--by", "dana", "--reason", "too soon").output == (
        "Plan 3 is live: version 1 again.\n"
    )
    assert flask("menu", "diff", "1", "3").output == "Callers hear no difference.\n"
    lines = flask("menu", "list").output.splitlines()
    assert [line[:6] for line in lines] == ["*    3", "     2", "     1"]
    assert lines[0].endswith("dana: too soon (version 1 again)")
    assert flask("menu", "export", "2").output == changed.read_text("utf-8")


@pytest.mark.parametrize("words", [("export", "7"), ("diff", "7", "8"), ("rollback", "7", "--reason", "x")])
def test_a_version_that_is_none_is_told_in_words(flask: Flask, words: tuple[str, ...]) -> None:
    answer = flask("menu", *words)
    assert (answer.exit_code, answer.output) == (1, "Error: there is no plan 7\n")


def test_a_queue_is_closed_by_hand_and_opened_again(flask: Flask) -> None:
    flask("menu", "publish", STARTER, "--reason", "first")
    assert flask("queues", "close", "technical", "--by", "dana", "--reason", "storm").exit_code == 0
    closed = next(line for line in flask("queues", "list").output.splitlines() if line.startswith("technical"))
    assert "closed by dana: storm" in closed
    flask("queues", "open", "technical", "--by", "dana")
    assert "technical        open" in flask("queues", "list").output.splitlines()


def test_a_queue_that_is_none_cannot_be_closed(flask: Flask) -> None:
    flask("menu", "publish", STARTER, "--reason", "first")
    answer = flask("queues", "close", "tecnical", "--reason", "typo")
    assert (answer.exit_code, answer.output) == (
        1,
        "Error: There is no queue 'tecnical'. Did you mean 'technical'?\n",
    )


def test_before_the_first_publication_the_commands_say_what_to_do(flask: Flask) -> None:
    assert "flask menu publish FILE" in flask("menu", "list").output
    assert "no plan is published yet" in flask("queues", "list").output
