"""The statement as a PDF to print and file."""

from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Frame,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from ivr.statement_files.cells import number_of, shown, signature_words
from ivr.statements import Document

INK, SOFT, ACCENT = colors.HexColor("#1f2529"), colors.HexColor("#566068"), colors.HexColor("#0a655f")
WASH, LINE, WARN = colors.HexColor("#e2efed"), colors.HexColor("#d9dcda"), colors.HexColor("#7a4f00")
MARGIN, PADDING = 18 * mm, 3
SHORT = 12  # rows of a table that is on one page, with what is said above it
WIDTH = A4[0] - 2 * MARGIN
BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=9, leading=12.5, textColor=INK, spaceAfter=2.5)
SMALL = ParagraphStyle("small", BODY, fontSize=7.5, leading=10, textColor=SOFT, wordWrap="CJK")
CELL = ParagraphStyle("cell", BODY, fontSize=8.5, leading=11, spaceAfter=0)
BOLD = ParagraphStyle("bold", CELL, fontName="Helvetica-Bold")
FIGURE = ParagraphStyle("figure", CELL, alignment=2)
BOLD_FIGURE = ParagraphStyle("bold figure", BOLD, alignment=2)
HEAD = ParagraphStyle("head", CELL, fontName="Helvetica-Bold", fontSize=7.8, textColor=SOFT)
HEAD_FIGURE = ParagraphStyle("head figure", HEAD, alignment=2)
SECTION = ParagraphStyle("section", BODY, fontName="Helvetica-Bold", fontSize=12, leading=15, textColor=ACCENT)
TITLE = ParagraphStyle("title", SECTION, fontSize=21, leading=26)
HEADLINE = ParagraphStyle("headline", BODY, fontName="Helvetica-Bold", fontSize=12.5, leading=16.5, spaceAfter=5)


def as_pdf(document: Document) -> bytes:
    """A4 pages, numbered; the same document gives the same bytes."""
    out = BytesIO()
    title = _latin(document.content["title"])
    template = BaseDocTemplate(
        out, pagesize=A4, title=title, author="Offhold", invariant=1, leftMargin=MARGIN, rightMargin=MARGIN, lang="en"
    )
    frame = Frame(MARGIN, 18 * mm, WIDTH, A4[1] - 36 * mm, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)
    template.addPageTemplates(PageTemplate("page", [frame], onPage=_footer(title, draft=document.signature is None)))
    story: list[Any] = [Paragraph(escape(title), TITLE), Spacer(0, 3 * mm)]
    for part in document.content["sections"]:
        story += _section(part)
    story += [Spacer(0, 5 * mm), *(Paragraph(escape(_latin(one)), SMALL) for one in signature_words(document))]
    template.build(story)
    return out.getvalue()


def _latin(text: str) -> str:
    """The printer's own fonts hold the letters of Western Europe; others print as a question mark."""
    return text.encode("cp1252", "replace").decode("cp1252")


def _footer(title: str, *, draft: bool) -> Any:
    def draw(canvas: Any, template: Any) -> None:
        canvas.saveState()
        canvas.setFont("Helvetica", 7.5)
        canvas.setFillColor(SOFT)
        canvas.drawString(MARGIN, 10 * mm, f"Offhold · {title}")
        canvas.drawRightString(A4[0] - MARGIN, 10 * mm, str(template.page))
        if draft:
            canvas.setFillColor(WARN)
            canvas.setFont("Helvetica-Bold", 9)
            canvas.drawRightString(A4[0] - MARGIN, A4[1] - 12 * mm, "DRAFT, NOT CLOSED")
        canvas.restoreState()

    return draw


def _section(part: dict[str, Any]) -> list[Any]:
    words = [_latin(one) for one in part["words"]]
    story: list[Any] = [CondPageBreak(38 * mm), Spacer(0, 3.5 * mm), Paragraph(escape(_latin(part["title"])), SECTION)]
    if part["key"] == "numbers":
        story.append(Paragraph(escape(words[0]), HEADLINE))
        words = words[1:]
    story += [Paragraph(escape(one), BODY) for one in words]
    if part["rows"]:
        story += [Spacer(0, 1.5 * mm), _table(part)]
    return [KeepTogether(story)] if len(part["rows"]) <= SHORT else story


def _table(part: dict[str, Any]) -> Table:
    rows = part["rows"]
    columns = len(part["headings"])
    numeric = {n for row in rows for n, cell in enumerate(row) if number_of(cell) is not None}
    if numeric and columns < 5:  # estimates and what is beside them
        numeric = set(range(1, columns))
    head = [
        Paragraph(escape(_latin(one)), HEAD_FIGURE if n in numeric else HEAD) for n, one in enumerate(part["headings"])
    ]
    totals = [n for n, row in enumerate(rows, 1) if part["key"].startswith("lines-") and row[1] == ""]
    narrow = 21 * mm if columns > 4 else 26 * mm
    widths = [WIDTH - narrow * (columns - 1), *[narrow] * (columns - 1)] if columns > 2 else [WIDTH * 0.7, WIDTH * 0.3]
    body = [
        [_cell(cell, widths[k], bold=n in totals, figure=k in numeric) for k, cell in enumerate(row)]
        for n, row in enumerate(rows, 1)
    ]
    style = [
        ("FONT", (0, 1), (-1, -1), CELL.fontName, CELL.fontSize, CELL.leading),
        ("TEXTCOLOR", (0, 1), (-1, -1), CELL.textColor),
        *(("ALIGN", (k, 1), (k, -1), "RIGHT") for k in numeric),
        *(("FONTNAME", (0, n), (-1, n), BOLD.fontName) for n in totals),
        ("BACKGROUND", (0, 0), (-1, 0), WASH),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, LINE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 2.2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.6),
        ("LEFTPADDING", (0, 0), (-1, -1), PADDING),
        ("RIGHTPADDING", (0, 0), (-1, -1), PADDING),
        *(("LINEABOVE", (0, n), (-1, n), 0.7, SOFT) for n in totals),
    ]
    return Table([head, *body], colWidths=widths, repeatRows=1, hAlign="LEFT", style=TableStyle(style))


def _cell(cell: Any, width: float, *, bold: bool, figure: bool) -> Paragraph | str:
    """A paragraph only where one line does not hold it: setting paragraphs is most of what a file takes."""
    style = (BOLD_FIGURE if bold else FIGURE) if figure else (BOLD if bold else CELL)
    text = _latin(shown(cell))
    fits = stringWidth(text, style.fontName, style.fontSize) <= width - 2 * PADDING
    return text if fits and "\n" not in text else Paragraph(escape(text), style)
