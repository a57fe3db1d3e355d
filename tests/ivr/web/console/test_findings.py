"""What the check of a menu file says is told in Spanish too, with what the file has to the letter."""

import ast
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from ivr.planfile import differences as module
from ivr.planfile.differences import differences
from ivr.planfile.read import read_plan
from ivr.planfile.store import STARTER
from ivr.web.console.findings import FOLDER, translated
from tests.ivr.planfile.test_problems import ERRORS, WARNINGS, together
from tests.ivr.web.console.conftest import SignedIn

CHECK = Path(module.__file__).parent
TELLING = ("error", "warn", "Problem", "NotThere")
#: put together of what only makes sense together: the cases of the check have it
TOGETHER = {"x holds x"}


def written(node: ast.expr) -> str | None:
    """A literal of the code, its places filled with an x."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr():
            return "".join(str(one.value) if isinstance(one, ast.Constant) else "x" for one in node.values)
    return None


def sentences() -> Iterator[str]:
    """Every literal that the check may tell."""
    for file in sorted(CHECK.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                yield from (text for one in node.args if name in TELLING and (text := written(one)))


def test_every_sentence_of_the_check_has_its_spanish() -> None:
    told = set(sentences())
    assert len(told) > 150
    assert {one for one in told if translated("es", one) is None} == TOGETHER


def test_every_case_of_the_check_has_its_spanish() -> None:
    files = [text for text, _ in together(ERRORS) + together(WARNINGS)]
    told = {words for text in files for one in read_plan(text.encode()).problems for words in (one.what, one.do)}
    assert [one for one in told if translated("es", one) is None] == []


def test_every_kind_of_change_has_its_spanish() -> None:
    plan = read_plan(STARTER.read_bytes()).plan
    assert plan is not None
    names = {name for name, _ in module._lines(plan)}
    assert [name for name in names if translated("es", name) is None] == []
    shapes = ("{}: added", "{}: added ('x')", "{}: taken away", "{}: taken away ('x')", "{}: 'x' became 'y'")
    assert [one for one in shapes if translated("es", one.format("Brand")) is None] == []
    assert differences(plan, replace(plan, brand="Luz")) == ["Brand: 'Lumora' became 'Luz'"]


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        ("key 4 already belongs to choice 'new-phone'", "la tecla 4 ya la tiene la opción 'new-phone'"),
        ("'min_position' of 'offers' is 2", "'min_position' en 'offers' es 2"),
        ("It must be a whole number from 3 to 100", "Debe ser un número entero de 3 a 100"),
        ("choice 'a list' is given twice", "la opción 'a list' aparece dos veces"),  # the file's own words
        ("Leaf 'roaming', never offers: 'no' became 'yes'", "Hoja 'roaming', nunca ofrece: de 'no' pasó a 'yes'"),
    ],
)
def test_words_of_the_file_stay_as_they_are(english: str, spanish: str) -> None:
    assert translated("es", english) == spanish
    assert translated("en", english) is None


def test_both_languages_fill_in_the_same_places() -> None:
    with (FOLDER / "findings-es.po").open("rb") as opened:
        pairs = [(str(one.id), str(one.string)) for one in read_po(opened, abort_invalid=True) if one.id]
    places = re.compile(r"%\((\w+)\)s")
    assert [one for one in pairs if set(places.findall(one[0])) != set(places.findall(one[1]))] == []


def test_words_made_to_be_slow_are_not() -> None:
    began = time.thread_time()
    for hostile in ("' and '" * 80, "the labels of '" + "' and '" * 60, "x: '" + "' became '" * 55, "y" * 500_000):
        translated("es", hostile)
    assert time.thread_time() - began < 1


def test_a_draft_with_an_error_is_told_in_spanish(signed_in: SignedIn) -> None:
    editor = signed_in("editor")
    answer = editor.post_form("/console/menus/drafts", name="Prueba")
    place = answer.headers["Location"]
    broken = STARTER.read_text("utf-8").replace("min_position: 3", "min_position: 2")
    editor.post_form(f"{place}/text", yaml=broken, revision="1")
    editor.post_form("/console/language", language="es")
    assert (
        "&#39;min_position&#39; en &#39;offers&#39; es 2. Debe ser un número entero de 3 a 100."
        in editor.get(place).text
    )
