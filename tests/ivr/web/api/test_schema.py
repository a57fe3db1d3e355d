"""schemathesis against the API's own description: nothing undocumented, nothing malformed taken, nothing breaks."""

from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from limits import RateLimitItemPerMinute
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation

from ivr.web.api import groups
from ivr.web.api.operations import Group
from tests.ivr.web.api.conftest import WithToken

EXAMPLES = 5
#: what fits the schema may still break a rule no schema can say: 422
CONFIG = {"checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "404", "409", "422"]}}}


@pytest.mark.parametrize("group", groups, ids=lambda group: group.blueprint.name)
def test_schemathesis_finds_nothing(group: Group, app: Flask, api: Flask, with_token: WithToken) -> None:
    rates = api.extensions["offhold_api_rates"]
    rates.a_minute = rates.wrong_a_minute = RateLimitItemPerMinute(1_000_000)
    token = with_token("admin").token
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app, config=SchemathesisConfig.from_dict(CONFIG))
    described = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
    operations = [one for one in described if group.blueprint.name in (one.tags or ())]
    assert {one.method.upper() + one.path for one in operations} == {one.method + one.path for one in group.operations}
    assert [words for one in operations for words in _failures(one, token)] == []


def _failures(operation: APIOperation[Any, Any, Any, Any], token: str) -> list[str]:
    found = []
    for mode in GenerationMode:
        try:
            _run(operation, mode, token)
        except FailureGroup as failures:
            found += [f"{operation.label}: {failures} {one}" for one in failures.exceptions]
    return found


def _run(operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, token: str) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"})

    check()
