"""The body of a text: one segment, one link, nothing else a handset would act on."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.call.plan import Language, Menu, Plan
from ivr.texts import compose
from ivr.texts.segments import count, is_gsm
from ivr.texts.smsable import cut, smsable

LINK = "https://help.lumora.example/r/0aZ9bY8cX7d"
WORDING = {
    "text_link": "{brand}: {title} {link} Reply 1 solved, 2 not. STOP to end, HELP for help",
    "text_discreet_title": "The steps you asked for",
    "reply_steps": "{brand}: {steps}",
    "reply_found": "{brand}: this may be it: {title} {link}",
    "text_follow_up": "{brand}: did the steps help? Reply 1 solved, 2 not. STOP to end",
    "reply_not": "{brand}: call {number}",
}
PLAN = Plan(1, "Lumora", Menu("main", ()), {}, "general", (Language("en", "en-US", "voice"),), wording={"en": WORDING})
URL = re.compile(r"https?://|www\.|[\w-]+\.[a-z]{2,}", re.IGNORECASE)


def body(title: str, *, discreet: bool = False) -> compose.Composed:
    return compose.link_text(PLAN, "en", title=title, link=LINK, discreet=discreet)


def test_a_text_is_one_segment_with_title_and_link() -> None:
    text = body("Router light stays red")
    assert text.body == f"Lumora: Router light stays red {LINK} Reply 1 solved, 2 not. STOP to end, HELP for help"
    assert text.segments == 1


def test_a_long_title_is_cut_at_a_word() -> None:
    text = body("My router has a red light and the Internet goes away every evening when it is dark")
    assert text.body.startswith("Lumora: My router has a red light and the Internet goes away... https://")
    assert text.segments == 1


def test_a_discreet_text_names_no_subject() -> None:
    assert body("Charged twice for the same month", discreet=True).body.startswith(
        f"Lumora: The steps you asked for {LINK}"
    )


@pytest.mark.parametrize(
    ("title", "safe"),
    [
        ("Router “blinks” – again…", 'Router "blinks" - again...'),
        ("¿Qué pasó con mi señal? Está caída", "¿Qué paso con mi señal? Esta caida"),
        ("Facturación: cargo doble", "Facturacion: cargo doble"),
        ("Go to http://evil.example now", "Go to now"),
        ("Go to evil.com/x now", "Go to now"),
        ("See EVIL.COM for help", "See for help"),
        ("ev\u200bil.com pays", "pays"),
        ("ｅｖｉｌ．ｃｏｍ pays", "pays"),
        ("ev中il.com pays", "pays"),
        ("evil。com pays", "pays"),
        ("Write to me@evil.example please", "Write to please"),
        ("Call 1-900-555-0199 now", "Call now"),
        ("Call 1-900 now", "Call now"),
        ("Call (202) 555 01 43 now", "Call now"),
        ("Call ２０２５５５０１４３ now", "Call now"),
        ("Text 12345 to win", "Text to win"),
        ("Open 192.168.1.1 in the browser", "Open in the browser"),
        ("Light red.It stays so", "Light red. It stays so"),
        ("one\r\ntwo\tthree\u2028four", "one two three four"),
        ("abc\u202edef\u2066ghi", "abcdefghi"),
        ("Router соntrоl", "Router control"),
        ("Box [A] {B} ~C| €5", "Box (A) (B) -C/ EUR 5"),
        ("Model X200 shows E3", "Model X200 shows E3"),
        ("😀 smile", "smile"),
        ("路由器红灯", ""),
        ("12", ""),
        ("", ""),
    ],
)
def test_a_title_is_made_safe_and_cheap(title: str, safe: str) -> None:
    assert smsable(title) == safe


def test_a_title_of_which_nothing_is_left_becomes_the_plans_words() -> None:
    assert body("路由器红灯").body.startswith("Lumora: The steps you asked for https://")


@given(st.text(max_size=300) | st.from_regex(r"[\w. :/@-]{0,80}(http://|www\.)?[\w.-]+\.(com|net|example)[/\w]*"))
def test_whatever_the_title_the_text_has_our_link_only(title: str) -> None:
    text = body(title)
    assert text.segments == 1
    assert is_gsm(text.body)
    assert "\n" not in text.body
    assert text.body.count(LINK) == 1
    rest = text.body.replace(LINK, "")
    assert re.search(r"https?:|www\.|@|\d{5}", rest) is None
    assert re.search(r"[a-z0-9]\.[a-z]{2,}", rest) is None


@given(st.text(max_size=200), st.integers(8, 160))
def test_a_cut_fits(words: str, room: int) -> None:
    safe = smsable(words)
    assert len(cut(safe, room)) <= room


def test_a_wordy_plan_takes_a_second_segment_rather_than_the_title() -> None:
    long = {**WORDING, "text_link": "{brand}: {title} {link} " + "Reply one if it is solved. " * 5}
    plan = Plan(1, "Lumora", PLAN.main, {}, "general", PLAN.languages, wording={"en": long})
    text = compose.link_text(plan, "en", title="Router light stays red", link=LINK, discreet=False)
    assert "Router light stays red" in text.body
    assert text.segments == 2
    assert compose.title_room(plan, "en", LINK) < 30 < compose.title_room(PLAN, "en", LINK)


def test_steps_take_at_most_three_segments() -> None:
    text = compose.steps_text(PLAN, "en", "1. Hold the reset key for ten seconds.\n2. Wait. " * 40)
    assert text is not None
    assert text.segments == 3
    assert text.body.startswith("Lumora: 1. Hold the reset key for ten seconds. 2. Wait.")
    assert text.body.endswith("...")
    assert compose.steps_text(PLAN, "en", "路由器") is None


def test_braces_in_a_title_mean_nothing() -> None:
    assert body("{link} {brand.__class__}").body.startswith(f"Lumora: (link) (brand.__class__) {LINK} ")


def test_other_replies_count_their_segments() -> None:
    text = compose.plain_text(PLAN, "en", "reply_not", brand="Lumora", number="+12025550143")
    assert (text.body, text.segments) == ("Lumora: call +12025550143", 1)
    assert compose.follow_up_text(PLAN, "en").segments == count(compose.follow_up_text(PLAN, "en").body).segments == 1
