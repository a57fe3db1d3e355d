"""requirements.txt names what the code imports, and the locks say the same."""

import ast
import functools
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = {"bench", "config", "ivr", "models", "search", "tests"}
SERVED = OURS - {"bench", "tests"}
#: known to type checkers alone
TYPES_ONLY = {"_typeshed"}
TORCH = {"onnx", "sentence-transformers", "torch", "transformers"}


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(file: str) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[\w+\])?==([^\s;\\]+)", (ROOT / file).read_text("utf-8"), re.MULTILINE)
    return {plain(name): version for name, version in found}


@functools.cache
def imports(folder: str) -> frozenset[str]:
    """The outermost modules that the code in this folder imports."""
    tops: set[str] = set()
    for file in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                tops |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                tops.add(node.module.split(".")[0])
    return frozenset(tops)


known_packages = functools.cache(packages_distributions)


def imported(folders: set[str]) -> set[str]:
    """The packages, as an index names them, that the code in these folders imports."""
    tops = {top for folder in folders for top in imports(folder)}
    known = known_packages()
    return {plain(known.get(top, [top])[0]) for top in tops - OURS - TYPES_ONLY - sys.stdlib_module_names}


def test_every_package_that_is_imported_is_listed() -> None:
    assert imported(OURS) - pins("requirements.txt").keys() == set()
    assert imported(SERVED) - TORCH - pins("requirements/serve.lock").keys() == set()
    assert imported(OURS) - TORCH - pins("requirements/test.lock").keys() == set()


def test_the_locks_have_the_versions_of_the_list_and_no_torch() -> None:
    listed = pins("requirements.txt")
    for lock in ("requirements/serve.lock", "requirements/test.lock"):
        locked = pins(lock)
        assert {name: version for name, version in locked.items() if listed.get(name, version) != version} == {}
        assert not TORCH & locked.keys()
    asked = {
        plain(line.split("[")[0])
        for file in ("serve.in", "test.in")
        for line in (ROOT / "requirements" / file).read_text("utf-8").splitlines()
        if line and not line.startswith(("#", "-"))
    }
    assert asked - listed.keys() == set()
