"""The terminal form: play a story and print the call as it happens."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import requests

from config.settings import Settings, load_or_exit
from ivr.phone.desk import MARK
from ivr.phone.server import running
from ivr.phone.setup import Refused, carrier_of, phone_app
from ivr.phone.story import Story, StoryError, read
from ivr.phone.story_play import StoryResult, WallClock, play_story

LOOK_S = 0.2


def call_with_story(settings: Settings, file: Path, *, double: bool = False) -> int:
    """Play a story against the running service; 0 = as written, 1 = not, 2 = not a story.

    On the running test phone when there is one (its page shows the same call), else on one of its own, which
    then answers the service's REST requests on PHONE_PORT until the story ends.
    """
    try:
        story = read(file)
    except StoryError as problem:
        print("\n".join(problem.problems), file=sys.stderr)
        return 2
    except OSError as problem:
        print(f"{file}: cannot be read ({problem.strerror})", file=sys.stderr)
        return 2
    except UnicodeDecodeError:
        print(f"{file}: this is not UTF-8 text. Save the file as UTF-8", file=sys.stderr)
        return 2
    print(story.title)
    base = f"http://127.0.0.1:{settings.phone_port}"
    if _answers(base):
        return _on_the_running_phone(base, file, double)
    try:
        return _on_our_own(settings, story, double)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 2


def _answers(base: str) -> bool:
    try:
        return requests.get(base + "/desk/state", timeout=2).ok
    except requests.exceptions.RequestException:
        return False


def _on_our_own(settings: Settings, story: Story, double: bool) -> int:
    carrier = carrier_of(settings)
    app, ticker = phone_app(settings, carrier)
    with running(app, settings.phone_port):
        ticker.start()
        try:
            result = play_story(story, carrier, pace=WallClock(), double=double, tell=_print)
        finally:
            ticker.stop()
    return _verdict(result)


def _on_the_running_phone(base: str, file: Path, double: bool) -> int:
    asked = {"name": file.name, "double": "1" if double else "0"}
    begun = requests.post(base + "/desk/stories", params=asked, data=file.read_bytes(), headers={MARK: "1"}, timeout=5)
    place, after = begun.json()["id"], 0
    while True:
        seen = requests.get(f"{base}/desk/stories/{place}", params={"after": after}, timeout=5).json()
        for line in seen["lines"]:
            _print(line)
        after += len(seen["lines"])
        if seen["done"]:
            return _verdict(StoryResult("", problems=seen["problems"], cannot=seen["cannot"]))
        time.sleep(LOOK_S)


def _print(line: str) -> None:
    print(line, flush=True)


def _verdict(result: StoryResult) -> int:
    if result.cannot:
        print(f"Not done here, only in the tests: {', '.join(result.cannot)}")
    for problem in result.problems:
        print(problem, file=sys.stderr)
    print("As written." if result.ok else f"{len(result.problems)} not as written.")
    return 0 if result.ok else 1


def cli(arguments: Sequence[str]) -> int:
    """`call --story FILE [--double]`; gives the exit status."""
    parser = argparse.ArgumentParser(prog="phone", description="The test phone in the terminal")
    orders = parser.add_subparsers(dest="order", required=True)
    call = orders.add_parser("call", help="play a story against the running service")
    call.add_argument("--story", type=Path, required=True, metavar="FILE", help="the story, YAML")
    call.add_argument("--double", action="store_true", help="send every webhook twice")
    chosen = parser.parse_args(arguments)
    return call_with_story(load_or_exit(), chosen.story, double=chosen.double)
