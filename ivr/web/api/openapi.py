"""The API's description (OpenAPI 3.1), made of the very models that requests are checked against."""

import re
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from ivr.web.api.operations import JSON, KEY, KEY_PATTERN, Operation
from ivr.web.api.problems import ERRORS, Problem
from ivr.web.api.values import LARGEST_ID

_REF = "#/components/schemas/{model}"
_PROBLEM = "application/problem+json"
Mode = Literal["validation", "serialization"]


def document(operations: Sequence[Operation], version: str, base_url: str) -> dict[str, Any]:
    """The whole description."""
    wanted: dict[tuple[type[BaseModel], Mode], None] = {(Problem, "serialization"): None}
    for one in operations:
        wanted[one.answer, "serialization"] = None
        if one.body is not None:
            wanted[one.body, "validation"] = None
    refs, shared = models_json_schema(list(wanted), ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _described(one, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Offhold", "version": version},
        "servers": [{"url": f"{base_url}/api"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": shared.get("$defs", {}),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": _problems(refs[Problem, "serialization"]),
        },
    }


def _problems(schema: dict[str, Any]) -> dict[str, Any]:
    by_status: dict[str, list[str]] = {}
    for error_id, (status, _, meaning) in ERRORS.items():
        by_status.setdefault(str(status), []).append(f"`{error_id}`: {meaning}")
    return {
        f"problem-{status}": {"description": "\n\n".join(lines), "content": {_PROBLEM: {"schema": schema}}}
        for status, lines in by_status.items()
    }


def _described(one: Operation, refs: Any) -> dict[str, Any]:
    statuses = sorted({str(status) for status, _, _ in ERRORS.values()})
    described: dict[str, Any] = {
        "operationId": f"{one.group}_{one.name}",
        "tags": [one.group],
        "summary": one.words,
        "description": f"Scope: `{one.scope}`.",
        "parameters": [*_in_path(one.rule), *_in_query(one.query), *_in_header(one)],
        "responses": {
            str(one.status): {
                "description": "Done.",
                "content": {JSON: {"schema": refs[one.answer, "serialization"]}},
            },
            **{status: {"$ref": f"#/components/responses/problem-{status}"} for status in statuses},
        },
    }
    if one.body is not None:
        described["requestBody"] = {"required": True, "content": {JSON: {"schema": refs[one.body, "validation"]}}}
    return described


def _in_path(rule: str) -> list[dict[str, Any]]:
    number = {"type": "integer", "minimum": 0, "maximum": LARGEST_ID}
    text = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[^/\x00]+$"}
    return [
        {"name": name, "in": "path", "required": True, "schema": number if kind.startswith("int") else text}
        for kind, name in re.findall(r"<(?:([^:<>]+):)?(\w+)>", rule)
    ]


def _in_query(query: type[BaseModel] | None) -> list[dict[str, Any]]:
    if query is None:
        return []
    schema = query.model_json_schema(ref_template=_REF)
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": _plain(about)}
        for name, about in schema["properties"].items()
    ]


def _plain(about: dict[str, Any]) -> dict[str, Any]:
    """Without null, which an address cannot say: a parameter is left out."""
    kinds = [one for one in about.get("anyOf", ()) if one.get("type") != "null"]
    return kinds[0] if len(kinds) == 1 else {key: value for key, value in about.items() if key != "default"}


def _in_header(one: Operation) -> list[dict[str, Any]]:
    if not one.once:
        return []
    about = "a repeat of the request with the same key within a day gets the same answer, and nothing is done twice"
    return [{"name": KEY, "in": "header", "required": False, "description": about,
             "schema": {"type": "string", "pattern": KEY_PATTERN}}]  # fmt: skip
