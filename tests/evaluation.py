"""The lines of a program, evaluated one by one in long double: for tests only.

It shares nothing with symgru's printers and domains, so that it can stand beside them: the functions are those of
tests/oracle.py, and a line is computed as its tree stands.
"""

import math

import numpy as np
from sympy import Integer, Pow, Rational

from symgru.algebra import Across, Ref
from symgru.cell import x
from tests.oracle import ACTIVATIONS, WIDE

NAMES = {"sigma": "sigmoid"}


def value(e, known):
    """A scalar expression as it stands; `known` gives a Ref its number."""
    if isinstance(e, Ref):
        return known(e)
    if isinstance(e, Integer | Rational):
        return WIDE(int(e.p)) / WIDE(int(e.q))
    if isinstance(e, Across):
        own, *every = (value(a, known) for a in e.args[1:])
        return np.exp(own) / sum(np.exp(v) for v in every)
    args = [value(a, known) for a in e.args]
    if e.is_Add:
        return sum(args[1:], args[0])
    if e.is_Mul:
        return math.prod(args)
    if isinstance(e, Pow):
        assert e.args[1] == -1
        return 1 / args[0]
    head = type(e).__name__
    return ACTIVATIONS[NAMES.get(head, head)](*args)


def parameter(p, weights, made):
    """A parameter's array; what a rule made is worked out from what it is made of."""

    def array(e):
        if e.is_Rational:
            return WIDE(int(e.p)) / WIDE(int(e.q))
        if e.is_Add:
            return sum(array(t) for t in e.args)
        if e.is_Mul:
            return math.prod(array(f) for f in e.args)
        return parameter(e, weights, made)

    return array(made[p]) if p in made else np.asarray(weights[p.name], WIDE)


def evaluate(program, weights, sequence):
    """{(symbol, index, time): value}, every line computed once from what came before it.

    `weights` are arrays by parameter name, `sequence` is (time, features); what has no time is at time 0.
    """
    made, arrays = {}, {}

    def weight(p):
        if p not in arrays:
            arrays[p] = parameter(p, weights, program.params)
        return arrays[p]

    for t, line in program.lines():

        def known(ref, t=t):
            time = 0 if ref.dt is None else t + ref.dt
            if (ref.of.name, ref.idx, time) in made:
                return made[ref.of.name, ref.idx, time]
            if ref.of == x:  # without a time it is the same at every step
                return WIDE(sequence[0 if ref.dt is None else t - 1, ref.idx[0]])
            if ref.dt == -1:
                assert time == 0, f"{ref} is read and was never computed"
                return WIDE(0)  # the state before the first step
            return weight(ref.of)[ref.idx]

        key = line.lhs.of.name, line.lhs.idx, t
        assert key not in made, "single assignment"
        assert line.lhs.dt == (None if t == 0 else 0)
        made[key] = value(line.rhs, known)
    return made


def output(program, weights, sequence):
    """The cell's output after the last step, one number for each unit."""
    states = {after: before for before, after in program.cell.states}
    name = states.get(program.cell.output, program.cell.output).name
    made = evaluate(program, weights, sequence)
    return np.array([made[name, (i,), program.steps] for i in range(program.sizes["H"])])
