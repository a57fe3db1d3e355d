"""A small plan and clips for rendering."""

from collections.abc import Sequence

import pytest

from ivr.call.plan import Choice, Hours, Language, Leaf, Menu, Plan, Queue

BASE = "https://ivr.example.org"


class Clips:
    def paths(self, seconds: int, turn: int = 0) -> Sequence[str]:
        return (f"/audio/{seconds}.wav",)

    def parts(self, words: str, language: str) -> Sequence[tuple[str, str | None]]:
        return ((words, None),)


@pytest.fixture
def clips() -> Clips:
    return Clips()


@pytest.fixture
def plan() -> Plan:
    leaf = Leaf("router", "technical", {"en": "your router"})
    hours = Hours("UTC", tuple(((0, 1440),) for _ in range(7)))
    return Plan(
        version=3,
        brand="Lumora",
        main=Menu("main", (Choice("router", "1", {"en": "router"}, leaf=leaf),)),
        queues={"technical": Queue("technical", {"en": "technical support"}, hours)},
        default_queue="technical",
        languages=(
            Language("en", "en-US", "Polly.Joanna-Neural"),
            Language("es", "es-US", "Polly.Lupe-Neural", rate_percent=90),
        ),
        wording={"en": {"sorry_hold": "Sorry."}, "es": {}},
    )
