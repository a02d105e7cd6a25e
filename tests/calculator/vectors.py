"""Lines in matrix form, and the weights and starting values that they use, read back and worked out again.

Each format's reader yields statements: "name = symbols = [0.5, 1]", with the numbers put in where the document does so,
and "name = [[0.5, 1], [2, 3]]" for what is given.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

from tests.calculator import latex, plain
from tests.calculator.algebra import PLACE, Array, literal, split, work_out
from tests.calculator.arithmetic import NAME
from tests.calculator.checking import time_of
from tests.calculator.line import Wrong, step_of
from tests.calculator.policy import rounded

Statement = tuple[int | None, str]  # the step under whose heading it stands, 0 before the first


def statements(document: str, kind: str, comma: bool = False) -> list[Statement]:
    """All that a document says in vectors and matrices, in its order."""
    return list(_READERS[kind](document, comma))


def check_vectors(
    found: Iterable[Statement],
    decimals: int,
    printed: dict[str, Any] | None = None,
    elsewhere: Mapping[str, Array] | None = None,
) -> Counter[str]:
    """Raises Wrong where a vector is not what its line says. `printed` takes every value by its name; `elsewhere` has
    weights that the document does not print."""
    printed = {} if printed is None else printed
    count: Counter[str] = Counter()
    for step, statement in found:
        name, *sides = statement.split(" = ")
        value = literal(sides[-1])
        if len(sides) == 1:
            _check_given(name, value, printed)
            count["weights" if step == 0 else "starts"] += 1
            continue
        if step not in time_of(name):
            raise Wrong(f"{name} under the heading of step {step}")
        if name in printed:
            raise Wrong(f"{name} is computed twice")
        known = {**(elsewhere or {}), **printed}
        count["with weights from elsewhere"] += any(s not in printed and s in known for s in split(sides[0])[0])
        _check_value(name, sides[0], known, sides[-1], decimals)
        if len(sides) == 3:
            _check_filled(name, sides[0], sides[1], known)
            count["filled"] += 1
        printed[name] = value
        count["lines"] += 1
        count["numbers"] += len(value) if isinstance(value, Array) else 1
    return count


def _check_given(name: str, value: Array | Decimal, printed: dict[str, Any]) -> None:
    value = value if isinstance(value, Array) else Array([value])
    if printed.setdefault(name, value) != value:
        raise Wrong(f"{name} was {printed[name]} and is {value}")


def _check_value(name: str, symbols: str, known: Mapping[str, Any], text: str, decimals: int) -> None:
    exact = work_out(symbols, known)
    texts = text.strip("[]").split(", ")
    if len(exact) != len(texts):
        raise Wrong(f"{name} has {len(texts)} numbers, its formula {len(exact)}")
    for k, (v, shown) in enumerate(zip(exact, texts, strict=True), 1):
        if rounded(v, decimals).as_tuple() != Decimal(shown).as_tuple():
            raise Wrong(f"{name}, {k}: {symbols} is {v:.20f}, printed is {shown}")


def _check_filled(name: str, symbols: str, numbers: str, known: Mapping[str, Any]) -> None:
    """Every vector and matrix of the symbols is the one that was printed for it."""
    (names, _), (filled, literals) = split(symbols), split(numbers)
    if len(names) != len(filled):
        raise Wrong(f"{name}: {symbols} is not {numbers}")
    for s, n in zip(names, filled, strict=True):
        if s != n and not (n.startswith(PLACE) and s in known and known[s].flat == literals[n].flat):
            raise Wrong(f"{name}: {s} is {known.get(s)}, filled in is {literals.get(n, n)}")


def elements(printed: Mapping[str, Any]) -> dict[str, Decimal]:
    """The numbers of vectors and matrices by the names that they have on lines of their own, in text and in LaTeX."""
    return {name: v for whole, value in printed.items() for name, v in _elements(whole, value)}


def _elements(name: str, value: Array) -> Iterator[tuple[str, Decimal]]:
    value = value.flat
    if len(value) == 1:
        yield name, value[0]
    rows = [(str(i), row) for i, row in enumerate(value, 1)]
    flat = [(f"{i},{j}", v) for i, row in rows for j, v in enumerate(row, 1)] if isinstance(value[0], Array) else rows
    stem, above, time = name.partition("^")
    for index, v in flat:
        yield f"{name}[{index}]", v
        inner = f"{stem[:-1]},{index}}}" if stem.endswith("}") else f"{stem}_{{{index}}}"
        yield inner + above + time, v


# Readers

_TEXT_NAME = rf"(?:{NAME})"


def _text(document: str, comma: bool) -> Iterator[Statement]:
    """Rows are joined while a bracket is open, or while the next begins with a sign."""
    document = plain.cleaned(document, comma).replace("·", " ⊙ ")
    step: int | None = 0
    whole = ""
    for row in [*document.splitlines(), ""]:
        words = " ".join(row.replace("```text", "").strip().split())
        if whole and (_open(whole) or words[:1] in tuple("=+-*@⊙×∘")) and words:
            whole += " " + words
            continue
        yield from _matrix_form(step, whole)
        whole = ""
        heading = re.match(r"(?:#### )?((?:Step \d+|Output)\b[^:]*):? ?(.*)$", words)
        if heading:
            step = step_of(heading[1])
            for start in re.findall(rf"{_TEXT_NAME} = (?:\[[^][]*\]|[-\d.e]+)", heading[2]):
                yield step, start
        elif re.match(rf"(?:from )?{_TEXT_NAME} = ", words):
            whole = words.removeprefix("from ")


def _open(text: str) -> bool:
    return text.count("[") > text.count("]")


def _matrix_form(step: int | None, statement: str) -> Iterator[Statement]:
    """A statement that ends in a vector or a matrix."""
    last = statement.rpartition(" = ")[2]
    if last.startswith("[") and last.endswith("]"):
        yield step, re.sub(r"\[ ", "[", statement)


_HEADING = r"\\subsubsection\*\{(Step \d+|Output)[^}]*\}\n"
_DISPLAY = r"\\begin\{align\*\}\n((?:.*\n)*?)\\end\{align\*\}"
_TABLE = r"\\begin\{tabular\}.*\n((?:.*\n)*?)\\end\{tabular\}"


def _latex(document: str, comma: bool) -> Iterator[Statement]:
    """Tables whose heads are weights, the starts behind a step's heading, and rows of align whose names are bold."""
    step: int | None = 0
    matrices: dict[str, dict[tuple[int, ...], str]] = {}
    pattern = rf"^(?:{_HEADING}(?:{{\\raggedright )?(\$.*|)\n|{_DISPLAY}|{_TABLE})"
    for title, starts, display, rows in re.findall(pattern, latex.decimal_points(document, comma), re.MULTILINE):
        if title:
            for name, entries in matrices.items():
                yield 0, f"{name} = {_assembled(entries)}"
            matrices.clear()
            step = step_of(title)
            for start in re.sub(r"\$|\\par\}|\\nopagebreak", "", starts).split(r", \quad "):
                if start:
                    yield step, _bracketed(start.replace(", ", r",\ "))
        elif display:
            for statement in latex.statements(display):
                if r"\mathbf" in statement.partition("=")[0] or r"\boldsymbol" in statement.partition("=")[0]:
                    yield from _matrix_form(step, _bracketed(statement))
        elif rows and not step:
            _read_table(rows, matrices)


def _bracketed(text: str) -> str:
    """A bold statement of LaTeX with vectors and matrices in square brackets."""
    text = text.replace(r"\qquad {}", " ")
    text = re.sub(
        r"\\begin\{pmatrix\}(.*?)\\end\{pmatrix\}",
        lambda m: f"[{', '.join(f'[{row.strip()}]' for row in m[1].replace('&', ',').split(chr(92) * 2))}]",
        text,
    )
    text = re.sub(r"\((-?[\d.e]+)\)(?=\\,|\^\{\\top\})", r"[\1]", text)
    text = re.sub(r"\(((?:-?[\d.]+,\\?\s*)+-?[\d.]+)\)", lambda m: f"[{m[1].replace(chr(92), '')}]", text)
    text = text.replace(r"^{\top}", "").replace(r"\,", " @ ")
    text = re.sub(r"\\(?:odot|circ|ast|times|cdot)\b", "⊙", text)
    text = " ".join(latex.plain(re.sub(r"\\(?:mathbf|boldsymbol)\{(\\?\w+)\}", r"\1", text)).split())
    return re.sub(r"\s*,\s*(?=-?\d)(?=[^][]*\])", ", ", text)


def _read_table(rows: str, matrices: dict[str, dict[tuple[int, ...], str]]) -> None:
    """Heads W_{z,j,1} above numbers, rows j = 1; or, of a bias, each number behind its symbol."""
    cells = [
        [_uncoloured(cell) for cell in row.split(" & ")]
        for row in re.sub(r"\\(?:top|mid|bottom)rule\n", "", rows).split(r" \\" + "\n")
        if row.strip()
    ]
    for row in cells:
        for symbol, value in zip(row[::2], row[1::2], strict=False):
            if symbol and _is_name(symbol) and re.fullmatch(r"-?[\d.e]+", value):
                _put(matrices, symbol, 0, value)
    for row in cells[1:]:
        place = re.fullmatch(r"[jk] = (\d+)", row[0])
        for head, value in zip(cells[0], row, strict=True):
            if _is_name(head) and re.fullmatch(r"-?[\d.e]+", value):
                _put(matrices, head, int(place[1]) if place else 0, value)


def _is_name(text: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z]+'*_\{[^}]*\}", text))


def _uncoloured(cell: str) -> str:
    text = re.sub(r"\\phantom\{[^}]*\}", "", cell)
    found = re.search(r"\$(.*?)\$", text)
    return latex.plain(found[1]) if found else text.strip()


def _put(matrices: dict[str, dict[tuple[int, ...], str]], symbol: str, row: int, value: str) -> None:
    """At the place that the symbol's letters and numbers say, in their order."""
    stem, _, below = symbol[:-1].partition("_{")
    parts = below.split(",")
    index = [part for part in parts if part.isdigit() or part in ("j", "k")]
    kept = parts[: len(parts) - len(index)]
    name = f"{stem}_{{{','.join(kept)}}}" if kept else stem
    place = tuple(row if part in ("j", "k") else int(part) for part in index)
    if matrices.setdefault(name, {}).setdefault(place, value) != value:
        raise Wrong(f"{symbol} is printed twice")


def _assembled(entries: Mapping[tuple[int, ...], str]) -> str:
    """Every place of a vector or a matrix, none missing."""
    sizes = tuple(map(max, zip(*entries, strict=True)))
    if len(entries) != _product(sizes):
        raise Wrong(f"{len(entries)} numbers of {sizes}")
    if len(sizes) == 1:
        return f"[{', '.join(entries[k,] for k in range(1, sizes[0] + 1))}]"
    rows = (", ".join(entries[i, j] for j in range(1, sizes[1] + 1)) for i in range(1, sizes[0] + 1))
    return f"[{', '.join(f'[{row}]' for row in rows)}]"


def _product(sizes: Iterable[int]) -> int:
    total = 1
    for size in sizes:
        total *= size
    return total


def _web(document: str, comma: bool) -> Iterator[Statement]:
    page = _Page()
    page.feed(re.sub(r"<(svg|script|style)\b.*?</\1>", "", document, flags=re.DOTALL))
    page.close()
    columns = bool(re.search(r"\[i,[jk]\]", re.sub(r"<[^>]*>", "", document)))
    step: int | None = 0
    for kind, text in page.found:
        words = plain.cleaned(" ".join(text.split()), comma).replace("·", " ⊙ ")
        if kind == "heading":
            step = step_of(words) if re.match(r"(Step \d+|Output)\b", words) else step
        elif kind == "table":
            yield from ((0, s) for s in _blocks(plain.cleaned(text, comma), columns))
        elif kind == "item" and step:
            yield step, words
        elif kind == "vector":
            yield from _matrix_form(step, words)


def _blocks(table: str, columns: bool) -> Iterator[str]:
    """A table of weights, whose heads span the columns of a gate: of a kernel a row for each input, of a bias one.
    Where vectors are `columns`, the matrix W of W x is the other way round."""
    rows = [[cell.strip() for cell in row.split("|")[:-1]] for row in table.splitlines() if row.strip()]
    labelled = bool(re.match(r"[jk] = \d+$", rows[2][0]))
    body = [row[labelled:] for row in rows[2:]]
    names = [name for name in rows[0] if name]
    width = len(body[0]) // len(names)
    for k, name in enumerate(names):
        block = [row[k * width : (k + 1) * width] for row in body]
        turned = zip(*block, strict=True) if columns and labelled else block
        texts = [f"[{', '.join(row)}]" for row in turned]
        together = ", ".join(texts)
        yield f"{name} = [{together}]" if labelled else f"{name} = {together}"


class _Page(HTMLParser):
    """Headings, starts, vectors and tables of weights, each with its text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.kind = self.tag = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kinds = (dict(attrs).get("class") or "").split()
        kind = {"h4": "heading"}.get(tag) or next((k for k in ("vector", "item") if k in kinds), "")
        if tag == "table" and "weights" in kinds:
            kind = "table"
        if kind and not self.kind:
            self.kind, self.tag = kind, tag
            self.found.append((kind, ""))
            self.depth = 0
        if self.kind and tag == self.tag:
            self.depth += 1

    def handle_endtag(self, tag: str) -> None:
        if self.kind == "table":
            self.handle_data({"tr": "\n", "td": "|", "th": "|"}.get(tag, ""))
        if self.kind and tag == self.tag:
            self.depth -= 1
            if not self.depth:
                self.kind = ""

    def handle_data(self, data: str) -> None:
        if self.kind:
            kind, text = self.found[-1]
            self.found[-1] = kind, text + (data.replace("\n", " ") if len(data) > 1 else data)


_READERS: dict[str, Callable[[str, bool], Iterator[Statement]]] = {
    "txt": _text,
    "md": _text,
    "tex": _latex,
    "html": _web,
}
