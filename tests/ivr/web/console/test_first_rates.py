"""Before there is a rate card, its page shows where the figures go."""

import re

from ivr.ratefile import read_rates
from ivr.web.console.finance import FIRST_CARD
from tests.ivr.web.console.conftest import SignedIn


def test_the_first_card_is_begun_and_nothing_is_invented(signed_in: SignedIn) -> None:
    page = signed_in("finance").get("/console/rates").text
    assert "No rate card is published yet" in page
    assert "# others: {per_hour: 0.00" in page
    card = read_rates(FIRST_CARD.encode()).card
    assert card is not None
    assert [(one.agents, one.prices, one.monthly, one.gave_up) for one in card.spans] == [({}, {}, {}, None)]


def test_filled_in_it_is_a_card() -> None:
    filled = re.sub(r"(?m)^( +)# ", r"\1", FIRST_CARD).replace("cost: 0.00, minutes: 0", "cost: 6.40, minutes: 6")
    filled = filled.replace("per_hour: 0.00, minutes: 0", "per_hour: 38.50, minutes: 7")
    assert [str(one) for one in read_rates(filled.encode()).errors] == []
