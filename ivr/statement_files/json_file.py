"""The statement as JSON: what was signed, and the signature over its canonical form. docs/statement.md says more."""

import json

from ivr.statements import Document


def as_json(document: Document) -> bytes:
    """Indented, for people; the signature is over `ivr.signing.canonical` of "statement"."""
    found = {"statement": document.content, "signature": document.signature}
    return json.dumps(found, indent=1, ensure_ascii=False).encode() + b"\n"
