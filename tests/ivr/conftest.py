"""What tests of the service share: a forum on this machine."""

from collections.abc import Iterator

import pytest

from search.sources import fetching
from tests.search.sources.standins import STEPS, Forum


@pytest.fixture
def forum(monkeypatch: pytest.MonkeyPatch) -> Iterator[Forum]:
    """Two threads: one with an accepted answer, one with an answer only."""
    monkeypatch.setattr(fetching, "PER_SECOND", 1e6)
    stand_in = Forum()
    stand_in.add(1, "Router light is red", "It was fine before.", STEPS, accepted=2)
    stand_in.add(2, "Invoice came twice", "What do I do with the second one?", f"Throw it away. {STEPS}")
    with stand_in.running():
        yield stand_in
