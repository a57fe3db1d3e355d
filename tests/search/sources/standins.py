"""Servers on this machine that answer as the real systems do, and can be broken on purpose, one way at a time."""

import gzip
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

START = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
STEPS = "Press the small button on the back for ten seconds and wait until the light is green."


@dataclass
class Asked:
    """One request as it came."""

    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]

    def first(self, name: str, otherwise: str = "") -> str:
        return self.query.get(name, [otherwise])[0]


@dataclass
class Answer:
    """What the server says; `drip_s` waits so long after each byte."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    drip_s: float = 0.0


Break = Callable[[Asked, Answer], Answer]


def as_json(value: object, **headers: str) -> Answer:
    """JSON with an ETag, as Rails makes one."""
    body = json.dumps(value).encode()
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:16]}"'
    return Answer(body=body, headers={"Content-Type": "application/json; charset=utf-8", "ETag": etag, **headers})


class StandIn:
    """A server of a thread; `answer` is the system's, `broken` spoils its answers, `asked` keeps the requests."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.broken: Break | None = None
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(parts.path, parse_qs(parts.query), headers)
                stand_in.asked.append(asked)
                answer = stand_in.answer(asked)
                if answer.status == 200 and headers.get("if-none-match") == answer.headers.get("ETag", ""):
                    answer = Answer(304, b"", {"ETag": answer.headers["ETag"]})
                if stand_in.broken:
                    answer = stand_in.broken(asked, answer)
                self._send(answer)

            def _send(self, answer: Answer) -> None:
                self.send_response(answer.status)
                length = {} if "Content-Length" in answer.headers else {"Content-Length": str(len(answer.body))}
                for name, value in {**answer.headers, **length}.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    if not answer.drip_s:
                        self.wfile.write(answer.body)
                    for place in range(len(answer.body) if answer.drip_s else 0):
                        self.wfile.write(answer.body[place : place + 1])
                        self.wfile.flush()
                        if stand_in.closing.wait(answer.drip_s):
                            return
                except OSError:
                    self.close_connection = True  # the client hung up, as it should

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        self.closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def answer(self, asked: Asked) -> Answer:
        """What the real system would say."""
        raise NotImplementedError

    def paths(self) -> list[str]:
        """What was asked for, and forgotten now."""
        paths = [asked.path for asked in self.asked]
        self.asked.clear()
        return paths

    @contextmanager
    def running(self) -> Iterator["StandIn"]:
        """Within it the server answers."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.closing.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join(10)


def iso(at: datetime) -> str:
    """As Rails writes times."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Forum(StandIn):
    """A Discourse forum: its lists, topics, the further posts of a topic, one post by number, /site.json."""

    per_page = 3
    posts_at_once = 3

    def __init__(self) -> None:
        super().__init__()
        self.topics: dict[int, dict[str, Any]] = {}
        self.clock = START

    def tick(self) -> str:
        self.clock += timedelta(hours=1)
        return iso(self.clock)

    def add(self, identity: int, title: str, question: str, *answers: str, accepted: int | None = None) -> None:
        """A topic; `accepted` is the number of the post that solved it: answers begin with 2."""
        at = self.tick()
        self.topics[identity] = {
            "id": identity,
            "title": title,
            "slug": title.lower().replace(" ", "-"),
            "created_at": at,
            "bumped_at": at,
            "last_posted_at": at,
            "visible": True,
            "closed": False,
            "archived": False,
            "archetype": "regular",
            "pinned": False,
            "category_id": 5,
            "tags": [{"id": 1, "name": "router", "slug": "router"}],
            "posts": [],
            "accepted": accepted,
        }
        for text in (question, *answers):
            self.reply(identity, text)

    def reply(self, identity: int, html: str, author: str | None = None) -> None:
        """One more post, which moves the topic up."""
        topic = self.topics[identity]
        number = len(topic["posts"]) + 1
        topic["posts"].append(
            {
                "id": identity * 1000 + number,
                "post_number": number,
                "post_type": 1,
                "username": author or f"member{number}",
                "cooked": html if html.startswith("<") else f"<p>{html}</p>",
                "created_at": self.tick(),
                "hidden": False,
                "actions_summary": [{"id": 2, "count": number}],
            }
        )
        topic["bumped_at"] = topic["last_posted_at"] = iso(self.clock)

    def answer(self, asked: Asked) -> Answer:
        parts = asked.path.strip("/").split("/")
        if asked.path == "/latest.json":
            return self._list(asked, "/latest", list(self.topics.values()))
        if parts[0] == "c" and parts[-1] == "latest.json":
            mine = [topic for topic in self.topics.values() if str(topic["category_id"]) == parts[2]]
            return self._list(asked, asked.path.removesuffix(".json"), mine)
        if asked.path == "/site.json":
            return as_json({"categories": [{"id": 5, "read_restricted": False}, {"id": 9, "read_restricted": True}]})
        if parts[:2] == ["posts", "by_number"]:
            posts = self.topics[int(parts[2])]["posts"][int(parts[3].removesuffix(".json")) - 1 :]
            return as_json(posts[0]) if posts else Answer(404)
        if parts[0] == "t" and (topic := self.topics.get(int(parts[1].removesuffix(".json")))):
            return self._topic(topic) if len(parts) == 2 else self._posts(topic, asked)
        return Answer(404, b'{"errors":["gone"],"error_type":"not_found"}', {"Content-Type": "application/json"})

    def _list(self, asked: Asked, path: str, topics: list[dict[str, Any]]) -> Answer:
        page = int(asked.first("page", "0"))
        topics.sort(key=lambda topic: topic["bumped_at"], reverse=True)
        topics.sort(key=lambda topic: not topic["pinned"])
        size = int(asked.first("per_page", str(self.per_page)))
        shown = topics[page * size : (page + 1) * size]
        told: dict[str, Any] = {"per_page": size, "topics": [self._item(topic) for topic in shown]}
        if len(shown) == size:  # as TopicListSerializer: whether or not there is more
            told["more_topics_url"] = f"{path}?no_definitions=true&order=activity&page={page + 1}"
        return as_json({"users": [], "topic_list": told})

    def _item(self, topic: dict[str, Any]) -> dict[str, Any]:
        told = {name: value for name, value in topic.items() if name not in ("posts", "accepted")}
        return {**told, "posts_count": len(topic["posts"]), "has_accepted_answer": bool(topic["accepted"])}

    def _topic(self, topic: dict[str, Any]) -> Answer:
        told = self._item(topic)
        told["post_stream"] = {
            "posts": topic["posts"][: self.posts_at_once],
            "stream": [post["id"] for post in topic["posts"]],
        }
        if topic["accepted"]:
            told["accepted_answers"] = [{"post_number": topic["accepted"], "username": "member"}]
        return as_json(told)

    def _posts(self, topic: dict[str, Any], asked: Asked) -> Answer:
        wanted = {int(one) for one in asked.query["post_ids[]"]}
        return as_json({"post_stream": {"posts": [post for post in topic["posts"] if post["id"] in wanted]}})


class HelpCenter(StandIn):
    """A Zendesk help center: the list with cursor pages, the incremental export (agents only), one article."""

    def __init__(self) -> None:
        super().__init__()
        self.articles: dict[int, dict[str, Any]] = {}
        self.clock = START
        self.page = 2

    def add(self, identity: int, title: str, body: str | None, **more: object) -> None:
        """An article, published now; again: edited now."""
        self.clock += timedelta(hours=1)
        at = self.clock.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.articles[identity] = {
            "id": identity,
            "url": f"{self.url}/api/v2/help_center/en-us/articles/{identity}.json",
            "html_url": f"{self.url}/hc/en-us/articles/{identity}",
            "author_id": 77,
            "draft": False,
            "outdated": False,
            "vote_sum": 4,
            "vote_count": 6,
            "section_id": 3,
            "created_at": at,
            "updated_at": at,
            "edited_at": at,
            "name": title,
            "title": title,
            "source_locale": "en-us",
            "locale": "en-us",
            "user_segment_id": None,
            "label_names": ["billing"],
            "body": body,
            **more,
        }

    def answer(self, asked: Asked) -> Answer:
        path = asked.path.removeprefix("/api/v2/help_center").removeprefix("/en-us")
        agent = asked.headers.get("authorization", "").startswith("Basic ")
        public = [one for one in self.articles.values() if agent or not (one["draft"] or one["user_segment_id"])]
        public.sort(key=lambda one: str(one["updated_at"]), reverse=True)
        if path == "/articles.json":
            at = int(asked.first("page[after]", "0"))
            size = min(self.page, int(asked.first("page[size]", "30")))
            more = at + size < len(public)
            after = (
                f"{self.url}{asked.path}?page[size]={size}&page[after]={at + size}&sort_by=updated_at&sort_order=desc"
            )
            meta = {"has_more": more, "after_cursor": str(at + size), "before_cursor": str(at)}
            return as_json(
                {"articles": public[at : at + size], "meta": meta, "links": {"next": after if more else None}}
            )
        if path == "/incremental/articles.json":
            if not agent:
                return Answer(401, b'{"error":"Couldn\'t authenticate you"}', {"Content-Type": "application/json"})
            return self._export(int(asked.first("start_time")))
        number = path.removeprefix("/articles/").removesuffix(".json")
        if number.isdecimal() and int(number) in self.articles:
            translated = {**self.articles[int(number)], "locale": "en-us"}
            return as_json({"article": translated})
        return Answer(404, b'{"error":"RecordNotFound"}', {"Content-Type": "application/json"})

    def _export(self, start: int) -> Answer:
        def seconds(one: dict[str, Any]) -> int:
            return int(datetime.fromisoformat(one["updated_at"]).timestamp())

        changed = sorted((one for one in self.articles.values() if seconds(one) >= start), key=seconds)[: self.page]
        end = max(map(seconds, changed), default=start)
        more = f"{self.url}/api/v2/help_center/incremental/articles.json?start_time={end}"
        told = {"articles": changed, "count": len(changed), "end_time": end, "next_page": more if changed else None}
        return as_json(told)


def zipped(body: bytes) -> Answer:
    """A body sent gzipped."""
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    return Answer(body=gzip.compress(body, 1), headers=headers)
