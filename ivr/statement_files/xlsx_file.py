"""The statement as a workbook: a sheet to read, numbers as numbers, and nothing in it that runs."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from ivr.statement_files.cells import guarded, number_of, signature_words
from ivr.statements import Document

INK, SOFT, ACCENT, WASH, LINE = "#1f2529", "#566068", "#0a655f", "#e2efed", "#d9dcda"
WIDTHS = (58, 20, 13, 13, 16, 16)
LETTERS_A_LINE = 118  # of a sentence over the columns above


def as_xlsx(document: Document) -> bytes:
    """Made in memory. Text is text: no formula, no link."""
    out = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        closed = document.content["figures"]["closed"]
        made = datetime.fromisoformat(closed["closed_at"] if closed else document.content["figures"]["made_at"])
        book.set_properties({"title": document.content["title"], "created": made.astimezone(UTC).replace(tzinfo=None)})
        sheet = book.add_worksheet("Statement")
        _Writer(sheet, _formats(book)).write(document)
    return out.getvalue()


def _formats(book: Any) -> dict[str, Any]:
    base: dict[str, Any] = {"font_name": "Calibri", "font_size": 10.5, "font_color": INK, "valign": "top"}
    made: dict[str, dict[str, Any]] = {
        "title": {"font_size": 18, "bold": True, "font_color": ACCENT},
        "section": {"font_size": 12.5, "bold": True, "font_color": ACCENT, "bottom": 1, "bottom_color": ACCENT},
        "words": {"text_wrap": True},
        "soft": {"text_wrap": True, "font_color": SOFT},
        "head": {"bold": True, "font_color": SOFT, "bg_color": WASH, "text_wrap": True},
        "head_n": {"bold": True, "font_color": SOFT, "bg_color": WASH, "align": "right", "text_wrap": True},
        "text": {"bottom": 4, "bottom_color": LINE, "text_wrap": True},
        "total": {"bold": True, "top": 1, "top_color": SOFT},
    }
    for decimals in range(3):
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
        made[f"n{decimals}"] = {"num_format": pattern, "bottom": 4, "bottom_color": LINE}
        made[f"t{decimals}"] = {"num_format": pattern, "bold": True, "top": 1, "top_color": SOFT}
    return {name: book.add_format({**base, **values}) for name, values in made.items()}


class _Writer:
    def __init__(self, sheet: Worksheet, formats: dict[str, Any]) -> None:
        self._sheet, self._formats, self._row = sheet, formats, 0
        for n, width in enumerate(WIDTHS):
            sheet.set_column(n, n, width)
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&C&P / &N")

    def write(self, document: Document) -> None:
        self._sheet.set_row(0, 28)
        self._text(0, document.content["title"], "title")
        self._row += 1
        for part in document.content["sections"]:
            self._row += 1
            for n in range(len(WIDTHS)):
                self._sheet.write_blank(self._row, n, None, self._formats["section"])
            self._text(0, part["title"], "section")
            self._row += 1
            for words in part["words"]:
                self._sentence(words, "words")
            self._table(part)
        self._row += 1
        for words in signature_words(document):
            self._sentence(words, "soft")

    def _text(self, column: int, text: str, form: str) -> None:
        self._sheet.write_string(self._row, column, guarded(text), self._formats[form])

    def _sentence(self, words: str, form: str) -> None:
        """Over all columns, as many lines high as it needs."""
        self._sheet.merge_range(self._row, 0, self._row, len(WIDTHS) - 1, "", self._formats[form])
        self._text(0, words, form)
        self._sheet.set_row(self._row, 15 * (1 + len(words) // LETTERS_A_LINE))
        self._row += 1

    def _table(self, part: dict[str, Any]) -> None:
        rows = part["rows"]
        numeric = {n for row in rows for n, cell in enumerate(row) if number_of(cell) is not None}
        if part["headings"]:
            for n, heading in enumerate(part["headings"]):
                self._text(n, heading, "head_n" if n in numeric else "head")
            self._row += 1
        for row in rows:
            total = part["key"].startswith("lines-") and row[1] == ""
            for n, cell in enumerate(row):
                number = number_of(cell)
                if number is None:
                    self._text(n, str(cell), "total" if total else "text")
                else:
                    decimals = len(number.partition(".")[2])
                    form = self._formats[f"{'t' if total else 'n'}{decimals}"]
                    self._sheet.write_number(self._row, n, float(number), form)
            self._row += 1
