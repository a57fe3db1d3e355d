"""Whoever guesses links, or pretends to be somebody else while doing so (S5, S7)."""

import math
from collections import Counter
from secrets import token_bytes

from flask import Flask
from flask.testing import FlaskClient

from ivr.texts.links import ALPHABET, TOKEN, TOKEN_LENGTH, make_token
from ivr.web.links import MISSES_A_MINUTE

MADE = 60_000


def test_tokens_are_even_in_every_place_and_never_the_same() -> None:
    tokens = [make_token(token_bytes(16)) for _ in range(MADE)]
    assert len(set(tokens)) == MADE
    freedom, expected = len(ALPHABET) - 1, MADE / len(ALPHABET)
    # Wilson and Hilferty: 1e-6 in all is far beyond chance in any of the eleven places.
    limit = freedom * (1 - 2 / (9 * freedom) + 5.2 * math.sqrt(2 / (9 * freedom))) ** 3
    for place in range(TOKEN_LENGTH):
        seen = Counter(token[place] for token in tokens)
        assert sum((seen[letter] - expected) ** 2 / expected for letter in ALPHABET) < limit
    assert all(TOKEN.fullmatch(token) for token in tokens)
    assert math.log2(len(ALPHABET) ** TOKEN_LENGTH) > 59.5


def test_a_million_live_links_are_not_found_by_a_thousand_guesses_a_second_in_ten_years() -> None:
    """Though nobody limited them: the limit is there to keep the service free for others."""
    tries = 1000 * 3600 * 24 * 365 * 10
    assert tries * 1_000_000 / len(ALPHABET) ** TOKEN_LENGTH < 0.01


def test_a_guesser_cannot_be_somebody_else_by_saying_so(app: Flask, browser: FlaskClient, token: str) -> None:
    """From outside, `X-Forwarded-For` is only words; behind our proxy its last entry is what the proxy saw."""

    def guess(n: int, remote: str, said: str) -> int:
        headers = {"X-Forwarded-For": said, "X-Real-IP": said, "Forwarded": f"for={said}", "X-Forwarded-Host": "evil"}
        path = f"/r/{n:011}"
        return browser.get(path, headers=headers, environ_base={"REMOTE_ADDR": remote}).status_code

    outside = [guess(n, "93.184.216.34", f"93.184.216.{n % 200}") for n in range(MISSES_A_MINUTE + 5)]
    assert outside[-1] == 429
    behind = [guess(n, "10.0.0.2", f"93.184.217.{n % 200}, 93.184.218.9") for n in range(MISSES_A_MINUTE + 5)]
    assert behind[-1] == 429
    assert guess(7, "10.0.0.2", "93.184.219.9") == 404


def test_a_guesser_with_a_whole_network_of_addresses_is_one(browser: FlaskClient, token: str) -> None:
    """Whoever has one IPv6 connection has 2 ** 64 addresses."""

    def guess(n: int, remote: str) -> int:
        return browser.get(f"/r/{n:011}", environ_base={"REMOTE_ADDR": remote}).status_code

    same_line = [guess(n, f"2a00:1450:4001:81::{n + 1:x}") for n in range(MISSES_A_MINUTE + 5)]
    assert same_line[-1] == 429
    assert guess(7, "2a00:1450:4001:82::1") == 404


def test_what_a_client_says_of_its_way_here_signs_nothing_and_makes_no_address(
    browser: FlaskClient, token: str
) -> None:
    said = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher", "X-Forwarded-Prefix": "/evil"}
    page = browser.get(f"/r/{token}", headers={**said, "Host": "evil.example"})
    assert "evil" not in page.text
    assert "evil" not in str(page.headers)
