"""Worked lines in a web page: the text of <p class="line" data-step="3">, as a browser shows and a person copies it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from tests.calculator.line import Line, Section, Wrong, lines, step_of
from tests.calculator.plain import cleaned


def read(document: str, comma: bool = False) -> list[Line]:
    page = _Page(comma)
    page.feed(re.sub(r"<(svg|script|style)\b.*?</\1>", "", document, flags=re.DOTALL))
    page.close()
    return lines(page.sections)


class _Page(HTMLParser):
    """Headings and worked lines."""

    def __init__(self, comma: bool) -> None:
        super().__init__()
        self.comma = comma
        self.sections: list[Section] = []
        self.collecting = ""  # the tag whose text is wanted
        self.text = ""
        self.step = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        kinds = (given.get("class") or "").split()
        if re.fullmatch(r"h[1-6]", tag) or tag == "p" and "line" in kinds and "vector" not in kinds:
            self.collecting, self.text, self.step = tag, "", given.get("data-step") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == self.collecting:
            text = " ".join(cleaned(self.text, self.comma).replace("·", "*").split())
            if tag == "p":
                self._line(text)
            elif re.match(r"(Step \d+|Output)\b", text):
                self.sections.append((step_of(text), []))
            self.collecting = ""

    def _line(self, text: str) -> None:
        if not self.sections:
            raise Wrong(f"a line before any step: {text}")
        step, found = self.sections[-1]
        if self.step != str(step or 1):
            raise Wrong(f"a line of step {self.step} under the heading of step {step}: {text}")
        found.append(text)

    def handle_data(self, data: str) -> None:
        if self.collecting:
            self.text += data
