"""`flask rates`, `settle`, `months` and `contacts` as an operator types them, on real stores."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from psycopg import Connection

from config.settings import Settings
from ivr.app import create_app
from ivr.jobs.summarize import summarize_calls
from ivr.wiring import build
from models import rates
from tests.ivr.jobs.test_settle_ledger import CARD
from tests.ivr.jobs.test_summarize import add_call, use_text

Flask = Callable[..., Result]
BEGAN = datetime(2026, 10, 6, 17, 0, tzinfo=UTC)


@pytest.fixture
def flask(settings: Settings, db: Connection) -> Iterator[Flask]:
    wiring = build(settings, clock=lambda: BEGAN + timedelta(days=10))
    wiring.development_account = False
    runner = create_app(wiring).test_cli_runner()
    add_call(db, "CA1", BEGAN)
    use_text(db, "CA1", BEGAN)
    summarize_calls(wiring)
    yield lambda *words: runner.invoke(args=[str(word) for word in words])
    wiring.close()


@pytest.fixture
def card(tmp_path: Path) -> Path:
    file = tmp_path / "rates.yaml"
    file.write_text(CARD)
    return file


def test_a_broken_rate_card_is_refused_with_the_place_and_nothing_changes(
    flask: Flask, card: Path, db: Connection
) -> None:
    card.write_text(CARD.replace("cost: 8.00", "cost: -8"))
    refused = flask("rates", "publish", card, "--by", "ann", "--reason", "new")
    assert refused.exit_code == 1
    assert "line 6, column 23: error: 'cost' of agents of 'billing' is -8" in refused.output
    assert refused.output.endswith("Nothing was published: what stood stands.\n")
    assert rates.latest(db) is None


def test_without_a_rate_card_the_example_is_called_a_placeholder(flask: Flask) -> None:
    assert "8.01 USD a contact (placeholder, not your data" in flask("rates", "show").output


def test_publish_settle_and_close(flask: Flask, card: Path) -> None:
    assert flask("rates", "check", card).exit_code == 0
    assert flask("rates", "publish", card, "--by", "ann", "--reason", "first").output == "Rate card 1 stands.\n"
    assert "cli:ann: first" in flask("rates", "list").output
    assert flask("rates", "show", "--yaml").output == CARD
    assert "budget 2026" in flask("rates", "show").output
    assert flask("rates", "hours", "2026-10", "2.5", "--source", "log").output == "2026-10: 2.5 hours.\n"
    settled = flask("settle", "--month", "2026-10")
    assert "20 entries written" in settled.output  # four of the call, fifteen days' hosting, the hours
    assert "-125.0000 USD" in settled.output
    assert "0 entries written" in flask("settle").output
    refused = flask("months", "close", "2026-10", "--by", "ann", "--reason", "done")
    assert "it can be closed from 2026-11-08T00:00+00:00 on. Who published" in refused.output
    assert flask("months", "list").output == "2026-10  open\n"


@pytest.mark.parametrize("month", ["9999-12", "0000-01", "2026-13", "1999-12", "2026-9"])
def test_what_is_no_month_is_refused(flask: Flask, month: str) -> None:
    assert f"'{month}' is no month: write 2026-09" in flask("settle", "--month", month).output


@pytest.mark.parametrize("hours", ["-1", "many", "NaN", "1e99"])
def test_hours_that_are_none_are_refused(flask: Flask, hours: str) -> None:
    refused = flask("rates", "hours", "2026-10", "--source", "log", "--", hours)
    assert refused.exit_code == 1
    assert "is no number of hours" in refused.output


def test_an_import_says_what_it_kept_and_parked(flask: Flask, tmp_path: Path) -> None:
    file = tmp_path / "crm.csv"
    file.write_text("number,at\n+12025550143,2026-10-08T10:00:00-04:00\n12,2026-10-08T10:00:00-04:00\n")
    done = flask("contacts", "import", file, "--channel", "e-mail", "--by", "ann")
    assert "crm.csv, line 3: 'number' is no phone number" in done.output
    assert done.output.endswith("2 rows: 1 new, 0 known, 1 parked\n")
    assert "e-mail  crm.csv: 2 rows, 1 new, 1 parked" in flask("contacts", "list").output
    assert flask("contacts", "parked", "1").output == "line 3: 'number' is no phone number\n"
    bad = flask("contacts", "import", tmp_path / "rates.txt", "--channel", "e-mail")
    assert bad.exit_code != 0
    assert "a name of 1 to 60 letters is needed" in flask("contacts", "import", file, "--channel", " ").output
