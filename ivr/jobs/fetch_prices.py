"""What texts really cost, asked of the carrier some time after they went out; it replaces the rate card's estimate."""

from datetime import timedelta

import structlog

from ivr.carrier.sender import LookUpFailed
from ivr.wiring import Wiring
from models import settlement

log = structlog.get_logger()

PAGE = 50  # texts asked for in a run: the carrier limits requests, and texts come first
BACK_OFF = timedelta(hours=1)  # doubled each time
MOST_ATTEMPTS = 8  # ten days in all; then the estimate stays


def fetch_prices(wiring: Wiring) -> int:
    """Ask for the prices that are due; how many came to be known. Ends at the first failure of the carrier."""
    now, told = wiring.clock(), 0
    with wiring.pool.connection() as conn:
        due = settlement.prices_to_ask(conn, now, PAGE)
    for text in due:
        failed = False
        try:
            price = wiring.sender.price(text.message_sid)
        except LookUpFailed:
            price, failed = None, True
        with wiring.pool.connection() as conn:
            if price is not None:
                settlement.keep_price(conn, text.text_id, price.micro, price.currency, now)
                told += 1
            else:
                again = now + BACK_OFF * 2**text.attempts
                settlement.ask_price_again(conn, text.text_id, again if text.attempts + 1 < MOST_ATTEMPTS else None)
        if failed:
            break
    if told:
        log.info("prices_fetched", texts=told)
    return told
