"""What the doctor, a statement and the metric dictionary say is told in Spanish too; names and figures stay."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from ivr.console.finance import FIGURES
from ivr.ledger.statement_words import GROUPS, KINDS
from ivr.web.console import findings
from ivr.web.console.findings import DOCTOR, FOLDER, FORMULAS, SOURCES, STATEMENT, translated
from tests.ivr.web.console.conftest import SignedIn
from tests.ivr.web.console.test_findings import written

ROOT = Path(__file__).resolve().parents[4]
DOCTORS = ("ivr/doctor.py", "ivr/ready.py")
STATEMENTS = ("ivr/ledger/statement_words.py", "ivr/ledger/statement.py", "ivr/ledger/periods.py")
#: put together where they are said, of parts that the list has; the rest is for a terminal
PARTS = re.compile(
    r"flask .*|[\W\dx]*"  # a command; nothing but what is filled in
    r"|x contacts|contacts with agents|more contacts with agents|x x, 95 % interval x to x"
    r"|The offers (avoided|caused) x\.| \(draft, not closed\)|calls of the week of x|The naive number .*"
    r"|It counts people who would have hung up anyway\.| Its interval does not rule out.*|By the estimate .* x\.x"
    r"|AGENT_NUMBERS, x|overflow_number of queue x|The red light stays on"
)


def literals(node: ast.AST) -> Iterator[str]:
    """Every text of the code that has a space in it, its places filled with an x; no docstrings."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    text = written(node) if isinstance(node, ast.expr) else None
    if text is not None and " " in text:
        yield text
    for child in ast.iter_child_nodes(node):
        if not (isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant)) and not (
            isinstance(node, ast.FormattedValue) and child is node.format_spec
        ):
            yield from literals(child)


def untold(files: tuple[str, ...], speaker: str) -> tuple[int, list[str]]:
    """How many sentences there are, and those without Spanish."""
    told = {one for file in files for one in literals(ast.parse((ROOT / file).read_text("utf-8")))}
    told = {one for one in told if not PARTS.fullmatch(one)}
    return len(told), sorted(one for one in told if translated("es", one, speaker) is None)


def test_every_sentence_of_the_doctor_has_its_spanish() -> None:
    count, missing = untold(DOCTORS, DOCTOR)
    assert missing == []
    assert count > 50


def test_every_sentence_of_a_statement_has_its_spanish() -> None:
    count, missing = untold(STATEMENTS, STATEMENT)
    assert missing == []
    assert count > 70
    names = [*KINDS.values(), *GROUPS.values()]
    assert [one for one in names if translated("es", one, STATEMENT) is None] == []


def test_every_formula_of_the_dictionary_has_its_spanish() -> None:
    paragraphs = {" ".join(part.split()) for one in FIGURES.values() for part in one.formula.split("\n\n")}
    assert len(paragraphs) > 15
    assert [one for one in paragraphs if translated("es", one, FORMULAS) is None] == []


def test_every_trouble_of_a_source_has_its_spanish() -> None:
    """Gone and _Again name no sentence of their own: the first an id, the second a part of one."""
    raised = ("SourceError", "NotThere", "NotAllowed", "Paused")
    files = [*(ROOT / "search/sources").glob("*.py"), ROOT / "ivr/console/sources.py", ROOT / "ivr/syncing.py"]
    calls = [node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8")))]
    told = {
        text
        for call in calls
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in raised and (text := written(call.args[0]))
    }
    assert len(told) > 50
    put_together = {"x x, x times in a row", "x x and asks to be left alone for x seconds"}
    assert {one for one in told if translated("es", one, SOURCES) is None} == put_together
    for why in ("does not answer", "answered 503", "was not done within 20 seconds", "broke off the secure connection"):
        assert translated("es", f"https://town.example {why}, 4 times in a row", SOURCES), why


@pytest.mark.parametrize("speaker", [DOCTOR, STATEMENT, FORMULAS, SOURCES])
def test_both_languages_fill_in_the_same_places(speaker: str) -> None:
    with (FOLDER / f"{speaker}-es.po").open("rb") as opened:
        pairs = [(str(one.id), str(one.string)) for one in read_po(opened, abort_invalid=True) if one.id]
    places = re.compile(r"%\((\w+)\)s")
    assert [one for one in pairs if sorted(places.findall(one[0])) != sorted(places.findall(one[1]))] == []
    for _, spanish in pairs:
        spanish % dict.fromkeys(places.findall(spanish), "x")  # a bare % would raise


@pytest.mark.parametrize(
    ("speaker", "english", "spanish"),
    [
        (
            STATEMENT,
            "The offers avoided 1,000.5 contacts with agents, 95 % interval 744.0 to 1,230.1.",
            "Las ofertas evitaron 1,000.5 contactos con agentes, intervalo del 95 % de 744.0 a 1,230.1.",
        ),
        (
            STATEMENT,
            "The offers caused 12.0 more contacts with agents, 95 % interval 3.1 to 20.9.",
            "Las ofertas causaron 12.0 contactos más con agentes, intervalo del 95 % de 3.1 a 20.9.",
        ),
        (STATEMENT, "Closed on 2026-11-08 07:00 by cli:ben: Costs", "Cerrado el 2026-11-08 07:00 por cli:ben: Costs"),
        (STATEMENT, "Statement for 2026-10", "Extracto de 2026-10"),
        (
            SOURCES,
            "https://town.example/latest.json could not be reached, or broke off, 4 times in a row",
            "no se pudo llegar a https://town.example/latest.json, o se cortó, 4 veces seguidas",
        ),
        (DOCTOR, "12 of 100 places taken", "12 de 100 lugares ocupados"),
        (DOCTOR, "queue the index", "cola the index"),  # a name of the site's own
        (
            DOCTOR,
            "at most 10.0%: an offer from a probability of 0.62 on, which 71% of the right articles reach; nothing"
            " here helps 30% of callers (by 900 calls), the calibration is shipped",
            "como mucho 10.0%: se ofrece desde una probabilidad de 0.62, que alcanza el 71% de los artículos acertados;"
            " nada de lo que hay ayuda al 30% de quienes llaman (según 900 llamadas); la calibración es la de fábrica",
        ),
    ],
)
def test_names_and_figures_stay_as_they_are(speaker: str, english: str, spanish: str) -> None:
    assert translated("es", english, speaker) == spanish
    assert findings.paragraphs("en", english, speaker) == english


def test_a_spanish_page_tells_a_statement_and_the_dictionary_in_spanish(signed_in: SignedIn) -> None:
    finance = signed_in("finance")
    english = finance.get("/console/statements/2026-10").text
    assert "What this statement could see" in english
    assert "are in English" not in english
    finance.post_form("/console/language", language="es")
    page = finance.get("/console/statements/2026-10").text
    assert "Extracto de 2026-10 (borrador, sin cerrar)" in page
    assert "Lo que este extracto pudo ver" in page
    assert "Lo que se firma, y los archivos, están en inglés." in page
    assert 'lang="en"' not in page.replace('value="en" lang="en"', "")
    dictionary = finance.get("/console/metrics").text
    assert "El número ingenuo: llamadas con un mensaje entregado" in dictionary
    assert "Mensajes que preguntan si ayudó" in dictionary
    assert "The naive number" not in dictionary
