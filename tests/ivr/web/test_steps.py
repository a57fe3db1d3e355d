"""Plain text as paragraphs and lists."""

import pytest

from ivr.web.steps import Block, blocks


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("One.\nTwo.\n\nThree.", (Block("p", ("One.", "Two.")), Block("p", ("Three.",)))),
        ("1. Pull\n\n2. Plug", (Block("ol", ("Pull", "Plug")),)),
        ("Step 1: Pull\nPaso 2) Plug", (Block("ol", ("Pull", "Plug")),)),
        ("- a\n• b\nend", (Block("ul", ("a", "b")), Block("p", ("end",)))),
        ("5.5 volts\n3 lights", (Block("p", ("5.5 volts", "3 lights")),)),
        ("1.\n-\n", (Block("p", ("1.", "-")),)),
        ("", ()),
    ],
)
def test_lines_become_what_they_look_like(text: str, made: tuple[Block, ...]) -> None:
    assert blocks(text, 10_000) == made


def test_endless_text_ends_in_words() -> None:
    made = blocks("<" * 100 + "\n" + "b\n" * 10_000, 1000)
    assert made[-1] == Block("p", ("…",))
    assert sum(len(line) for block in made for line in block.lines) < 1000
