"""Articles, sources and the review queue, as a program works with them."""

from datetime import timedelta

from ivr.wiring import Wiring
from models import articles, audit, sources
from models.sources import SourceRow
from tests.ivr.web.api.conftest import Program, WithToken
from tests.ivr.web.conftest import RED_LIGHT, Clock
from tests.ivr.web.console.test_articles import article, keep, offered
from tests.ivr.web.console.test_reviews import put, thread

SHORT = "Hold the button on the back for ten seconds, then wait for the white light."
PATH = f"/api/v1/articles/{RED_LIGHT.id}"


def whats(wiring: Wiring) -> list[str]:
    """What the audit log says was done, newest first."""
    with wiring.pool.connection() as conn:
        return [one.what for one in audit.find(conn, limit=10)]


def test_articles_come_page_by_page_those_offered_most_first(
    with_token: WithToken, wiring: Wiring, clock: Clock
) -> None:
    keep(wiring, *(article(number) for number in range(1, 5)))
    offered(wiring, clock, "town:3", offered=9, taken=4)
    offered(wiring, clock, "town:2", offered=2)
    client, seen, after = with_token("read"), [], None
    for _ in range(3):
        query = {"limit": 2, "words": "", **({"after": after} if after else {})}
        told = client.get("/api/v1/articles", query_string=query).get_json()
        seen += told["items"]
        after = told["next"]
    assert [one["id"] for one in seen] == ["town:3", "town:2", RED_LIGHT.id, "town:1", "town:4"]
    assert after is None
    taken = seen[0]["did"]["taken"]
    assert (taken["count"], taken["of"], round(taken["low"], 2), round(taken["high"], 2)) == (4, 9, 0.19, 0.73)
    assert seen[4]["did"] is None
    wrong = client.get("/api/v1/articles", query_string={"after": "nowhere"})
    assert (wrong.status_code, wrong.get_json()["problems"][0]["field"]) == (422, "after")


def test_an_article_is_reworded_for_the_answer_that_was_read(with_token: WithToken, wiring: Wiring) -> None:
    client = with_token("articles", "read")
    before = client.get(PATH).get_json()
    sent = {"short": SHORT, "title": "Red light", "seen": before["seen"], "why": "clearer"}
    after = client.put(f"{PATH}/wording", json=sent).get_json()
    assert (after["short"], after["title"], after["imported_title"]) == (SHORT, "Red light", RED_LIGHT.title)
    assert (after["edited_by"], after["edit_holds"]) == ("program 1", True)
    assert whats(wiring) == ["article.edit"]
    other = client.put(f"{PATH}/wording", json={**sent, "seen": "another answer"})
    assert (other.status_code, other.get_json()["id"]) == (409, "conflict")
    wrong = client.put(f"{PATH}/wording", json={**sent, "short": "See https://x.example for all the many steps."})
    assert (wrong.status_code, wrong.get_json()["problems"][0]["field"]) == (422, "short")


def test_an_article_is_withdrawn_and_brought_back(with_token: WithToken, wiring: Wiring) -> None:
    client = with_token("articles", "read")
    assert client.post(f"{PATH}/withdraw", json={"why": "wrong"}).get_json()["state"] == "withdrawn"
    with wiring.pool.connection() as conn:
        assert articles.state(conn, RED_LIGHT.id) == "withdrawn"
    assert client.post(f"{PATH}/restore", json={"why": "right"}).get_json()["state"] == "live"
    assert whats(wiring) == ["article.restore", "article.withdraw"]
    assert client.post("/api/v1/articles/nothing/withdraw", json={"why": "wrong"}).status_code == 404


def add_source(wiring: Wiring) -> None:
    with wiring.pool.connection() as conn:
        at = wiring.clock() + timedelta(minutes=15)
        url = "http://127.0.0.1:9/"
        sources.add(
            conn, SourceRow("town", "discourse", url, {}, "SOURCE_KEY", "accepted", None, "en", "", False, 15, at)
        )


def test_a_source_is_synced_paused_and_removed_with_its_articles(with_token: WithToken, wiring: Wiring) -> None:
    add_source(wiring)
    keep(wiring, article(1), article(2))
    client = with_token("articles", "read")
    (told,) = client.get("/api/v1/sources").get_json()["items"]
    assert (told["name"], told["state"], told["articles"], told["paused"]) == ("town", "new", 2, False)
    assert "SOURCE_KEY" not in str(told)
    assert client.post("/api/v1/sources/town/sync").status_code == 202
    assert client.get("/api/v1/sources/town").get_json()["state"] == "waiting"
    paused = client.post("/api/v1/sources/town/pause", json={"paused": True, "why": "too many"}).get_json()
    assert paused["paused"] is True
    assert client.post("/api/v1/sources/town/remove", json={"why": "over"}).get_json() == {"lapsed": 2}
    assert client.get("/api/v1/sources/town").status_code == 404
    assert whats(wiring) == ["source.remove", "source.pause", "source.sync"]


def test_a_source_on_this_machine_is_not_asked_when_it_is_tried(with_token: WithToken, wiring: Wiring) -> None:
    add_source(wiring)
    answer = with_token("articles").post("/api/v1/sources/town/try")
    assert (answer.status_code, answer.get_json()["problems"][0]["field"]) == (422, "url")


def waiting(client: Program) -> list[dict[str, str]]:
    items: list[dict[str, str]] = client.get("/api/v1/reviews").get_json()["items"]
    return items


def test_threads_are_approved_and_refused_by_the_words_that_were_read(with_token: WithToken, wiring: Wiring) -> None:
    put(wiring, {number: thread(number) for number in (1, 2, 3)})
    client = with_token("articles", "read")
    found = waiting(client)
    assert [one["article"] for one in found] == ["town:1", "town:2", "town:3"]
    assert found[0]["reason"] == "no accepted answer"
    first = client.get("/api/v1/reviews", query_string={"limit": 2}).get_json()
    rest = client.get("/api/v1/reviews", query_string={"limit": 2, "after": first["next"]}).get_json()
    assert [one["article"] for one in (*first["items"], *rest["items"])] == ["town:1", "town:2", "town:3"]
    picked = [{"article": one["article"], "seen": one["seen"]} for one in found]
    sent = {"how": "approve", "threads": [picked[0], {**picked[1], "seen": "other words"}], "why": "read them"}
    assert client.post("/api/v1/reviews/decide", json=sent).get_json() == {"done": ["town:1"], "changed": 1}
    assert client.get("/api/v1/articles/town:1").get_json()["state"] == "live"
    client.post("/api/v1/reviews/decide", json={"how": "refuse", "threads": [picked[2]]})
    assert [one["article"] for one in waiting(client)] == ["town:2"]
    made = client.get("/api/v1/reviews/decided").get_json()["items"]
    assert {(one["article"], one["how"], one["who"]) for one in made} == {
        ("town:1", "approved", "program 1"), ("town:3", "refused", "program 1"),
    }  # fmt: skip
