"""About how wide a text is, rather too much than too little: in Times as a browser has it, or Computer Modern in TeX.

Layout is computed before anything is set, so these are the wider of the two fonts' advance widths.
"""

from __future__ import annotations

from symgru.drawing.shapes import Runs

SCRIPT = 0.7  # the size of a script
SET = 0.8  # how much of its width at full size it takes: TeX's small letters are wider
LOWERED, RAISED = 0.25, 0.38  # how far its baseline lies below or above, in sizes of the text
_WIDTHS = {  # thousandths of the size
    "fijlt": 360,
    "rs": 460,
    "aceg": 510,
    "z": 500,
    "bdhknopquvxy": 575,
    "w": 740,
    "m": 860,
    "I": 440,
    "JS": 570,
    "BCDEFLPTYZ": 730,
    "AGHKNOQRUVX": 790,
    "M": 930,
    "W": 1040,
    "0123456789": 500,
    ".,:;'|": 290,
    "()[]-·": 400,
    " ": 340,
    "\u2009": 180,
    "/": 500,
    "+−=<>≥≤±×⊙→←": 790,
    "\u0302\u0303\u0304": 0,
    "′": 330,
    "σαβγδεζηθικλμνξπρτυφχψω": 680,
    "ΓΔΘΛΞΠΣΥΦΨΩ": 850,
    "∘*": 520,
    "…": 1180,
    "_": 520,
    "–": 520,
}
_ONE = {c: w / 1000 for letters, w in _WIDTHS.items() for c in letters}
_OTHER = 1.0  # what is not in the table may be as wide as it is high


def width(runs: Runs, size: float) -> float:
    """Points from the beginning to the end of a text."""
    return sum(
        sum(_ONE.get(c, _OTHER) for c in run.text) * size * (SET if run.script else 1) * (1.12 if run.bold else 1)
        for run in runs
    )
