"""Articles as staff find, read, edit and withdraw them."""

import html
import re
from dataclasses import replace

import pytest

from ivr.call.effects import Search
from ivr.finding import find
from ivr.wiring import Wiring
from models import articles, audit
from search.article import Answer, Article
from tests.ivr.web.conftest import RED_LIGHT, Clock
from tests.ivr.web.console.conftest import ConsoleClient, SignedIn

SHORT = "Hold the button on the back for ten seconds, then wait for the white light."
XSS = "<script>alert(1)</script> Router \"&' light"


def words(answer: object) -> str:
    """What a page says, tags taken out."""
    text = answer.get_data(as_text=True)  # type: ignore[attr-defined]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def article(number: int, **changed: object) -> Article:
    made = Article(
        id=f"town:{number}",
        title=f"Invoice {number} came twice",
        question="What do I do with the second one?",
        answers=(Answer("Throw the second invoice away, it is only a copy of it.", None, 1, True),),
        language="en",
        tags=("billing",),
        short="Throw the second invoice away, it is only a copy of it.",
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def keep(wiring: Wiring, *given: Article, source: str = "town") -> None:
    with wiring.pool.connection() as conn:
        articles.upsert_many(conn, given, source)


def offered(wiring: Wiring, clock: Clock, article_id: str, **counts: int) -> None:
    columns = ("offered", "taken", "heard", "opened", "solved", "not_solved", "back")
    with wiring.pool.connection() as conn:
        conn.execute(
            f"INSERT INTO article_days (day, article, {', '.join(columns)})"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (clock().date(), article_id, *(counts.get(name, 0) for name in columns)),
        )


def seen(client: ConsoleClient, article_id: str) -> str:
    found = re.search(r'name="seen" value="(\w+)"', client.get(f"/console/articles/{article_id}").text)
    assert found
    return found[1]


def edit(client: ConsoleClient, article_id: str = RED_LIGHT.id, **changed: str) -> object:
    fields = {"short": SHORT, "title": "Red light on the router", "why": "Clearer", "act": "keep", **changed}
    return client.post_form(f"/console/articles/{article_id}/edit", **{"seen": seen(client, article_id), **fields})


def pinned(wiring: Wiring) -> tuple[str, str | None]:
    """Title and short version of what a caller is led to now."""
    with wiring.pool.connection() as conn:
        card = find(wiring, conn, Search(("Internet",), "", "en", pinned=(RED_LIGHT.id,))).cards[0]
    return card.title, card.short


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("words=rout+red", ["router-light-red"]),
        ("words=SECOND", ["town:1", "town:2", "town:3"]),
        ("words=town:2", ["town:2"]),
        ("words=%27+%26+%7C+!", []),
        ("source=tests", ["router-light-red"]),
        ("language=es", ["town:3"]),
        ("state=withdrawn", ["town:2"]),
        ("state=live&source=town", ["town:1", "town:3"]),
        ("tag=router", ["router-light-red"]),
        ("short=no", ["town:3"]),
        ("short=yes&source=town", ["town:1", "town:2"]),
        ("stale=on", ["town:1"]),
        ("words=nothing", []),
    ],
)
def test_articles_are_searched_and_filtered(
    query: str, expected: list[str], wiring: Wiring, clock: Clock, signed_in: SignedIn
) -> None:
    keep(wiring, article(1), article(2), article(3, language="es", short=None))
    with wiring.pool.connection() as conn:
        articles.withdraw(conn, ["town:2"])
        articles.note_dates(conn, [("town:1", None, clock().replace(year=2024)), ("town:2", None, clock())])
    page = signed_in("viewer").get(f"/console/articles?{query}")
    assert re.findall(r'/console/articles/([\w:.-]+)"', page.text) == expected


def test_pages_follow_each_other_without_gap_or_double(wiring: Wiring, signed_in: SignedIn, clock: Clock) -> None:
    keep(wiring, *(article(number) for number in range(100, 220)))
    for number in range(150, 215):
        offered(wiring, clock, f"town:{number}", offered=number % 7 + 1)
    client, address, found = signed_in("viewer"), "/console/articles", []
    while address:
        page = client.get(address).text
        found.append(re.findall(r'/console/articles/([\w:.-]+)"', page))
        further = re.search(r'href="([^"]+)">Further articles', page)
        address = html.unescape(further[1]) if further else ""
    every = [one for part in found for one in part]
    assert [len(part) for part in found] == [50, 50, 21]
    assert len(set(every)) == 121
    expected = sorted(range(150, 215), key=lambda number: (-(number % 7), f"town:{number}"))
    assert every[:65] == [f"town:{number}" for number in expected]


def test_what_callers_did_is_told_with_intervals(wiring: Wiring, clock: Clock, signed_in: SignedIn) -> None:
    offered(wiring, clock, RED_LIGHT.id, offered=40, taken=20, opened=10, solved=5, not_solved=1, back=4, heard=3)
    said = words(signed_in("viewer").get("/console/articles"))
    assert "Router light stays red tests · en 40 50% (35%–65%) 20 of 40 50% (30%–70%) 10 of 20" in said
    one = words(signed_in("viewer").get(f"/console/articles/{RED_LIGHT.id}"))
    assert "took it 50% (35%–65%) 20 of 40 callers it was offered to" in one
    assert "came back within 7 days 10% (4%–23%) 4 of 40" in one
    assert "3 heard the short version to its end." in one


def test_an_article_tells_where_it_is_pinned_and_what_the_text_says(signed_in: SignedIn) -> None:
    said = words(signed_in("viewer").get(f"/console/articles/{RED_LIGHT.id}"))
    assert "pinned" in said
    assert "The text 1 segment Lumora: Router light stays red http" in said
    assert "imported from a file, or its source was removed" in said
    assert signed_in("viewer").get("/console/articles/nowhere").status_code == 404


def test_what_people_edit_is_heard_and_outlives_an_import(wiring: Wiring, signed_in: SignedIn) -> None:
    editor = signed_in("editor")
    assert edit(editor).status_code == 303  # type: ignore[attr-defined]
    assert pinned(wiring) == ("Red light on the router", SHORT)
    keep(wiring, replace(RED_LIGHT, title="Router light stays red (again)", votes=99), source="tests")
    assert pinned(wiring) == ("Red light on the router", SHORT)
    assert "Edited by Editor 1" in words(editor.get(f"/console/articles/{RED_LIGHT.id}"))
    with wiring.pool.connection() as conn:
        (noted,) = audit.find(conn, what="article.edit")
    assert (noted.before, noted.after) == (
        {"short": None, "title": None},
        {"short": SHORT, "title": "Red light on the router"},
    )


def test_an_edit_lapses_with_a_note_when_the_accepted_answer_changes(wiring: Wiring, signed_in: SignedIn) -> None:
    editor = signed_in("editor")
    edit(editor)
    answer = replace(RED_LIGHT.answers[0], text="Never unplug it. Call us instead, please, at any time.")
    keep(wiring, replace(RED_LIGHT, answers=(answer,), short="Never unplug it."), source="tests")
    assert pinned(wiring) == ("Router light stays red", "Never unplug it.")
    said = words(editor.get(f"/console/articles/{RED_LIGHT.id}"))
    assert "The accepted answer has changed since, so the edit does not hold any more" in said
    assert SHORT in said


def test_an_edit_for_an_answer_that_changed_meanwhile_is_refused(wiring: Wiring, signed_in: SignedIn) -> None:
    editor = signed_in("editor")
    before = seen(editor, RED_LIGHT.id)
    keep(wiring, replace(RED_LIGHT, answers=(replace(RED_LIGHT.answers[0], text="Other."),)), source="tests")
    answer = edit(editor, seen=before)
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert "The accepted answer has changed meanwhile." in words(answer)


def test_an_edit_is_taken_back_by_emptying_it(wiring: Wiring, signed_in: SignedIn) -> None:
    editor = signed_in("editor")
    edit(editor)
    edit(editor, short="", title="")
    assert pinned(wiring) == (RED_LIGHT.title, RED_LIGHT.short)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"short": "Unplug it."}, "At least 5 words"),
        ({"short": "very " * 46}, "At most 45 words"),
        ({"short": "Go to https://evil.example and press the large button."}, "This cannot be read aloud"),
        ({"short": "Now do as the screenshot shows. It is quite easy to do."}, "“Now do as the screenshot shows.”"),
        ({"short": "Нажмите кнопку сзади на десять секунд"}, "This cannot be read aloud"),
        ({"title": "https://evil.example"}, "Nothing of this can be said and texted."),
        ({"title": "x" * 201}, "At most 200 letters"),
        ({"why": ""}, "Say why"),
    ],
)
def test_a_wording_that_cannot_be_is_told_beside_its_field_and_kept_there(
    fields: dict[str, str], told: str, wiring: Wiring, signed_in: SignedIn
) -> None:
    answer = edit(signed_in("editor"), **fields)
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert told in words(answer)
    name, value = next(iter(fields.items()))
    assert f'id="problem-{name}"' in answer.text  # type: ignore[attr-defined]
    assert value.strip() in words(answer) or html.escape(value) in answer.text  # type: ignore[attr-defined]
    assert pinned(wiring) == (RED_LIGHT.title, RED_LIGHT.short)


def test_the_text_is_shown_before_a_title_is_kept(wiring: Wiring, signed_in: SignedIn) -> None:
    answer = edit(signed_in("editor"), title="Rotes Licht ☎ am Router", act="preview")
    assert "Lumora: Rotes Licht am Router http" in words(answer)
    assert pinned(wiring)[0] == RED_LIGHT.title


def test_a_withdrawn_article_is_found_no_more_until_it_is_brought_back(
    wiring: Wiring, clock: Clock, signed_in: SignedIn
) -> None:
    editor, search = signed_in("editor"), Search(("Internet",), "", "en", pinned=(RED_LIGHT.id,))
    base = f"/console/articles/{RED_LIGHT.id}"
    assert editor.post_form(f"{base}/withdraw", why=" ").status_code == 422
    assert editor.post_form(f"{base}/withdraw", why="It is dangerous").status_code == 303
    with wiring.pool.connection() as conn:
        assert find(wiring, conn, search).cards == ()
    assert "Bring it back" in words(editor.get(base))
    assert editor.post_form(f"{base}/restore", why="It was not").status_code == 303
    with wiring.pool.connection() as conn:
        assert [card.id for card in find(wiring, conn, search).cards] == [RED_LIGHT.id]
        noted = [(one.what, one.on, one.why) for one in audit.find(conn, what="article")]
    assert noted == [
        ("article.restore", f"article {RED_LIGHT.id}", "It was not"),
        ("article.withdraw", f"article {RED_LIGHT.id}", "It is dangerous"),
    ]


def test_hostile_titles_and_answers_come_out_as_text(wiring: Wiring, signed_in: SignedIn) -> None:
    keep(wiring, article(1, title=XSS, question=XSS, answers=(Answer(XSS, None, 0, True),), tags=(XSS[:20],)))
    client = signed_in("editor")
    for path in ("/console/articles", "/console/articles/town:1", f"/console/articles?words={XSS}"):
        page = client.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_the_first_page_says_where_articles_come_from(wiring: Wiring, signed_in: SignedIn) -> None:
    with wiring.pool.connection() as conn:
        conn.execute("DELETE FROM articles")
    assert "There is no article yet." in words(signed_in("viewer").get("/console/articles"))
