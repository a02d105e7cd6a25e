"""The sheets Read me and Check: the answer, and what it is compared with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from symgru import __version__
from symgru.backends.sentences import SENTENCE, ending, notes
from symgru.backends.text.printer import plain_text
from symgru.backends.xlsx.book import Book, Exact, fixed
from symgru.backends.xlsx.lines import FULL
from symgru.backends.xlsx.plan import FIRST, TOP, Plan, column_name
from symgru.backends.xlsx.ties import Tie
from symgru.backends.xlsx.weights import origin
from symgru.drawing.colours import FAINT
from symgru.explanation import OWN, Check
from symgru.templating import LICENCE
from symgru.trace import last_step

LEAST = 99  # powers of ten below 1 down to which tiny numbers keep their digits
DIFFERENCE = "0.0E+00;-0.0E+00;0"
TABLE = 3  # row of the table of results


def write_read_me(book: Book, plan: Plan, found: list[Tie]) -> None:
    """The answer first, then how to read the rest."""
    e = plan.explanation
    sheet = book.sheet("Read me", {0: 16, 1: 24, 2: 90})
    title = plain_text(e.network.origin or e.network.name)
    sheet.write_string(0, 0, f"{title}, worked out in a spreadsheet", book.format(bold=True, font_size=14))
    row = 2
    after = f"after step {e.sequence}, the last" if e.sequence > 1 else ""
    sheet.write_string(row, 0, "Result", book.format(bold=True))
    sheet.write_string(row, 2, after, book.format(font_color=FAINT.ink))
    look = book.format(num_format=fixed(e.digits), bold=True, align="left")
    for result in plan.results:
        row += 1
        sheet.write_string(row, 0, result.name, book.format(bold=True))
        sheet.write_formula(row, 1, f"=Steps!{result.address}", look, Exact(result.chain))
    row += 2
    for head, text in _sentences(plan, found):
        sheet.write_string(row, 0, head, book.format(bold=True))
        sheet.merge_range(row, 1, row, 2, "", book.format(text_wrap=True))
        sheet.write_string(row, 1, text, book.format(text_wrap=True))
        sheet.set_row(row, 13.5 * (1 + len(text) // 105))
        row += 1
    sheet.fit_to_pages(1, 0)


def _sentences(plan: Plan, found: list[Tie]) -> Iterator[tuple[str, str]]:
    e = plan.explanation
    if not e.reached:
        yield (
            "Digits",
            f"The exact value rounds otherwise: {e.decimals} decimals do not carry {e.digits} digits through this "
            "network.",
        )
    yield "Weights", f"{origin(e)}. Every block has a name{_named(plan)}."
    yield "Inputs", "The inputs and the states before the first step."
    yield (
        "Steps",
        "Every line of every step as a live formula: time runs to the right, lines run down. Change an input or a "
        f"weight, and all of it follows. Each line is rounded half up to {e.decimals} decimals (numbers smaller than "
        f"10^{e.rounding.tiny_below} to {e.rounding.kept} digits), and the rounded number is used from then on, as on "
        "a pocket calculator.",
    )
    if plan.usual < e.decimals:
        yield (
            "Decimals",
            f"{e.decimals} decimals here, {plan.usual} in the other documents, so that no line is a tie, which binary "
            "numbers could round otherwise.",
        )
    yield "Unrounded", "The same formulas with nothing rounded on the way."
    yield "Check", "The result beside the exact value and the framework's, and how many decimals a number keeps."
    if said := ending(e):
        yield "Result", said
    for note in (*notes(e), *map(str, e.written.notes)):
        yield "Note", plain_text(note, SENTENCE)
    yield "Made by", f"symgru {__version__}, model SHA-256 {e.network.fingerprint}. {LICENCE}"


def _named(plan: Plan) -> str:
    """Two of the names, as they are in this sheet."""
    names = list(plan.weights.values())
    return f": {', '.join(names[:3])}{' and so on' if len(names) > 3 else ''}" if names else ""


def write_check(book: Book, plan: Plan, found: list[Tie]) -> None:
    """The results, and what they are compared with; the framework is asked here."""
    e = plan.explanation
    sheet = book.sheet("Check", {0: 20, 1: FULL + 6, 2: FULL + 6, 3: 12})
    sheet.set_column(4, 12, FULL + 8)
    sheet.write_string(0, 0, "What the result is compared with", book.format(bold=True, font_size=12))
    head = book.format(bold=True, bottom=1, bottom_color=FAINT.ink, text_wrap=True, align="right")
    columns = _columns(plan)
    sheet.set_row(TABLE - 1, 42)
    for k, (text, _) in enumerate(columns):
        sheet.write_string(TABLE - 1, k, text, head)
    for k in range(len(plan.results)):
        for column, (_, put) in enumerate(columns):
            put(book, sheet, TABLE + k, column, k)
    row = TABLE + len(plan.results)
    _whole(book, sheet, plan, row)
    for text in (*_remarks(plan, found), e.proof):
        row += 2 if row == TABLE + len(plan.results) else 1
        sheet.write_string(row, 0, text, book.format(font_color=FAINT.ink))
    _decimals(book, sheet, plan, row + 2)
    sheet.fit_to_pages(1, 0)


def _columns(plan: Plan) -> list[tuple[str, Any]]:
    """Heading of each column, and what writes a cell of it."""
    e = plan.explanation
    shown = fixed(e.decimals)
    long = fixed(FULL)

    def text(of: list[str]) -> Any:
        return lambda book, sheet, row, column, k: sheet.write_string(row, column, of[k], book.format(bold=True))

    def number(of: Sequence[Decimal | float], look: str) -> Any:
        def put(book: Book, sheet: Any, row: int, column: int, k: int) -> None:
            sheet.write_number(row, column, Exact(float(of[k])), book.format(num_format=look))

        return put

    def formula(says: str, of: list[Any], look: str) -> Any:
        def put(book: Book, sheet: Any, row: int, column: int, k: int) -> None:
            own = says.format(n=row + 1, where=plan.results[k].address)
            sheet.write_formula(row, column, own, book.format(num_format=look, align="right"), of[k])

        return put

    chain = [r.chain for r in plan.results]
    full = [r.full for r in plan.results]
    typed, kept = ([OWN(v) for v in last_step(outputs)] for outputs in (e.exact_typed, e.exact_stored))
    exact = "exact" if not e.doubt else "exact, not proven"
    same = ["unchanged"] * len(chain)
    found = [
        ("output", text([r.name for r in plan.results])),
        ("Steps (rounded)", formula("=Steps!{where}", [Exact(v) for v in chain], shown)),
        ("as written", number(chain, shown)),
        ("is it still?", formula('=IF(B{n}=C{n},"unchanged","changed")', same, "General")),
        ("Unrounded", formula("=Unrounded!{where}", [Exact(v) for v in full], long)),
        (f"{exact}, decimals as in Weights", number(typed, long)),
        (
            "Steps - exact",
            formula("=B{n}-F{n}", [Exact(a - b) for a, b in zip(chain, typed, strict=True)], DIFFERENCE),
        ),
        (
            "Unrounded - exact",
            formula("=E{n}-F{n}", [Exact(a - float(b)) for a, b in zip(full, typed, strict=True)], DIFFERENCE),
        ),
    ]
    stored = "F"
    if e.stored_differs:
        stored = column_name(len(found))
        found.append((f"{exact}, stored {e.network.dtype} numbers", number(kept, long)))
    rows = list(e.framework_rows())
    if rows and all(row.text for row in rows):
        found += _framework(rows, column_name(len(found)), stored, number, formula)
    elif rows:
        found.append(("framework", text([plain_text(rows[0].says)] * len(plan.results))))
    return found


def _framework(rows: list[Check], own: str, stored: str, number: Any, formula: Any) -> list[tuple[str, Any]]:
    says = plain_text(rows[0].says)
    return [
        (says, number([Decimal(row.text) for row in rows], "General")),
        (
            f"{says} - exact",
            formula(f"={own}{{n}}-{stored}{{n}}", [Exact(row.difference or 0) for row in rows], DIFFERENCE),
        ),
        ("in ulps", number([row.ulps or 0.0 for row in rows], "0.0")),
    ]


def _whole(book: Book, sheet: Any, plan: Plan, row: int) -> None:
    """Whether any line of the sheet Steps is another than when the file was written: their sum tells."""
    area = f"Steps!{column_name(FIRST)}{TOP + 1}:{column_name(plan.columns - 1)}{plan.rows}"
    total = float(sum(float(v) for block in plan.blocks for line in block.rows for v in line.chain))
    look = book.format(num_format=fixed(plan.explanation.decimals), align="right", font_color=FAINT.ink)
    sheet.write_string(row, 0, "sum of all lines", book.format(font_color=FAINT.ink))
    sheet.write_formula(row, 1, f"=SUM({area})", look, Exact(total))
    sheet.write_number(row, 2, Exact(total), look)
    limit = f"1E-{plan.explanation.decimals + 1}*(1+ABS(C{row + 1}))"
    sheet.write_formula(row, 3, f'=IF(ABS(B{row + 1}-C{row + 1})<{limit},"unchanged","changed")', look, "unchanged")


def _remarks(plan: Plan, found: list[Tie]) -> Iterator[str]:
    yield "The exact and the framework's values belong to the numbers as written: they do not follow a change."
    if plan.explanation.framework is not None:
        yield f"An ulp is a unit in the last place of a {plan.explanation.network.dtype}."
    if found:
        first = found[0]
        many = f"{len(found)} lines are ties" if len(found) > 1 else "One line is a tie"
        yield (
            f"{many} (the first: {first.line} of {first.layer}, step {first.step}, unit {first.unit}): a spreadsheet "
            "computes with binary numbers, and could round the last place otherwise."
        )
    else:
        yield "No line is near a tie, so that binary numbers are rounded as the decimals are that they stand for."


def _decimals(book: Book, sheet: Any, plan: Plan, row: int) -> None:
    """The table of decimals, smallest size first."""
    rounding = plan.explanation.rounding
    sheet.write_string(row, 0, "How many decimals a number keeps", book.format(bold=True, font_size=12))
    says = (
        f"{rounding.decimals} decimals; {rounding.kept} digits of a number below 1E{rounding.tiny_below}. The formulas "
        "look it up in this table, whose rows are folded away (the + beside them opens it)."
    )
    sheet.write_string(row + 1, 0, says, book.format(font_color=FAINT.ink))
    head = book.format(bold=True, bottom=1, bottom_color=FAINT.ink, align="right")
    for k, text in enumerate(("size: from", "places: decimals")):
        sheet.write_string(row + 2, k, text, head)
    first = row + 3
    sizes = [0.0, *(float(f"1e{k}") for k in range(-LEAST, rounding.tiny_below + 1))]
    places = [LEAST + rounding.kept - 1, *(rounding.kept - 1 - k for k in range(-LEAST, rounding.tiny_below))]
    places.append(rounding.decimals)
    for k, (size, decimals) in enumerate(zip(sizes, places, strict=True)):
        sheet.write_number(first + k, 0, size, book.format(num_format="0E+00"))
        sheet.write_number(first + k, 1, decimals, book.format())
    last = first + len(sizes) - 1
    for k in range(row + 2, last + 1):
        sheet.set_row(k, None, None, {"level": 1, "hidden": True})
    sheet.set_row(last + 1, None, None, {"collapsed": True})
    book.name("size", "Check", (first, 0), (last, 0))
    book.name("places", "Check", (first, 1), (last, 1))
