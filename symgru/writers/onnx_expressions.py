"""Equations as ONNX nodes: the element-wise part of a layer, printed from its cell like every other rendering."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from sympy import Expr, Symbol, oo

from symgru.activations import definition_of, expanded
from symgru.algebra import Across, Dot, is_inverse
from symgru.errors import Unsupported
from symgru.printing import OrderedPrinter, fraction, negated
from symgru.writers.onnx_graph import Graph

NODES = {"sigma": "Sigmoid", "tanh": "Tanh", "exp": "Exp", "erf": "Erf", "Abs": "Abs", "sqrt": "Sqrt"}
OWN = {"relu": "Relu", "softplus": "Softplus", "softsign": "Softsign"}  # activations that ONNX has under these names
ACROSS = {"softmax": "Softmax", "log_softmax": "LogSoftmax"}


class OnnxPrinter(OrderedPrinter):
    """Prints an expression by adding nodes; the text is the name of the value. `values` are names by symbol."""

    language = "ONNX"

    def __init__(self, graph: Graph, values: Mapping[str, str]) -> None:
        super().__init__()
        self.graph, self.values = graph, dict(values)

    def name(self, e: Expr) -> str:
        return cast(str, self._print(e))

    def _print_Symbol(self, e: Symbol) -> str:
        return self.values[str(e.name)]

    def _print_Rational(self, e: Expr) -> str:
        return self.graph.number(float(e))

    _print_Integer = _print_Rational

    def _print_Add(self, e: Expr) -> str:
        first, *others = cast("tuple[Expr, ...]", e.args)
        total = self.name(first)
        for t in others:
            minus = negated(t)
            op, term = ("Add", t) if minus is None else ("Sub", minus)
            total = self.graph.add(op, [total, self.name(term)])
        return total

    def _print_Mul(self, e: Expr) -> str:
        above, below = fraction(e)
        result = self.name(above[0]) if above else self.graph.number(1.0)
        for factor in above[1:]:
            result = self.graph.add("Mul", [result, self.name(factor)])
        for factor in below:
            result = self.graph.add("Div", [result, self.name(factor)])
        return result

    def _print_Pow(self, e: Expr) -> str:
        base, exponent = cast("tuple[Expr, Expr]", e.args)
        if is_inverse(e):
            return self.graph.add("Reciprocal", [self.name(base)])
        if exponent == 2:
            name = self.name(base)
            return self.graph.add("Mul", [name, name])
        return self.emptyPrinter(e)

    def _print_Dot(self, e: Dot) -> str:
        matrix, operand = cast("tuple[Expr, Expr]", e.args)
        return self.graph.add("MatMul", [self.name(operand), self.name(matrix)])  # the matrix is given transposed

    def _print_Mean(self, e: Expr) -> str:
        return self.graph.add("ReduceMean", [self.name(cast(Expr, e.args[0]))], axes=[-1], keepdims=1)

    def _print_Total(self, e: Expr) -> str:
        return self.graph.add("ReduceSum", [self.name(cast(Expr, e.args[0])), self.graph.indices(-1)], keepdims=1)

    def _print_Across(self, e: Across) -> str:
        name, operand = e.args
        if str(name) not in ACROSS:
            raise Unsupported(f"ONNX has no {name}")
        return self.graph.add(ACROSS[str(name)], [self.name(cast(Expr, operand))], axis=-1)

    def _print_clip(self, e: Expr) -> str:
        a, low, high = cast("tuple[Expr, Expr, Expr]", e.args)
        bounds = ["" if b in (oo, -oo) else self.name(b) for b in (low, high)]
        return self.graph.add("Clip", [self.name(a), *bounds] if bounds[1] else [self.name(a), bounds[0]])

    def _print_where_positive(self, e: Expr) -> str:
        a, p, q = cast("tuple[Expr, Expr, Expr]", e.args)
        condition = self.graph.add("Greater", [self.name(a), self.graph.number(0.0)])
        return self.graph.add("Where", [condition, self.name(p), self.name(q)])

    def _print_expm1(self, e: Expr) -> str:
        power = self.graph.add("Exp", [self.name(cast(Expr, e.args[0]))])
        return self.graph.add("Sub", [power, self.graph.number(1.0)])

    def _print_log1p(self, e: Expr) -> str:
        more = self.graph.add("Add", [self.graph.number(1.0), self.name(cast(Expr, e.args[0]))])
        return self.graph.add("Log", [more])

    def _print_Function(self, e: Expr) -> str:
        name = type(e).__name__
        if name in NODES:
            return self.graph.add(NODES[name], [self.name(cast(Expr, e.args[0]))])
        return self.emptyPrinter(e)

    def _print_AppliedUndef(self, e: Expr) -> str:
        name = type(e).__name__
        if name in OWN:
            return self.graph.add(OWN[name], [self.name(cast(Expr, e.args[0]))])
        if definition_of(e) is None:
            return self.emptyPrinter(e)
        return self.name(expanded(e))
