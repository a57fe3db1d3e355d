"""The menu that comes with a community of one's own."""

from ivr.planfile.read import read_plan
from ivr.release import STARTER, open_menu


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
