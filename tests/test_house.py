"""The rules of the house: who may import whom, and where clocks, SQL and the carrier's words may be."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("config", "ivr", "models", "search")
FILES = sorted(file for top in OURS for file in (ROOT / top).rglob("*.py"))
VALUES = {"search.result", "search.article", "search.query", "search.speakable"}  # pure values of search


def name_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


MODULES = {name_of(file) for file in FILES}


def module(imported: str) -> str:
    """`a.b.name` -> the module it comes from."""
    while imported and imported not in MODULES and imported.split(".")[0] in OURS and "." in imported:
        imported = imported.rsplit(".", 1)[0]
    return imported


@cache
def imported_by() -> dict[str, set[str]]:
    """What each module imports: read when it is asked for, not by every process that looks for tests."""
    return {name_of(file): {module(one) for one in imports(file)} for file in FILES}


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def breaches(of: str, allowed_ours: tuple[str, ...], allowed_others: tuple[str, ...] | None = None) -> list[str]:
    """Imports of a package that are neither its own, nor allowed, nor (for `allowed_others`) standard library."""
    found = []
    for name, imported in imported_by().items():
        if not within(name, of):
            continue
        for one in imported:
            top = one.split(".")[0]
            if top in OURS:
                wrong = not within(one, of, *allowed_ours)
            else:
                wrong = allowed_others is not None and top not in sys.stdlib_module_names and top not in allowed_others
            if wrong:
                found.append(f"{name} imports {one}")
    return found


def test_the_call_knows_only_the_standard_library_a_codec_and_search_results() -> None:
    assert breaches("ivr.call", ("search.result",), ("msgspec",)) == []


def test_texts_know_only_the_call_and_their_codecs() -> None:
    assert breaches("ivr.texts", ("ivr.call", "search.result"), ("phonenumbers", "gsm0338", "cryptography")) == []


def test_search_imports_nothing_of_ours() -> None:
    assert breaches("search", ()) == []


def test_tables_import_only_pure_values() -> None:
    assert breaches("models", tuple(VALUES)) == []


def test_settings_import_nothing_of_ours() -> None:
    assert breaches("config", ()) == []


def test_the_test_phone_reaches_the_service_only_by_http() -> None:
    assert breaches("ivr.phone", ("config",)) == []


@pytest.mark.parametrize(
    ("library", "places"),
    [
        ("twilio", ("ivr.carrier",)),
        ("faiss", ("search",)),
        ("onnxruntime", ("search",)),
        ("tokenizers", ("search",)),
        ("sentence_transformers", ("search",)),
        ("psycopg", ("models", "ivr")),
        ("alembic", ("models",)),
        ("sqlalchemy", ("models",)),
        ("prometheus_client", ("ivr.watching",)),
    ],
)
def test_a_library_is_imported_in_its_place_only(library: str, places: tuple[str, ...]) -> None:
    found = [
        name
        for name, imported in imported_by().items()
        if any(one.split(".")[0] == library for one in imported) and not within(name, *places)
    ]
    assert found == []


def test_nobody_but_the_app_imports_the_web() -> None:
    found = [
        name
        for name, imported in imported_by().items()
        if any(within(one, "ivr.web") for one in imported) and not within(name, "ivr.web", "ivr.app")
    ]
    assert found == []


def test_sql_stands_in_models_only() -> None:
    sql = re.compile(r"\"\s*(SELECT\s|INSERT INTO\s|UPDATE \w+ SET\s|DELETE FROM\s)")
    found = [
        name_of(file) for file in FILES if not within(name_of(file), "models") and sql.search(file.read_text("utf-8"))
    ]
    assert found == []


def test_clocks_are_read_in_the_wiring_only() -> None:
    clock = re.compile(r"datetime\.(now|utcnow)\(|\btime\.time\(")
    allowed = ("ivr.wiring", "ivr.phone", "ivr.stores", "search", "config")
    found = [
        name_of(file) for file in FILES if not within(name_of(file), *allowed) and clock.search(file.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize("package", ["ivr.call", "ivr.texts"])
def test_the_middle_touches_nothing_outside(package: str) -> None:
    banned = {"os", "random", "logging", "time", "socket", "subprocess", "pathlib", "io"}
    found = [
        f"{name} imports {one}"
        for name, imported in imported_by().items()
        if within(name, package)
        for one in imported
        if one.split(".")[0] in banned
    ]
    opened = [
        name_of(file)
        for file in FILES
        if within(name_of(file), package)
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"open", "print"}
    ]
    assert found + opened == []


def test_no_two_packages_import_each_other() -> None:
    def room(name: str) -> str:
        parts = name.split(".")
        return ".".join(parts[:2]) if parts[0] == "ivr" and len(parts) > 2 else parts[0] if parts[0] != "ivr" else name

    arrows = {
        (room(a), room(b))
        for a, seen in imported_by().items()
        for b in seen
        if b.split(".")[0] in OURS and room(a) != room(b)
    }
    assert sorted((a, b) for a, b in arrows if (b, a) in arrows and a < b) == []
