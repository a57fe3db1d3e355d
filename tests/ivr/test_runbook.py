"""Every command of the runbook runs, in the order of its section."""

import re
import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask

from config import __main__ as config_main
from config.settings import load
from ivr import articles_cli
from ivr import wiring as wirings
from ivr.app import create_app
from ivr.carrier import signature
from ivr.jobs.summarize import summarize_calls
from models import articles, plans
from tests.conftest import TEMPLATE, RunningStores
from tests.databases import copied
from tests.ivr.web.conftest import CALL, CALLED, CALLER, RED_LIGHT, STARTER
from tests.scenery import environment
from tests.search.sources.standins import Forum

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs" / "runbook.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
#: of these a status that says "somebody must look" is an answer too
MAY_COMPLAIN = ("flask doctor",)
FILLED = {"CALL_SID": CALL, "VERSION": "1", "SOURCE": "town", "WHY": "as the runbook says"}


@pytest.fixture(scope="module")
def company(stores: RunningStores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The starter menu, one article with its index, and one call."""
    name = f"runbook_{stores.prefix}"
    with ExitStack() as parts:
        parts.enter_context(copied(stores.database_url("postgres"), TEMPLATE, name))
        folder = tmp_path_factory.mktemp("runbook")
        given = environment(stores.database_url(name), stores.redis_url, folder, SOURCES_ALLOW_PRIVATE="on")
        wiring = wirings.build(load(given, dotenv=None), pool_size=4)
        parts.callback(wiring.close)
        with wiring.pool.connection() as conn:
            plans.publish(conn, STARTER.read_text("utf-8"), "tests", "the starter menu", at=wiring.clock())
            articles.upsert_many(conn, [RED_LIGHT], "tests")
        articles_cli.build_index(wiring.settings, threads=1)
        app = create_app(wiring)
        form = {"AccountSid": wiring.settings.twilio_account_sid, "CallSid": CALL, "From": CALLER, "To": CALLED}
        secret = wiring.settings.twilio_auth_token[0].get_secret_value()
        signed = signature.sign(f"{wiring.settings.public_base_url}/voice/incoming", form, secret)
        answer = app.test_client().post("/voice/incoming", data=form, headers={signature.HEADER: signed})
        assert answer.status_code == 200
        summarize_calls(wiring)  # as a worker does all the time
        parts.enter_context(app.app_context())
        yield app


@pytest.fixture(scope="module")
def ran() -> set[str]:
    """What was run for an earlier section."""
    return set()


def test_there_are_commands() -> None:
    assert len(BLOCKS) > 15


@pytest.mark.parametrize("block", BLOCKS)
def test_the_commands_run(
    block: str, company: Flask, forum: Forum, ran: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "SOURCE" in block:
        run(company, ["source", "add", "discourse", forum.url, "--name", FILLED["SOURCE"]])
    for command in block.splitlines():
        if command in ran:
            continue
        ran.add(command)
        program, *words = shlex.split(command)
        if program == "python":
            assert words == ["-m", "config"]
            monkeypatch.setenv("DATA_DIR", str(tmp_path))
            assert config_main.main(words[2:]) == 0
            continue
        assert program == "flask"
        filled = FILLED | {"FACTS": str(tmp_path / "facts.jsonl")}
        words = [filled.get(word, word.replace("=WORDS", "=We are on it.")) for word in words]
        run(company, words, may_complain=command in MAY_COMPLAIN)


def run(company: Flask, words: list[str], *, may_complain: bool = False) -> None:
    done = company.test_cli_runner().invoke(args=words)
    assert done.exit_code == 0 or (may_complain and done.exit_code == 1), f"{words}: {done.output}{done.exception!r}"
