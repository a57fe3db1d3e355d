"""A statement as a file: JSON, CSV, XLSX or PDF, with the same words and figures in each."""

from collections.abc import Callable, Mapping

from ivr.statement_files.csv_file import as_csv
from ivr.statement_files.json_file import as_json
from ivr.statement_files.pdf_file import as_pdf
from ivr.statement_files.xlsx_file import as_xlsx
from ivr.statements import Document

#: format -> (how to write it, its type)
FORMATS: Mapping[str, tuple[Callable[[Document], bytes], str]] = {
    "json": (as_json, "application/json"),
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "xlsx": (as_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "pdf": (as_pdf, "application/pdf"),
}


def write(document: Document, form: str) -> bytes:
    """The file's bytes. The same document gives the same bytes."""
    return FORMATS[form][0](document)


def name(document: Document, form: str) -> str:
    """What the file is called."""
    month = str(document.content["figures"]["month"])[:7]
    return f"statement-{month}{'' if document.signature else '-draft'}.{form}"
