"""The starter community is what the first caller is offered: its texts are held to what a reader notices."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

from search.importing import ImportReport, read_articles
from search.speakable import short_version, speakable, speakable_name, spoken_title

STARTER: Final = Path(__file__).parents[2] / "config" / "starter" / "articles.jsonl"
FIELDS: Final = frozenset(
    {
        "id",
        "title",
        "question",
        "author",
        "answers",
        "votes",
        "url",
        "tags",
        "language",
        "licence",
        "name_authors",
    }
)
TAGS: Final = frozenset({"internet", "router", "wifi", "mobile", "email", "billing", "device", "tv", "account"})
PINNED_BY_MENUS: Final = frozenset(
    {
        "router-light-red",
        "router-not-online",
        "internet-slow-evenings",
        "no-mobile-signal",
        "roaming-not-working",
        "email-messages-disappeared",
        "email-password-not-accepted",
        "charged-twice",
        "first-bill-too-high",
        "lumobox-black-screen",
        "remote-not-pairing",
        "wifi-weak-upstairs",
        "esim-new-phone",
        "voicemail-not-working",
        "es-luz-roja-router",
        "es-router-sin-conexion",
        "es-internet-lento",
        "es-sin-senal-movil",
        "es-correo-no-llega",
        "es-cobro-doble",
        "es-primera-factura",
        "es-pantalla-negra",
    }
)
# Their accepted answers open with code, a link or a pointer to a picture: a caller can only be texted these.
NOT_SPEAKABLE: Final = frozenset(
    {
        "vpn-work-drops",
        "router-admin-page",
        "calls-straight-to-voicemail",
        "email-cannot-send",
        "tv-app-sign-in-loop",
        "port-forward-lost",
        "bill-pdf-blank",
        "es-configurar-correo",
    }
)
RUN_WORDS: Final = 8
Thread = dict[str, Any]


@pytest.fixture(scope="module")
def threads() -> list[Thread]:
    return [json.loads(line) for line in STARTER.read_text("utf-8").splitlines()]


def accepted(thread: Thread) -> Thread:
    (answer,) = [answer for answer in thread["answers"] if answer["accepted"]]
    return dict(answer)


def texts(thread: Thread) -> list[str]:
    return [thread["question"], *(answer["text"] for answer in thread["answers"])]


def shared_runs(passages: list[str]) -> list[str]:
    """Runs of RUN_WORDS words that occur in more than one of `passages`."""
    runs = Counter[str]()
    for passage in passages:
        words = re.findall(r"\w+", passage.casefold())
        starts = range(len(words) - RUN_WORDS + 1)
        runs.update({" ".join(words[start : start + RUN_WORDS]) for start in starts})
    return [run for run, count in runs.items() if count > 1]


def test_there_are_at_least_eighty_threads_fifteen_of_them_spanish(threads: list[Thread]) -> None:
    languages = Counter(thread["language"] for thread in threads)
    assert languages.keys() == {"en", "es"}
    assert languages["en"] >= 75
    assert languages["es"] >= 15


def test_ids_are_unique_and_well_formed_and_spanish_ones_say_so(threads: list[Thread]) -> None:
    ids = [thread["id"] for thread in threads]
    assert [name for name, count in Counter(ids).items() if count > 1] == []
    assert [name for name in ids if not re.fullmatch(r"[a-z0-9-]{1,80}", name)] == []
    assert [t["id"] for t in threads if t["id"].startswith("es-") != (t["language"] == "es")] == []


def test_every_article_a_menu_pins_exists_and_can_be_heard(threads: list[Thread]) -> None:
    heard = {thread["id"] for thread in threads if short_version(accepted(thread)["text"])}
    assert heard >= PINNED_BY_MENUS


def test_the_importer_keeps_every_thread() -> None:
    report = ImportReport()
    kept = [article.id for article in read_articles(STARTER, report)]
    assert report.skipped == []
    assert len(kept) == len(STARTER.read_text("utf-8").splitlines())


def test_every_field_is_present_and_valid(threads: list[Thread]) -> None:
    for thread in threads:
        name = thread["id"]
        assert thread.keys() == FIELDS, name
        assert thread["url"] == f"https://community.lumora.example/t/{name}"
        assert thread["licence"] == "CC BY 4.0", name
        assert type(thread["name_authors"]) is bool, name
        assert type(thread["votes"]) is int, name
        assert thread["votes"] >= 0, name
        assert 1 <= len(thread["tags"]) == len(set(thread["tags"])) <= 3, name
        assert TAGS.issuperset(thread["tags"]), name
        assert thread["author"].strip() == thread["author"] != "", name


def test_every_thread_has_one_to_four_answers_and_exactly_one_is_accepted(threads: list[Thread]) -> None:
    for thread in threads:
        answers = thread["answers"]
        assert 1 <= len(answers) <= 4, thread["id"]
        assert [answer["accepted"] for answer in answers].count(True) == 1, thread["id"]
        for answer in answers:
            assert answer.keys() == {"author", "text", "votes", "accepted"}, thread["id"]
            assert type(answer["votes"]) is int, thread["id"]
            assert answer["votes"] >= 0, thread["id"]
            assert answer["text"].strip() == answer["text"] != "", thread["id"]


def test_titles_are_short_and_are_spoken_as_they_are_written(threads: list[Thread]) -> None:
    for thread in threads:
        title = thread["title"]
        assert 5 <= len(title.split()) <= 10, title
        assert len(title) <= 52, title
        assert spoken_title(title) == title
        assert thread["language"] == "es" or title.isascii(), title
    assert len({thread["title"] for thread in threads}) == len(threads)


def test_questions_have_thirty_to_ninety_words(threads: list[Thread]) -> None:
    lengths = {thread["id"]: len(thread["question"].split()) for thread in threads}
    assert {name: words for name, words in lengths.items() if not 30 <= words <= 90} == {}


def test_accepted_answers_open_with_the_fix_in_words_that_can_be_spoken(threads: list[Thread]) -> None:
    for thread in threads:
        if thread["id"] in NOT_SPEAKABLE:
            continue
        answer = accepted(thread)["text"]
        opening = answer.split("\n", 1)[0]
        assert 18 <= len(opening.split()) <= 45, thread["id"]
        assert speakable(opening), thread["id"]
        assert opening.endswith("."), thread["id"]
        assert (short_version(answer) or "").startswith(opening), thread["id"]
        assert "\n" in answer, f"{thread['id']} has no detail after the opening"


def test_the_deliberately_unspeakable_answers_have_no_short_version(threads: list[Thread]) -> None:
    silent = {thread["id"] for thread in threads if short_version(accepted(thread)["text"]) is None}
    assert silent == NOT_SPEAKABLE


def test_no_two_posts_share_a_run_of_eight_words(threads: list[Thread]) -> None:
    assert shared_runs([text for thread in threads for text in texts(thread)]) == []


def test_a_sentence_used_twice_would_be_found() -> None:
    once = "Take the plug out, wait a minute and put it back."
    assert "take the plug out wait a minute and" in shared_runs([once, f"Hello. {once.upper()}"])
    assert shared_runs([once, "Take the plug out, wait a minute."]) == []


def test_threads_vary_as_in_a_real_community(threads: list[Thread]) -> None:
    tags = Counter(tag for thread in threads for tag in thread["tags"])
    assert tags.keys() == TAGS
    assert min(tags.values()) >= 10
    assert sum(not thread["answers"][0]["accepted"] for thread in threads) >= 15
    assert sum(not thread["name_authors"] for thread in threads) >= 3
    authors = {answer["author"] for thread in threads for answer in thread["answers"]}
    assert sum(not speakable_name(author) for author in authors) >= 10
    votes = {answer["votes"] for thread in threads for answer in thread["answers"]}
    assert votes >= {0, 1, 2}
    assert max(votes) >= 100


def test_posts_hold_no_phone_number_no_e_mail_address_and_no_foreign_host(threads: list[Thread]) -> None:
    for thread in threads:
        for text in [thread["title"], *texts(thread)]:
            assert not re.search(r"\d[\d ()-]{6,}\d", text.replace("12345678", "")), thread["id"]
            assert "@" not in text, thread["id"]
            hosts = re.findall(r"https?://([^/\s]+)|\b((?:\w+\.)+(?:com|org|net|example))\b", text)
            assert all((a or b).endswith("lumora.example") for a, b in hosts), thread["id"]
