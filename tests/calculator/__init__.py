"""A pocket calculator that reads worked examples back from their files, and works every line out again.

It imports nothing from symgru: it knows the documents only as a reader does. A line is "name = symbols = numbers =
value". Three things are checked of each: the numbers give the value, rounded half up; every number is the one that was
printed for its symbol before; and the line belongs to the step under whose heading it stands. Each format has a reader
of its own; `policy` checks what is promised of the digits.
"""

from tests.calculator.arithmetic import evaluate, number, tokens
from tests.calculator.checking import check, check_lines
from tests.calculator.line import Line, Wrong
from tests.calculator.reading import KINDS, read

__all__ = ["KINDS", "Line", "Wrong", "check", "check_lines", "evaluate", "number", "read", "tokens"]
