"""The metrics that an expression of Prometheus names."""

from typing import Any

import promql_parser


def metrics(expression: str) -> set[str]:
    """Raises ValueError where it is no expression."""
    found: set[str] = set()

    def note(part: Any) -> bool:
        if isinstance(part, promql_parser.VectorSelector) and part.name:
            found.add(str(part.name))
        return True

    promql_parser.walk(promql_parser.parse(expression), note)
    return found
