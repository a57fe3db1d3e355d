"""Webhooks take a short way through the framework; everything else takes the whole."""

import time

from flask import Flask, Response
from werkzeug.test import EnvironBuilder, run_wsgi_app

from tests.ivr.web.conftest import Carrier


def test_only_webhooks_leave_out_what_is_installed_for_all_requests(app: Flask, carrier: Carrier) -> None:
    passed = []

    @app.after_request
    def note(response: Response) -> Response:
        passed.append(response.status_code)
        return response

    assert carrier.call("/voice/status").status_code == 204
    assert passed == []
    assert carrier.client.get("/healthz").status_code == 200
    assert passed == [200]


def test_a_webhook_fetched_or_misspelt_is_refused(carrier: Carrier) -> None:
    assert carrier.client.get("/voice/hold").status_code == 403
    assert carrier.client.put("/r/a1B2c3D4e5F").status_code == 405
    assert carrier.call("/voice/hold/").status_code == 404
    assert carrier.call("/voice//hold").status_code in (308, 404)


def test_a_webhook_too_long_to_be_one_is_refused_unread(carrier: Carrier) -> None:
    assert carrier.call("/voice/hold", SpeechResult="x" * 70_000).status_code == 403


def test_what_only_begins_like_the_console_is_no_part_of_it(carrier: Carrier) -> None:
    assert carrier.client.get("/consolation").status_code == 404
    assert carrier.client.get("/console/").status_code == 303


def test_nobody_is_led_to_the_host_that_a_request_names(app: Flask) -> None:
    """Every answer that leads on, and every address that the framework would set right by leading on."""
    browser, evil = app.test_client(), {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    paths = ("/console", "/console//menus", "/console/menus/", "/console/menus", "/r//a1B2c3D4e5F", "/static//page.css",
             "/agent/", "/api", "/r/a1B2c3D4e5F/solved")  # fmt: skip
    for path in paths:
        answer = browser.get(path, headers=evil)
        assert (path, answer.headers.get("Location", "/")[:1]) == (path, "/")
    assert browser.get("/console", headers=evil).headers["Location"] == "/console/sign-in?next=/"


def test_a_path_of_slashes_only_takes_no_time(app: Flask) -> None:
    began = time.process_time()
    environ = EnvironBuilder(path="/apiary").get_environ() | {"PATH_INFO": "/apiary" + "/" * 60_000}
    _, status, _ = run_wsgi_app(app.wsgi_app, environ)
    assert status in ("404 NOT FOUND", "308 PERMANENT REDIRECT")
    assert time.process_time() - began < 0.5
