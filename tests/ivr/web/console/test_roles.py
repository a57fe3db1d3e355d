"""Role x route: who gets in where, for every route there is."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from ivr.console.roles import ROLES as ALL_ROLES
from ivr.console.roles import SUFFICES
from ivr.web.console.guards import PUBLIC, least_role
from tests.ivr.web.console.conftest import ConsoleClient, SignedIn
from tests.ivr.web.console.roles import ROLES

SAFE = {"GET", "HEAD", "OPTIONS"}


def routes(console: Flask) -> Iterator[tuple[str, str, str]]:
    """Method, rule and endpoint of every route."""
    for rule in console.url_map.iter_rules():
        if rule.endpoint != "static":
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield method, rule.rule, rule.endpoint


def address(rule: str) -> str:
    """The rule's address with something in each place that leads to nothing."""
    return "/console" + re.sub(r"<(?:(\w+)(?:\([^)]*\))?:)?\w+>", lambda m: "999999" if m[1] == "int" else "x", rule)


def test_every_route_stands_in_the_table_and_says_the_same(console: Flask) -> None:
    marked = {f"{method} {rule}": least_role(console, endpoint) for method, rule, endpoint in routes(console)}
    assert marked == ROLES


def test_nobody_is_led_to_the_sign_in_page_from_every_page(console: Flask, nobody: ConsoleClient) -> None:
    for method, rule, _ in routes(console):
        if ROLES[f"{method} {rule}"] == PUBLIC:
            continue
        answer = nobody.open(address(rule), method=method)
        if method in SAFE:
            assert answer.status_code == 303, rule
            assert answer.headers["Location"].startswith("/console/sign-in"), rule
        else:
            assert answer.status_code == 401, rule


@pytest.mark.parametrize("role", ALL_ROLES)
def test_a_role_gets_in_where_it_may_and_nowhere_else(role: str, console: Flask, signed_in: SignedIn) -> None:
    """Unsafe methods are sent without the form's token: who may come in is told so (400), and nothing is changed."""
    client = signed_in(role)
    for method, rule, _ in routes(console):
        least = ROLES[f"{method} {rule}"]
        answer = client.open(address(rule), method=method)
        line = f"{role}: {method} {rule} -> {answer.status_code}"
        if least != PUBLIC and role not in SUFFICES[least]:
            assert answer.status_code == 403, line
        elif method in SAFE:
            assert answer.status_code not in (401, 403), line
            assert answer.status_code < 500, line
            assert not answer.headers.get("Location", "").startswith("/console/sign-in"), line
        else:
            assert answer.status_code == 400, line
