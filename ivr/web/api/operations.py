"""An operation of the API: what it takes and gives is said once, checked at every request, and described by OpenAPI."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from flask import Blueprint, Response, request
from psycopg import Connection
from pydantic import BaseModel

from ivr.console.actors import Actor
from ivr.web.api import problems
from ivr.web.api.guards import caller, token, wiring
from ivr.web.api.values import LARGEST_ID
from models import api_answers
from models.api_answers import Known

NUMBER = f"int(max={LARGEST_ID})"
KEY = "Idempotency-Key"
KEY_PATTERN = r"^[\x21-\x7e]{1,100}$"
JSON = "application/json"

View = TypeVar("View", bound=Callable[..., BaseModel])


@dataclass(frozen=True)
class Operation:
    """One operation. `rule` is as Flask has it. `once`: takes an Idempotency-Key, `announces` what it changes for web
    processes, once that stands; `connected`: the view gets a connection of the database."""

    group: str
    name: str
    method: str
    rule: str
    scope: str
    words: str
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    answer: type[BaseModel]
    status: int
    once: bool
    announces: str | None
    connected: bool

    @property
    def path(self) -> str:
        """As OpenAPI has it."""
        return re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", self.rule)


class Group:
    """Operations about one thing. A view gets a connection, its path's values, and `body` and `query` if it has any."""

    def __init__(self, name: str) -> None:
        self.blueprint = Blueprint(name, __name__)
        self.operations: list[Operation] = []

    def operation(
        self,
        method: str,
        rule: str,
        *,
        scope: str,
        answer: type[BaseModel],
        body: type[BaseModel] | None = None,
        query: type[BaseModel] | None = None,
        status: int = 200,
        once: bool = False,
        announces: str | None = None,
        connected: bool = True,
    ) -> Callable[[View], View]:
        """Makes a view an operation; the first line of its docstring describes it. NUMBER is the converter for ids."""

        def put(view: View) -> View:
            words = (view.__doc__ or "").strip().splitlines()[0]
            made = Operation(
                self.blueprint.name, view.__name__, method, rule, scope, words, body, query, answer, status, once,
                announces, connected,
            )  # fmt: skip
            self.operations.append(made)
            self.blueprint.add_url_rule(
                rule,
                view.__name__,
                token(scope)(_wrapped(made, view)),
                methods=[method],
                provide_automatic_options=False,
            )
            return view

        return put


def by() -> Actor:
    """The program that sends this request, as the audit log names it."""
    return Actor(caller().who, caller().name)


class _Overtaken(Exception):
    pass


def _wrapped(operation: Operation, view: Callable[..., BaseModel]) -> Callable[..., Response]:
    @wraps(view)
    def answer(**path: Any) -> Response:
        if any("\0" in one for one in path.values() if isinstance(one, str)):
            return problems.told("not_found")
        if operation.query is not None:
            path["query"] = operation.query.model_validate(_query())
        elif request.args:
            return problems.told("request_malformed", "This operation has no parameters.")
        if operation.body is not None:
            if request.mimetype != JSON:
                return problems.told("not_json")
            path["body"] = operation.body.model_validate_json(request.get_data())
        key = request.headers.get(KEY) if operation.once else None
        if not operation.connected:
            return _json(view(**path).model_dump_json(), operation.status)
        if key is None:
            with wiring().pool.connection() as conn:
                return _json(view(conn, **path).model_dump_json(), operation.status)
        if not re.fullmatch(KEY_PATTERN, key):
            return problems.told("request_malformed", f"{KEY} is 1 to 100 printable letters without spaces.")
        return _once(operation, key, lambda conn: view(conn, **path).model_dump_json())

    return answer


def _query() -> dict[str, str | list[str]]:
    return {name: values[0] if len(values) == 1 else values for name, values in request.args.lists()}


def _once(operation: Operation, key: str, do: Callable[[Connection], str]) -> Response:
    """Done and its answer kept, both or neither. Of two at the same time the second finds the answer of the first."""
    asked = hashlib.sha256(b"\0".join((request.method.encode(), request.path.encode(), request.get_data()))).digest()
    numbers, number = wiring().numbers, caller().id
    with wiring().pool.connection() as conn:
        known = api_answers.read(conn, number, key)
        if known is None:
            try:
                with conn.transaction():
                    content = do(conn)
                    fresh = Known(asked, operation.status, numbers.seal(content))
                    if not api_answers.keep(conn, number, key, fresh, wiring().clock()):
                        raise _Overtaken
            except _Overtaken:
                known = api_answers.read(conn, number, key)
    if known is None:
        if operation.announces:
            wiring().announce(operation.announces)
        return _json(content, operation.status)
    if known.request != asked:
        return problems.told("key_reused")
    return _json(numbers.open(known.answer), known.status)


def _json(content: str, status: int) -> Response:
    return Response(content, status, mimetype=JSON)
