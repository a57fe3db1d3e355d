"""The quick reader of forms reads what the framework's own does."""

import io

from flask import Request
from hypothesis import given
from hypothesis import strategies as st

from ivr.web.request import ShortRequest

LETTERS = st.sampled_from(["a", "B", "é", "😀", "&", "=", "+", "%", "%20", "%C3%A9", "%ff", "%zz", ";", "\x00", "%00"])


def _form(kind: type[Request], body: bytes, content_type: str) -> list[tuple[str, str]]:
    environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": content_type}
    return list(kind({**environ, "wsgi.input": io.BytesIO(body)}).form.items(multi=True))


@given(st.lists(LETTERS, max_size=30).map("".join).map(str.encode) | st.binary(max_size=40))
def test_a_form_is_read_to_the_letter_as_the_framework_reads_it(body: bytes) -> None:
    for content_type in ("application/x-www-form-urlencoded", "Application/X-WWW-Form-urlencoded; charset=UTF-8"):
        assert _form(ShortRequest, body, content_type) == _form(Request, body, content_type)


def test_no_other_body_is_read_as_a_form() -> None:
    for content_type in ("", "text/plain", "application/json"):
        assert _form(ShortRequest, b"a=b", content_type) == []
    parts = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n'
    assert _form(ShortRequest, parts, "multipart/form-data; boundary=x") == [("a", "b")]
