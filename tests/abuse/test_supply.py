"""What others made is what they made, may be used here, and is looked up among known vulnerabilities (S31)."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.abuse import licences
from tests.abuse.licences import ROOT


@pytest.mark.parametrize("name", ["serve", "test"])
def test_every_locked_package_is_named_with_the_hashes_of_its_files(name: str) -> None:
    lines = (ROOT / "requirements" / f"{name}.lock").read_text("utf-8").replace("\\\n", " ").splitlines()
    packages = [line for line in lines if line and not line.startswith(("#", " "))]
    assert len(packages) > 100
    assert [line for line in packages if "==" not in line or "--hash=sha256:" not in line] == []
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert re.search(r"^INSTALL := .*--no-deps --require-hashes --only-binary :all:", makefile, re.MULTILINE)


def test_the_licences_are_listed_as_the_packages_say() -> None:
    assert licences.PAGE.read_text("utf-8") == licences.page(), "write it anew: python -m tests.abuse.licences"


def test_the_bill_of_materials_names_every_package_of_the_product() -> None:
    written = licences.PARTS.read_text("utf-8")
    assert written == licences.parts(), "write it anew: python -m tests.abuse.licences"
    parts = json.loads(written)["components"]
    lock = (ROOT / "requirements" / "serve.lock").read_text("utf-8")
    lines = re.findall(r"(?m)^([\w.-]+)(?:\[\w+\])?==(\S+)", lock)
    assert sorted((one["name"], one["version"]) for one in parts) == sorted((name.lower(), at) for name, at in lines)
    assert all(one["licenses"][0]["expression"] for one in parts)


def test_every_licence_is_free_or_has_a_reason_to_stay() -> None:
    wrong = {
        name: licences.licence(name)
        for name in licences.locked("test") | licences.locked("serve")
        if not licences.known(licences.licence(name)) and name not in licences.KEPT
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("expression", "free"),
    [
        ("GPL-3.0-only", False), ("AGPL-3.0-or-later", False), ("MIT AND GPL-2.0-only", False), ("", False),
        ("MPL-1.1 OR GPL-2.0-only", True), ("LGPL-3.0-only", False), ("MIT", True), ("SSPL-1.0", False),
    ],
)  # fmt: skip
def test_a_licence_that_binds_is_seen(expression: str, free: bool) -> None:
    assert licences.known(expression) is free


@pytest.mark.parametrize(
    ("says", "status", "ends"),
    [
        ("No known vulnerabilities found", 0, 0),
        ("Found 2 known vulnerabilities in 1 package", 1, 1),
        ("ERROR:pip_audit._cli:flask: Dependency not found on PyPI and could not be audited: flask (3.1.3)", 1, 2),
        ("No known vulnerabilities found\nflask could not be audited", 0, 2),
        ("ConnectionError: osv.dev", 1, 2),
    ],
)
def test_an_audit_that_could_not_be_made_is_not_taken_for_a_clean_one(
    says: str, status: int, ends: int, tmp_path: Path
) -> None:
    tool = tmp_path / "pip-audit"
    tool.write_text(f"#!/bin/sh\nprintf '%s\\n' '{says}'\nexit {status}\n")
    tool.chmod(0o755)
    environ = {"PATH": os.environ["PATH"], "PIP_AUDIT": str(tool)}
    done = subprocess.run(
        [str(ROOT / "requirements" / "audit.sh")], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == ends
    assert ("NOT AUDITED" in done.stderr) is (ends == 2)
