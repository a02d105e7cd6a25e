"""Worked lines in a spreadsheet: each rounded formula of the sheet Steps, with the numbers that its references show.

Read from the file's XML itself, so that a number is the text that was written. Column A names a line at time t, B has
its formula in words, the further columns hold a formula and its cached value for each step; an empty row ends a layer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property
from io import BytesIO
from xml.etree import ElementTree
from zipfile import ZipFile

from tests.calculator.line import Line, Section, Wrong, lines

_X = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_PLACE = re.compile(r"(?:(\w+)!)?\$?([A-Z]+)\$?(\d+)")
_ROUND = re.compile(r"ROUND\((.*),LOOKUP\(ABS\((.*)\),size,places\)\)")
Place = tuple[str, int, int]  # sheet, row, column
Cell = tuple[str, str]  # formula, value


def read(document: bytes) -> list[Line]:
    return lines(_Book(document).sections())


class _Book:
    def __init__(self, document: bytes) -> None:
        self.cells: dict[Place, Cell] = {}
        self.names: dict[str, list[Place]] = {}
        with ZipFile(BytesIO(document)) as archive:
            strings = ["".join(t.text or "" for t in s.iter(f"{_X}t")) for s in _tree(archive, "sharedStrings")]
            workbook = _tree(archive, "workbook")
            for k, sheet in enumerate(workbook.iter(f"{_X}sheet"), 1):
                self._read_sheet(sheet.attrib["name"], _tree(archive, f"worksheets/sheet{k}"), strings)
            for name in workbook.iter(f"{_X}definedName"):
                if not name.attrib["name"].startswith("_"):
                    self.names[name.attrib["name"]] = _range(name.text or "", "")

    def _read_sheet(self, name: str, tree: ElementTree.Element, strings: list[str]) -> None:
        for cell in tree.iter(f"{_X}c"):
            value, formula = cell.findtext(f"{_X}v") or "", cell.findtext(f"{_X}f") or ""
            if cell.get("t") == "s":
                value = strings[int(value)]
            elif cell.get("t") == "str" and re.fullmatch(r"[-\d.]+", value):
                raise Wrong(f"{name}!{cell.attrib['r']}: {value} is a text")
            self.cells[_place(cell.attrib["r"], name)] = formula, value

    def sections(self) -> Iterator[Section]:
        """For each layer, which is the rows down to an empty one, a section for each step."""
        rows = max(row for sheet, row, _ in self.cells if sheet == "Steps")
        columns = max(column for sheet, _, column in self.cells if sheet == "Steps")
        top = 0
        for row in range(1, rows + 2):
            headings = [self.value(("Steps", row, k)) for k in range(4, columns + 1)]
            if any(re.fullmatch(r"t = \d+|output", heading) for heading in headings):
                top = row
            elif top and not self.value(("Steps", row, 1)):
                for k, heading in enumerate(self.value(("Steps", top, k)) for k in range(4, columns + 1)):
                    if heading:
                        step = int(heading.removeprefix("t = ")) if heading != "output" else None
                        yield step, list(self._statements(range(top + 1, row), k + 4, step))
                top = 0

    def _statements(self, rows: range, column: int, step: int | None) -> Iterator[str]:
        for row in rows:
            place = "Steps", row, column
            formula, value = self.cells.get(place, ("", ""))
            if not formula:
                raise Wrong(f"{place} has no formula")
            found = _ROUND.fullmatch(formula)
            if not found:  # only read: a link to the number itself
                (target,) = _range(formula, "Steps")
                if self.value(target) != value:
                    raise Wrong(f"{place} shows {value}, {formula} is {self.value(target)}")
                continue
            if found[1] != found[2]:
                raise Wrong(f"{place}: {found[1]} is rounded to the places of {found[2]}")
            texts = (self._in_full(self.value(("Steps", row, k)), rows) for k in (1, 2))
            name, words = (_at(text, step) for text in texts)
            yield f"{name} = {words.replace('·', '*')} = {self._numbers(found[1])} = {self._printed(value)}"

    def _in_full(self, words: str, rows: range) -> str:
        """Σ(j=1..D) W_z[j,1]·x_t[j] as a sum of as many products as the layer has rows for x_t."""
        names = [self.value(("Steps", row, 1)) for row in rows]

        def products(found: re.Match[str]) -> str:
            index, product = found.groups()
            (vector,) = re.findall(rf"([^·\s]+)\[{index}\]", product)
            stem = vector.replace("(t-1)", "t" if "_(" in vector else "(t)").replace("<t-1>", "<t>")
            length = sum(name.startswith(f"{stem}[") for name in names)
            terms = (re.sub(rf"\b{index}(?=[],])", str(k), product) for k in range(1, length + 1))
            return " + ".join(terms)

        return re.sub(r"Σ\((\w)=1\.\.\w\) (\S*?\](?:·\S*?\])*)", products, words)

    def _printed(self, value: str) -> str:
        """With the decimals of the table on the sheet Check."""
        exact, most = Decimal(value), self._table[-1][1]
        places = max((size, int(number)) for size, number in self._table if size <= abs(exact))[1] if exact else most
        printed = exact.quantize(Decimal(1).scaleb(-places))
        if printed != exact:
            raise Wrong(f"{value} has more than {places} decimals")
        return f"{printed:e}" if places > most else f"{printed:f}"

    @cached_property
    def _table(self) -> list[tuple[Decimal, int]]:
        columns = (self.names[name] for name in ("size", "places"))
        table = [(Decimal(self.value(a)), int(self.value(b))) for a, b in zip(*columns, strict=True)]
        if table != sorted(table, key=lambda row: row[0]):
            raise Wrong("LOOKUP needs sizes that rise")
        return table

    def _numbers(self, formula: str) -> str:
        """The formula with the numbers that its references show, in the calculator's own writing."""
        text = re.sub(r"SUMPRODUCT\((.*?\)|[^(),]+),([^(),]+)\)", self._products, formula)
        text = re.sub(r"INDEX\((\w+),(\d+),(\d+)\)", lambda m: self._shown(self._element(*m.groups())), text)
        text = re.sub(r"[A-Za-z]\w*(?![\w(])", self._named, text)
        text = re.sub(r"(?<![\w.])\$?[A-Z]{1,3}\$?\d+(?!\w|\()", lambda m: self._shown(_place(m[0], "Steps")), text)
        text = re.sub(r"EXP\(MIN\(([^()]*(?:\([^()]*\))?),700\)\)", r"e^(\1)", text)
        for sheet, calculator in (
            ("TANH(", "tanh("),
            ("MAX(", "max("),
            ("MIN(", "min("),
            ("LN(", "ln("),
            ("ABS(", "abs("),
        ):
            text = text.replace(sheet, calculator)
        return re.sub(r"(?<=[\w)])([-+])(?!\d+e)", r" \1 ", text)

    def _named(self, found: re.Match[str]) -> str:
        """A name that is a single cell's."""
        places = self.names.get(found[0], [])
        return self._shown(places[0]) if len(places) == 1 else found[0]

    def _products(self, found: re.Match[str]) -> str:
        left, right = (self._all(part) for part in found.groups())
        return " + ".join(f"{self._shown(a)}*{self._shown(b)}" for a, b in zip(left, right, strict=True))

    def _all(self, text: str) -> list[Place]:
        found = re.fullmatch(r"INDEX\((\w+),0,(\d+)\)", text)
        if found:
            name, column = found[1], int(found[2])
            first = min(c for _, _, c in self.names[name])
            return [place for place in self.names[name] if place[2] == first + column - 1]
        return _range(text, "Steps")

    def _element(self, name: str, row: str, column: str) -> Place:
        sheet, top, left = min(self.names[name])
        place = sheet, top + int(row) - 1, left + int(column) - 1
        if place not in self.names[name]:
            raise Wrong(f"{name} has no row {row} and column {column}")
        return place

    def _shown(self, place: Place) -> str:
        value = f"{Decimal(self.value(place)):f}"
        return f"({value})" if value.startswith("-") else value

    def value(self, place: Place) -> str:
        return self.cells.get(place, ("", ""))[1]


def _tree(archive: ZipFile, part: str) -> ElementTree.Element:
    return ElementTree.fromstring(archive.read(f"xl/{part}.xml"))


def _place(text: str, sheet: str) -> Place:
    found = _PLACE.fullmatch(text)
    if not found:
        raise Wrong(f"not a place in a sheet: {text}")
    column = 0
    for letter in found[2]:
        column = 26 * column + ord(letter) - 64
    return found[1] or sheet, int(found[3]), column


def _range(text: str, sheet: str) -> list[Place]:
    """Every place of a range, row by row."""
    first, _, last = text.partition(":")
    sheet, top, left = _place(first, sheet)
    _, bottom, right = _place(last or first, sheet)
    return [(sheet, row, column) for row in range(top, bottom + 1) for column in range(left, right + 1)]


def _at(text: str, step: int | None) -> str:
    """A name or a formula at a step: a_z_t[2] is a_z_3[2]."""
    if step is None:
        return text
    text = re.sub(r"_t(?![a-z])", f"_{step}", text).replace("_(t-1)", f"_{step - 1}")
    return re.sub(r"\^[<(]t(-1)?[>)]", lambda m: f"^<{step - 1 if m[1] else step}>", text)
