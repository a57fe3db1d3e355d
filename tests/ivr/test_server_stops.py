"""The web processes as they run, from start to SIGTERM."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import requests

from config.settings import Settings
from ivr.carrier import signature
from ivr.watching.together import folder_of
from tests.browser.service import ROOT, free_ports

WAIT_S = 1.5
CALL = "CA" + "1" * 32


def test_a_server_says_that_it_stops_answers_meanwhile_and_writes_all_its_lines(
    settings: Settings, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "DATA_DIR": str(settings.data_dir),
        "PORT": str(port),
        "DRAIN_WAIT_S": str(WAIT_S),
    }
    log = tmp_path / "log.txt"
    with log.open("w") as output:
        web = subprocess.Popen(
            [sys.executable, "-m", "ivr.server"], env=environ, cwd=ROOT, stdout=output, stderr=output
        )
    try:
        _until(lambda: requests.get(f"{address}/healthz", timeout=2).ok, 60)
        web.send_signal(signal.SIGTERM)
        _until(lambda: "stopping" in requests.get(f"{address}/readyz", timeout=2).json(), WAIT_S)
        form = {"AccountSid": settings.twilio_account_sid, "CallSid": CALL}
        signed = signature.sign(f"{address}/voice/hold", form, settings.twilio_auth_token[0].get_secret_value())
        answer = requests.post(f"{address}/voice/hold", data=form, headers={signature.HEADER: signed}, timeout=2)
        assert (answer.status_code, "<Play" in answer.text) == (200, True)
        assert web.wait(20) == 0
    finally:
        web.kill()
    (line,) = [json.loads(one) for one in log.read_text().splitlines() if '"event":"webhook"' in one]
    assert (line["kind"], line["outcome"], line["call_sid"]) == ("voice.hold", "degraded", CALL)
    assert not folder_of(web.pid).exists()


def _until(so: Callable[[], bool], within_s: float) -> None:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        try:
            if so():
                return
        except (requests.RequestException, ValueError):
            pass
        time.sleep(0.05)
    raise TimeoutError(f"not so within {within_s} s")
