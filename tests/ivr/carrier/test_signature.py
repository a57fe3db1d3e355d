"""Signatures: the carrier's published vectors, and everything that must not pass."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import ImmutableMultiDict, MultiDict

from ivr.carrier import signature
from ivr.carrier.signature import FORM, Signatures

TOKEN = "12345"
CALLER_5310 = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675310",
    "Digits": "1234",
    "From": "+14158675310",
    "To": "+18005551212",
}
CALLER_5309 = {**CALLER_5310, "Caller": "+14158675309", "From": "+14158675309"}
UNICODE = {"Body": "Ich brauche Hilfe – 你好 😀 ", "From": "+4915112345678", "Empty": ""}
REPEATED = MultiDict(
    [("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234"), ("Digits", "1234")]
)
JSON = b'{"property": "value", "boolean": true}'


def genuine(
    base: str,
    path: str,
    query: str,
    form: object,
    given: str | None,
    *,
    tokens: tuple[str, ...] = (TOKEN,),
    content_type: str = FORM,
    body: bytes = b"",
    more: dict[str, str] | None = None,
) -> bool:
    headers = {**({signature.HEADER: given} if given is not None else {}), **(more or {})}
    return Signatures(tokens, base).genuine(
        path,
        query,
        headers=headers,
        content_type=content_type,
        form=ImmutableMultiDict(form),  # type: ignore[arg-type]
        body=body,
    )


@pytest.mark.parametrize(
    ("base", "path", "query", "form", "given"),
    [
        ("https://example.com", "/myapp.php", "foo=1&bar=2", CALLER_5310, "L/OH5YylLD5NRKLltdqwSvS0BnU="),
        ("https://mycompany.com", "/myapp.php", "foo=1&bar=2", CALLER_5309, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("https://mycompany.com", "/myapp.php", "foo=1&bar=2", REPEATED, "IK+Dwps556ElfBT0I3Rgjkr1wJU="),
        ("https://mycompany.com", "/myapp.php", "foo=1&bar=2", CALLER_5309, "kvajT1Ptam85bY51eRf/AJRuM3w="),
        ("http://mycompany.com", "/myapp.php", "foo=1&bar=2", CALLER_5309, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
        ("http://mycompany.com:1234", "/myapp.php", "foo=1&bar=2", CALLER_5309, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
        ("https://mycompany.com:443", "/myapp.php", "foo=1&bar=2", CALLER_5309, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("https://mycompany.com/", "/s", "", UNICODE, "zhl2YZDLQixac+qUoVBdPrtRgT0="),
    ],
    ids=["one", "two", "repeated", "port added", "http with 80", "own port", "port dropped", "unicode"],
)
def test_the_carriers_vectors_pass(base: str, path: str, query: str, form: object, given: str) -> None:
    assert genuine(base, path, query, form, given)


def test_a_json_body_passes_with_its_hash_and_fails_with_another_body() -> None:
    query = f"foo=1&bar=2&bodySHA256={hashlib.sha256(JSON).hexdigest()}"
    given = "a9nBmqA0ju/hNViExpshrM61xv4="

    def asked(body: bytes) -> bool:
        return genuine(
            "https://mycompany.com", "/myapp.php", query, {}, given, content_type="application/json", body=body
        )

    assert asked(JSON)
    assert not asked(JSON + b" ")
    assert not asked(b"")


def test_a_body_that_is_no_form_needs_its_hash() -> None:
    given = signature.sign("https://mycompany.com/s", {}, TOKEN)

    def asked(body: bytes) -> bool:
        return genuine("https://mycompany.com", "/s", "", {}, given, content_type="text/plain", body=body)

    assert asked(b"")
    assert not asked(b"Digits=1")


@pytest.mark.parametrize("given", [None, "", "x", "RSOYDt4T1cUTdK1PDd93/VVr8B8", "ß😀", "\udc80" * 40])
def test_a_missing_or_broken_signature_is_refused_without_an_error(given: str | None) -> None:
    assert not genuine("https://mycompany.com", "/myapp.php", "foo=1&bar=2", CALLER_5309, given)


@pytest.mark.parametrize(
    ("base", "path", "query", "form"),
    [
        ("https://mycompany.org", "/myapp.php", "foo=1&bar=2", CALLER_5309),
        ("http://mycompany.com", "/myapp.php", "foo=1&bar=2", CALLER_5309),
        ("https://mycompany.com", "/myapp.php/", "foo=1&bar=2", CALLER_5309),
        ("https://mycompany.com", "/myapp.php", "foo=1&bar=3", CALLER_5309),
        ("https://mycompany.com", "/myapp.php", "foo=1&bar=2", {**CALLER_5309, "Digits": "1235"}),
        ("https://mycompany.com", "/myapp.php", "foo=1&bar=2", {**CALLER_5309, "More": ""}),
        ("https://mycompany.com", "/myapp.php", "foo=1&bar=2", {"CallSid": "CA1234567890ABCDE"}),
        ("https://mycompany.com", "/myapp.php", "foo=1&bar=2", {**CALLER_5309, "Digits": "\udc80"}),
    ],
    ids=["host", "scheme", "path", "query", "changed", "added", "missing", "surrogate"],
)
def test_anything_changed_on_the_way_is_refused(base: str, path: str, query: str, form: object) -> None:
    assert not genuine(base, path, query, form, "RSOYDt4T1cUTdK1PDd93/VVr8B8=")


def test_any_of_the_rotating_tokens_passes_and_no_other() -> None:
    given = signature.sign("https://mycompany.com/s?a=%7E%2F", {"A": "b"}, "new")

    def asked(*tokens: str) -> bool:
        return genuine("https://mycompany.com", "/s", "a=%7E%2F", {"A": "b"}, given, tokens=tokens)

    assert asked("old", "new")
    assert not asked("old")
    assert not asked()


def test_the_raw_query_is_what_counts() -> None:
    given = signature.sign("https://mycompany.com/s?a=%7E%2F", {}, TOKEN)
    assert genuine("https://mycompany.com", "/s", "a=%7E%2F", {}, given)
    assert not genuine("https://mycompany.com", "/s", "a=~/", {}, given)


def test_a_shared_key_signs_with_sha256_and_an_unknown_algorithm_is_refused() -> None:
    text = "https://mycompany.com/s" + "Ab"
    given = base64.b64encode(hmac.new(b"shared", text.encode(), hashlib.sha256).digest()).decode()

    def asked(algorithm: str) -> bool:
        more = {signature.SETTINGS_HEADER: f"key=k,algorithm={algorithm}"}
        return genuine("https://mycompany.com", "/s", "", {"A": "b"}, given, tokens=("t", "shared"), more=more)

    assert asked("HMAC_SHA256")
    assert not asked("HMAC_SHA1")
    assert not asked("HMAC_MD5")


def test_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(other)
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert not genuine("https://mycompany.com", "/s", "", {"A": "b"}, "given")
    assert compared == [b"given"] * 2  # with and without the port


@given(
    st.lists(st.tuples(st.sampled_from(["A", "B", "a b", "é"]), st.text(alphabet="ab😀é \n", max_size=5)), max_size=8),
    st.text(alphabet="aé&=%", max_size=8),
    st.sampled_from(["HMAC_SHA1", "HMAC_SHA256"]),
)
def test_a_signature_is_the_one_of_the_carriers_own_library(
    fields: list[tuple[str, str]], query: str, algorithm: str
) -> None:
    form = MultiDict(fields)
    url = "https://mycompany.com/s" + (f"?{query}" if query else "")
    given_ = RequestValidator(TOKEN).compute_signature(url, form, algorithm)
    more = {signature.SETTINGS_HEADER: f"key=x,algorithm={algorithm}"}
    assert genuine("https://mycompany.com", "/s", query, form, given_, more=more)
    assert not genuine("https://mycompany.com", "/s", query, [*fields, ("A", "more")], given_, more=more)
