"""A workbook as XlsxWriter writes it: formats made once, numbers with all their digits, texts that stay texts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

from symgru.errors import MissingTool
from symgru.rounding import Rounding

EPOCH = datetime(1980, 1, 1)  # so that the same example gives the same file
FONT = {"font_name": "Arial", "font_size": 10, "valign": "top"}
MOST_DECIMALS = 30  # of Excel's number formats


class Exact(float):
    """A double that is written with all its digits; XlsxWriter writes 16, which is one too few for some."""

    def __format__(self, spec: str) -> str:
        return repr(float(self))


class Book:
    """One workbook in memory."""

    def __init__(self) -> None:
        try:
            import xlsxwriter
            from xlsxwriter.worksheet import Worksheet
        except ImportError:
            raise MissingTool('a spreadsheet needs the package xlsxwriter: pip install "symgru[documents]"') from None

        class Sheet(Worksheet):  # type: ignore[misc, unused-ignore]
            def _prepare_formula(self, formula: str, expand_future_functions: bool = False) -> str:
                """A formula as it is: thirty searches in each, for functions newer than ours, take most of the time."""
                return formula[1:]

        self._sheet = Sheet
        self._target = BytesIO()
        self.workbook: Any = xlsxwriter.Workbook(
            self._target,
            {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
        )
        self._formats: dict[tuple[tuple[str, object], ...], Any] = {}

    def format(self, **properties: object) -> Any:
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self.workbook.add_format({**FONT, **properties})
        return self._formats[key]

    def sheet(self, name: str, widths: dict[int, float], freeze: tuple[int, int] = (0, 0)) -> Any:
        """A new sheet; `widths` are those of its columns, in characters."""
        sheet = self.workbook.add_worksheet(name, self._sheet)
        for column, width in widths.items():
            sheet.set_column(column, column, width, self.format())
        sheet.freeze_panes(*freeze)
        sheet.hide_gridlines(2)
        sheet.set_paper(9)
        sheet.set_landscape()
        sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
        sheet.set_footer("&L&A&RPage &P of &N")
        return sheet

    def name(self, name: str, sheet: str, first: tuple[int, int], last: tuple[int, int]) -> None:
        """Give a range a name."""
        from xlsxwriter.utility import xl_range_abs

        area = xl_range_abs(*first, *last)
        self.workbook.define_name(name, f"={sheet}!{area.partition(':')[0] if first == last else area}")

    def bytes(self) -> bytes:
        self.workbook.close()
        return self._target.getvalue()


def write_number(sheet: Any, row: int, column: int, text: str, look: Any) -> None:
    """A number as it was typed; where no double is that number, its text stands in a note."""
    value = float(text)
    sheet.write_number(row, column, Exact(value), look)
    if Decimal(repr(value)) != Decimal(text):
        sheet.write_comment(row, column, f"given as {text}")


def as_typed(text: str) -> str:
    """The number format that shows a number with the decimals it was typed with."""
    mantissa, _, exponent = text.lower().partition("e")
    decimals = min(len(mantissa.partition(".")[2]), MOST_DECIMALS)
    return fixed(decimals) + ("E+00" if exponent else "")


def fixed(decimals: int) -> str:
    return "0." + "0" * decimals if decimals else "0"


def tiny(rounding: Rounding) -> str:
    """The number format of a tiny number."""
    return fixed(rounding.kept - 1) + "E+00"
