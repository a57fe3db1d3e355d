"""granian copies the process's environment, secrets included, into every request's: taken out again at the door."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# PEP 3333: a request's own, whatever the process calls them.
_OF_A_REQUEST = frozenset({
    "REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH", "SERVER_NAME",
    "SERVER_PORT", "SERVER_PROTOCOL", "REMOTE_ADDR", "HTTP_HOST"})  # fmt: skip


class WithoutEnvironment:
    """A WSGI application that sees the request only."""

    def __init__(self, inner: "WSGIApplication") -> None:
        self._inner = inner
        self._names = tuple(name for name in os.environ if name not in _OF_A_REQUEST)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        for name in self._names:
            environ.pop(name, None)
        return self._inner(environ, start_response)
