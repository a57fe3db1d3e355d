"""The documents say what the code says."""

from pathlib import Path

from ivr.call.facts import FACTS

ROOT = Path(__file__).resolve().parent.parent


def facts_table() -> str:
    return "\n".join(
        [
            "| fact | means exactly |",
            "|---|---|",
            *(f"| `{name}` | {text.replace('|', '/')} |" for name, text in FACTS.items()),
        ]
    )


def test_the_vocabulary_lists_every_fact() -> None:
    assert facts_table() in (ROOT / "docs" / "vocabulary.md").read_text("utf-8"), facts_table()
