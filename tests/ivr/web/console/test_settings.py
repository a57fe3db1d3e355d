"""Settings: who is told of what, and a number erased."""

import pytest

from ivr.console import hooks
from ivr.wiring import Wiring
from tests.ivr.web.conftest import CALLER
from tests.ivr.web.console.conftest import SignedIn


def test_the_checklist_ends_with_a_call_of_ones_own(signed_in: SignedIn) -> None:
    page = signed_in("admin").get("/console/settings").text
    assert 'href="http://localhost:8100/"' in page or 'href="/console/calls"' in page.partition("Rules and people")[0]


def test_a_webhook_is_added_and_its_secret_shown_once(signed_in: SignedIn, wiring: Wiring) -> None:
    admin = signed_in("admin")
    made = admin.post_form("/console/settings/webhooks", url="https://x.example/", facts=["held"], why="the wallboard")
    assert made.status_code == 200
    assert "whsec_" in made.text
    page = admin.get("/console/settings")
    assert "whsec_" not in page.text
    assert "https://x.example/" in page.text
    with wiring.pool.connection() as conn:
        assert list(hooks.listed(conn)[0].hook.names) == ["held"]


def test_what_is_wrong_with_a_webhook_stands_beside_its_field_and_nothing_typed_is_lost(signed_in: SignedIn) -> None:
    typed = "http://<script>alert(1)</script>"
    answer = signed_in("admin").post_form("/console/settings/webhooks", url=typed, facts=["held"], why="because")
    assert answer.status_code == 422
    assert 'id="problem-url"' in answer.text
    assert 'value="because"' in answer.text
    assert "<script>alert" not in answer.text
    assert 'value="held" checked' in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "localhost"])
def test_a_webhook_to_the_private_network_is_refused_beside_its_field(signed_in: SignedIn, host: str) -> None:
    answer = signed_in("admin").post_form("/console/settings/webhooks", url=f"https://{host}/x", why="because")
    assert answer.status_code == 422
    assert "This leads to this machine or the private network" in answer.text


def test_a_number_is_erased_when_it_was_typed_twice_with_a_reason(signed_in: SignedIn) -> None:
    admin, fields = signed_in("admin"), {"number": CALLER, "again": CALLER}
    assert admin.post_form("/console/settings/erase", **fields).status_code == 422
    done = admin.post_form("/console/settings/erase", **fields, **{"erase-why": "asked by letter"})
    assert "nothing leads from the number to anybody" in done.text
