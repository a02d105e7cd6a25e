"""Spreadsheets worked out by LibreOffice, which knows nothing of symgru, and read back with openpyxl."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.conftest import need, need_package

Cells = dict[str, dict[str, object]]  # by sheet and address


def recalculated(places: Sequence[Path], folder: Path) -> dict[str, Cells]:
    """What LibreOffice makes of each file, by its stem. The files must hold no cached values: see `changed`."""
    folder.mkdir(exist_ok=True)
    profile = folder / "profile"
    command = [need("soffice"), f"-env:UserInstallation={profile.resolve().as_uri()}", "--headless", "--convert-to"]
    subprocess.run(
        [*command, "xlsx", "--outdir", str(folder), *map(str, places)], check=True, capture_output=True, timeout=300
    )
    return {place.stem: values(folder / place.name) for place in places}


def changed(place: Path, to: Path, changes: Mapping[str, Sequence[Sequence[float]]]) -> Path:
    """A copy in which named ranges hold other numbers. openpyxl writes no cached value: whoever opens the copy has to
    work everything out."""
    workbook = need_package("openpyxl").load_workbook(place)
    for name, rows in changes.items():
        sheet, area = workbook.defined_names[name].attr_text.replace("$", "").split("!")
        cells = workbook[sheet][area]
        for line, numbers in zip(cells if isinstance(cells, tuple) else ((cells,),), rows, strict=True):
            for cell, number in zip(line, numbers, strict=True):
                cell.value = number
    workbook.save(to)
    return to


def values(place: Path) -> Cells:
    """The cached value of every cell that has one."""
    workbook = need_package("openpyxl").load_workbook(place, data_only=True)
    return {
        sheet.title: {c.coordinate: c.value for row in sheet.iter_rows() for c in row if c.value is not None}
        for sheet in workbook
    }


def formulas(place: Path) -> dict[str, dict[str, str]]:
    """The formula of every cell that has one."""
    workbook = need_package("openpyxl").load_workbook(place)
    return {
        sheet.title: {c.coordinate: str(c.value) for row in sheet.iter_rows() for c in row if c.data_type == "f"}
        for sheet in workbook
    }


def computed_rows(cells: dict[str, str]) -> list[list[str]]:
    """The addresses of the lines of the sheet Steps, row by row, step by step."""
    rows: dict[int, list[str]] = {}
    for address, formula in cells.items():
        if formula.startswith("=ROUND("):
            rows.setdefault(int(re.sub("[A-Z]", "", address)), []).append(address)
    return [rows[k] for k in sorted(rows)]
