"""docs/menus.md says what the code does."""

from dataclasses import fields
from pathlib import Path

from ivr.call.plan import OfferRules
from ivr.call.wording import WORDING
from ivr.planfile.offers import RANGES

LINES = (Path(__file__).resolve().parents[3] / "docs" / "menus.md").read_text("utf-8").splitlines()


def row(name: str) -> list[str]:
    """The cells of the one table row that begins with a name."""
    found = [line for line in LINES if line.startswith(f"| `{name}` |")]
    assert len(found) == 1, name
    return [cell.strip() for cell in found[0].strip("|").split(" | ")]


def test_every_sentence_is_documented_with_its_placeholders() -> None:
    told = {key: {one.strip("*{}| ") for one in row(key)[1].split(",")} - {""} for key in WORDING}
    assert told == {key: set(allowed) for key, allowed in WORDING.items()}


def test_every_offer_rule_is_documented_with_its_default_and_range() -> None:
    for rule in fields(OfferRules):
        _, default, may, _ = row(rule.name)
        assert default == str(rule.default).lower()
        if rule.name in RANGES:
            least, most = RANGES[rule.name]
            assert may == (f"{least} to {most}" if least != most else str(least))
