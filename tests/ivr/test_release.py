"""The menu that comes with a community of one's own."""

from pathlib import Path

from psycopg import Connection

from config.settings import Settings
from ivr.app import create_app
from ivr.planfile.read import read_plan
from ivr.release import STARTER, open_menu
from ivr.wiring import build
from models import plans


def test_the_starter_menu_for_other_articles_neither_pins_nor_restricts() -> None:
    text = (STARTER / "menu.yaml").read_text("utf-8")
    own, other = read_plan(text.encode()).plan, read_plan(open_menu(text).encode()).plan
    assert own is not None
    assert other is not None
    assert any(leaf.pinned or leaf.allowed_tags for _, leaf in own.leaves().values())
    assert not any(leaf.pinned or leaf.allowed_tags for _, leaf in other.leaves().values())
    assert [leaf.never_offer for _, leaf in own.leaves().values()] == [
        leaf.never_offer for _, leaf in other.leaves().values()
    ]


def test_articles_that_are_refused_leave_the_plan_as_it_is(settings: Settings, db: Connection, tmp_path: Path) -> None:
    """What was live stays live: the starter menu loses its pins to a community that came, not to one that did not."""
    wiring, broken = build(settings), tmp_path / "articles.jsonl"
    app = create_app(wiring)
    runner = app.test_cli_runner()
    starter = STARTER / "menu.yaml"
    assert runner.invoke(args=["menu", "publish", str(starter), "--reason", "begin"]).exit_code == 0
    live = plans.live_version(db)
    broken.write_text("no article\n")
    for path in (broken, tmp_path / "misspelt.jsonl"):
        with app.app_context():
            done = runner.invoke(args=["release", "--articles", str(path)])
        assert done.exit_code == 1
        assert str(path) in done.stderr
        assert plans.live_version(db) == live
    wiring.close()
