"""How every page of ours leaves: style and script inline, allowed by their hashes and nothing else, never
stored.
"""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from flask import Response, make_response, render_template
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

_R = TypeVar("_R", bound=AnyResponse)

STATIC = Path(__file__).parent / "static"


@cache
def _inline(name: str) -> tuple[Markup, str]:
    """A file of ours to stand inside a page, and its hash for the policy."""
    text = (STATIC / name).read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(text), f"'sha256-{digest}'"


def hardened(response: _R, policy: str = "default-src 'none'") -> _R:
    """A response that no cache keeps, no search engine lists and no frame holds."""
    response.headers.update({
        "Content-Security-Policy": f"{policy}; base-uri 'none'; frame-ancestors 'none'",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex, nofollow",
    })  # fmt: skip
    return response


def page(template: str, status: int = 200, *, script: str = "", form_target: str = "", **values: Any) -> AnyResponse:
    """A rendered page. `script` names a file of `static/`; `form_target` is an origin a form may lead on
    to.
    """
    style, style_hash = _inline("page.css")
    code, code_hash = _inline(script) if script else (Markup(""), "'none'")
    policy = (
        f"default-src 'none'; style-src {style_hash}; script-src {code_hash}; connect-src 'self';"
        f" img-src data:; form-action 'self' {form_target}".rstrip()
    )
    body = render_template(template, style=style, code=code, **values)
    response: Response = make_response(body, status)
    return hardened(response, policy)
