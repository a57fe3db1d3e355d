"""What a load balancer asks, and the music the carrier fetches."""

import pytest
from flask.testing import FlaskClient

from ivr import board, ready
from ivr.wiring import Wiring


def test_the_process_answers_whatever_its_stores_do(browser: FlaskClient, wiring: Wiring) -> None:
    wiring.pool.close()
    assert (browser.get("/healthz").status_code, browser.get("/healthz").text) == (200, "ok\n")


def test_readiness_lists_every_part(browser: FlaskClient, wiring: Wiring) -> None:
    answer = browser.get("/readyz")
    assert answer.status_code == 503  # no index in these tests
    assert answer.json is not None
    parts = answer.json
    assert set(parts) == {"postgresql", "redis", "migrations", "plan", "index"}
    assert parts["index"] == "no index is loaded: flask index build"
    wiring.redis = board.connect("redis://127.0.0.1:1/0")
    wiring.pool.close()
    assert browser.get("/readyz").json == {
        "postgresql": "failed: PoolClosed",
        "redis": "failed: ConnectionError",
        "migrations": "failed: PoolClosed",
        "plan": "failed: PoolClosed",
        "index": "no index is loaded: flask index build",
    }


def test_the_bare_address_says_what_stands_there(browser: FlaskClient) -> None:
    answer = browser.get("/")
    assert answer.status_code == 200
    assert "Take a call on the test phone" in answer.text


def test_a_process_without_redis_still_takes_calls(
    browser: FlaskClient, wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ready, "problems", lambda _: {"postgresql": None, "redis": "failed: TimeoutError"})
    answer = browser.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"postgresql": "ok", "redis": "failed: TimeoutError"})
    monkeypatch.setattr(ready, "problems", lambda _: {"postgresql": "failed: PoolTimeout", "redis": None})
    assert browser.get("/readyz").status_code == 503


def test_music_may_be_kept_for_ever_and_unknown_clips_lead_to_one_that_plays(
    browser: FlaskClient, wiring: Wiring
) -> None:
    (path,) = wiring.audio.paths(8)
    answer = browser.get(path)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.mimetype == "audio/wav"
    assert answer.data[:4] == b"RIFF"
    other = browser.get(f"/audio/{'0' * 20}.wav")
    assert (other.status_code, other.headers["Location"]) == (302, wiring.audio.paths(20)[0])
    assert browser.get("/audio/..wav").status_code == 404
