"""Alert rules and dashboard can be read, name only what there is, and each alert has its page in the runbook."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.deploy.promql import metrics

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text("utf-8")
GROUPS: list[dict[str, Any]] = YAML(typ="safe", pure=True).load((ROOT / "deploy" / "alerts.yaml").read_text("utf-8"))[
    "groups"
]
RULES: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"]]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana" / "offhold.json").read_text("utf-8"))
SHOWN = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
DURATION = re.compile(r"\d+(?:s|m|h|d)")


def plain(expression: str) -> str:
    """Without what Grafana fills in."""
    return expression.replace("$__rate_interval", "5m")


def test_every_rule_can_be_read() -> None:
    for rule in RULES:
        assert metrics(rule["expr"])
        assert rule.keys() <= {"alert", "record", "expr", "for", "labels", "annotations"}
        assert DURATION.fullmatch(rule.get("for", "0s"))
    for alert in ALERTS:
        assert alert["labels"]["severity"] in {"page", "ticket"}
        assert alert["annotations"]["runbook"] == f"docs/runbook.md#{alert['alert'].lower()}"
    with pytest.raises(ValueError, match="unclosed"):
        metrics("sum(rate(offhold_webhooks_total[5m])")


def test_what_is_recorded_is_used_and_what_is_used_is_recorded() -> None:
    used = set().union(*(metrics(plain(one)) for one in [*(rule["expr"] for rule in ALERTS), *SHOWN]))
    assert {name for name in used if ":" in name} == RECORDED


def test_the_runbook_has_a_section_for_every_alert_and_no_other() -> None:
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^### |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
    assert sections.keys() == {rule["alert"] for rule in ALERTS}
    for words in sections.values():
        for part in ("**Callers notice:**", "**Look at:**", "**Do:**"):
            assert part in words


def test_every_panel_of_the_dashboard_can_be_read_and_lies_on_none_other() -> None:
    seen: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & seen, panel["title"]
        assert max(x for x, _ in cells) < 24
        seen |= cells
        for target in panel.get("targets", ()):
            assert metrics(plain(target["expr"])), target["expr"]
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
