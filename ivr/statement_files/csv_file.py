"""The statement as CSV (RFC 4180), UTF-8 with a mark by which spreadsheets know it."""

import csv
from io import StringIO

from ivr.statement_files.cells import guarded, number_of, signature_words
from ivr.statements import Document


def as_csv(document: Document) -> bytes:
    """Section after section: its title, its sentences, its table. Numbers are plain: -1234.50."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow([guarded(document.content["title"])])
    for part in document.content["sections"]:
        writer.writerow([])
        writer.writerow([guarded(part["title"])])
        for words in part["words"]:
            writer.writerow([guarded(words)])
        if part["headings"]:
            writer.writerow([guarded(one) for one in part["headings"]])
        for row in part["rows"]:
            writer.writerow([number_of(cell) or guarded(str(cell)) for cell in row])
    writer.writerow([])
    for words in signature_words(document):
        writer.writerow([guarded(words)])
    return b"\xef\xbb\xbf" + out.getvalue().encode()
