"""Tokens, and who it was that opened a link."""

from datetime import UTC, datetime, timedelta

import pytest

from ivr.texts.links import TOKEN, Look, Visit, looks_human, make_token, url

SENT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/19.1 Mobile/15E148 Safari/604.1"
)
IMESSAGE = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1"
    " Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0"
)


def visit(
    how: str = "get", *, agent: str = PHONE, after_s: float = 30, method: str = "GET", purpose: str = "",
    visible_ms: int = 0,
) -> Visit:  # fmt: skip
    return Visit(method, how, agent, purpose, SENT + timedelta(seconds=after_s), SENT, visible_ms)


def test_a_tap_and_a_page_in_sight_are_a_person() -> None:
    assert looks_human(visit("tap")) == Look(True, "tap")
    assert looks_human(visit("visible", visible_ms=3000)) == Look(True, "visible")


def test_fetching_the_page_is_neither_person_nor_machine() -> None:
    look = looks_human(visit())
    assert look == Look(False, "page_only")
    assert not look.machine
    assert looks_human(visit("visible", visible_ms=2900)) == Look(False, "page_only")


@pytest.mark.parametrize(
    "agent",
    [
        IMESSAGE,
        "WhatsApp/2.23.20.0",
        "TelegramBot (like TwitterBot)",
        "Mozilla/5.0 (compatible; Googlebot/2.1)",
        "Slackbot-LinkExpanding 1.0",
        "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0",
        "python-requests/2.32",
        "curl/8.5.0",
        "Mozilla/5.0 (compatible; Proofpoint URL Defense)",
        "Google-Safety",
    ],
)
@pytest.mark.parametrize("how", ["get", "tap", "visible"])
def test_previews_and_scanners_are_never_a_person(agent: str, how: str) -> None:
    look = looks_human(visit(how, agent=agent, visible_ms=9000))
    assert look == Look(False, "known_scanner")
    assert look.machine


@pytest.mark.parametrize(
    ("case", "why"),
    [
        (visit("tap", method="HEAD"), "head"),
        (visit("tap", purpose="prefetch;prerender"), "prefetch"),
        (visit("tap", purpose="preview"), "prefetch"),
        (visit("tap", agent=" "), "no_user_agent"),
        (visit("tap", after_s=-1), "before_sent"),
        (visit("visible", after_s=1.5), "too_soon"),
        (Visit("GET", "tap", PHONE, "", SENT, None), "before_sent"),
    ],
)
def test_what_no_person_does_is_a_machines(case: Visit, why: str) -> None:
    assert looks_human(case) == Look(False, why)
    assert looks_human(case).machine


def test_a_phone_model_is_no_scanner() -> None:
    agent = "Mozilla/5.0 (Linux; Android 15; Cubot X90) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"
    assert looks_human(visit("tap", agent=agent)).human


def test_tokens_are_eleven_letters_from_the_noise_given() -> None:
    assert make_token(bytes(16)) == "0" * 11
    assert make_token(bytes(range(16))) != make_token(bytes(range(1, 17)))
    assert TOKEN.fullmatch(make_token(b"\xff" * 16))
    assert url("https://a.example/", "abc") == "https://a.example/r/abc"
    with pytest.raises(ValueError, match="16 random bytes"):
        make_token(b"short")
