"""The application: Flask, which takes a short way through itself for webhooks (docs/decisions/0004)."""

from typing import TYPE_CHECKING, Any

from flask import Flask, Request, Response, request
from flask.ctx import RequestContext
from flask.sessions import NullSession
from werkzeug.routing import MapAdapter, Rule

from ivr.places import Crowded
from ivr.watching import webhooks
from ivr.web.request import ShortRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_WITHOUT_STORE = frozenset({"health", "music", "static"})  # or not to be kept waiting
_NO_SESSION = NullSession()  # it keeps nothing, so that all may share it


class Application(Flask):
    """As Flask. A POST to an address of a short blueprint passes that blueprint's guards, its view and its error
    handlers, and nothing that is installed for all requests: no session, no signals, no `after_request`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._short: dict[str, Rule] = {}
        super().__init__(*args, **options)

    def take_short(self, *blueprints: str) -> None:
        """From now on, answer the addresses these have by now on the short way."""
        self._short = {
            rule.rule: rule
            for rule in self.url_map.iter_rules()
            if rule.endpoint.partition(".")[0] in blueprints and "POST" in (rule.methods or ()) and not rule.arguments
        }

    def short_kinds(self) -> list[str]:
        """The kinds of webhooks, each once: "voice.hold" and so on."""
        return sorted({rule.endpoint for rule in self._short.values()})

    def request_context(self, environ: "WSGIEnvironment") -> RequestContext:
        """As Flask; on the short way the rule is known already."""
        rule = self._short.get(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == "POST" else None
        if rule is None:
            return super().request_context(environ)
        asked = ShortRequest(environ)
        asked.url_rule, asked.view_args = rule, {}
        return RequestContext(self, environ, asked, _NO_SESSION)

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """As Flask; None where nothing is left to match."""
        return None if request is not None and request.url_rule is not None else super().create_url_adapter(request)

    def full_dispatch_request(self) -> Response:
        """As Flask, but for the short way."""
        rule = request.url_rule
        if rule is None or self._short.get(rule.rule) is not rule or request.method != "POST":
            return self._page(rule)
        begun = webhooks.begin()
        status = 500
        try:
            answer = self._short_way(rule)
            status = answer.status_code
            return answer
        finally:
            webhooks.end(begun, rule.endpoint, status, self.extensions["offhold"].clock())

    def _page(self, rule: Rule | None) -> Response:
        if rule is None or rule.endpoint.partition(".")[0] in _WITHOUT_STORE:
            return super().full_dispatch_request()
        with self.extensions["offhold"].places.page():
            return super().full_dispatch_request()

    def _short_way(self, rule: Rule) -> Response:
        places = self.extensions["offhold"].places
        try:
            for guard in self.before_request_funcs.get(rule.endpoint.partition(".")[0], ()):
                refused: Any = guard()
                if refused is not None:
                    return self.make_response(refused)
            with places.turn(rule.endpoint):
                answer: Any = self.view_functions[rule.endpoint]()
                return self.make_response(answer)
        except Crowded as error:
            with places.turning_away():
                return self.make_response(self.handle_user_exception(error))
        except Exception as error:
            return self.make_response(self.handle_user_exception(error))
