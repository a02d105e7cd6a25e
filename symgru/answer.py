"""The answer to a person whose numbers do not match: what the network computes, and where other numbers come from.

Every verdict follows from the data: other weights, another input or another claim give another text. `answer` finds
the facts, `render_answer` puts them into templates/text/answer.txt.j2.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from symgru.backends.text.document import TEXT, aligned, table
from symgru.backends.text.printer import TextUnit, ascii_text, plain_text
from symgru.backends.text.worked import TextWriter
from symgru.backends.worked import equations, output_name
from symgru.cell import Cell
from symgru.cells import n as candidate
from symgru.evidence import Freshness, Lemma, UpdateRules, freshness, sign_lemma, update_rules
from symgru.explanation import Explanation, explain
from symgru.hypotheses import READINGS, SWAPPED_UPDATE, kinds, listed, only_layer, update_gate
from symgru.matching import Claim, Match, Verdict, exact_combination, exact_run, matches, outcomes
from symgru.network import Array, Layer, Network, Tensor
from symgru.rounding import Rounding
from symgru.templating import render
from symgru.trace import Run

WIDTH = 100
MOST_ROWS, MOST_WORKING = 64, 12  # of the table of steps, and of the one that shows where a claim comes from
MOST_LISTED = 6  # of combinations that fit alike
MOST_TYPED = 40  # input numbers in the script
NEARLY_0 = 1e-4  # a gate that a person takes for 0
CHANCE = 0.05  # so many chance hits are worth a warning
COUNTED = {"sequence": "ways to feed the sequence", "update rule": "update rules"}


@dataclass(frozen=True)
class Answer:
    """All facts. `run` is exact (decimals, from the numbers as typed); `explanation` holds weights and steps.

    `hand` and `claimed` are None for a network of several units, whose output is no single number; so is `update`.
    `workings` are the runs of what explains a claim, by the claim's text.
    """

    network: Network
    x: Tensor
    explanation: Explanation
    run: Run
    hand: Verdict | None
    claimed: Verdict | None
    workings: Mapping[str, Run]
    lemma: Lemma | None
    fresh: Freshness
    update: UpdateRules | None

    @property
    def layer(self) -> Layer:
        return only_layer(self.network)

    @property
    def units(self) -> int:
        return self.run.traces[0].sizes["H"]


def answer(network: Network, x: Tensor, hand_calculation: str, claimed: str) -> Answer:
    """Who got what: `hand_calculation` and `claimed` are numbers as they were written, digits and all.

    x has shape (1, time, features). Raises Unsupported for a network that is not one GRU layer, UnusableInput for an
    input of another shape or a claim that is no number.
    """
    layer = only_layer(network)
    hand, other = Claim.read(hand_calculation, "the hand calculation"), Claim.read(claimed, "the claimed number")
    explanation = explain(network, x, digits=6)
    run = exact_run(network, x)
    if run.traces[0].sizes["H"] > 1:
        return Answer(network, x, explanation, run, None, None, {}, None, freshness(layer), None)
    found = outcomes(network, x)
    of_hand, of_other = (matches(network, x, c, found) for c in (hand, other))
    workings = {
        v.claim.text: exact_combination(network, x, v.fits[0].combination) for v in (of_hand, of_other) if v.fits
    }
    return Answer(
        network,
        x,
        explanation,
        run,
        of_hand,
        of_other,
        workings,
        sign_lemma(network, x, found),
        freshness(layer),
        update_rules(network, x),
    )


def render_answer(a: Answer, ascii: bool = False) -> str:
    """The answer as plain text of at most 100 columns; `ascii` for terminals that show nothing else."""
    text = _wrapped(render("text/answer.txt.j2", **_context(a)))
    return ascii_text(text) if ascii else text


def decimals(v: Decimal | float, places: int = 10) -> str:
    """A number rounded half up to so many decimals; a tiny one keeps four digits."""
    rounding = Rounding(places)
    return rounding.text(rounding(Decimal(v)))


def small(v: Decimal | float) -> str:
    """A difference: two digits."""
    return f"{float(v):.2g}"


def _context(a: Answer) -> dict[str, Any]:
    layer, writer = a.explanation.layers[0], TextWriter()
    rule = layer.cell
    return {
        "a": a,
        "name": plain_text(a.network.origin or a.network.name),
        "last": layer.steps,
        "weights": layer.arrays,
        "columns": lambda array: writer.columns(layer, array),
        "blocks": lambda array: writer.blocks(layer, array),
        "equations": aligned(_equations(a, rule)),
        "rows": _steps(a.run, MOST_ROWS),
        "left_out": a.units * layer.steps > MOST_ROWS,
        "results": [
            {"name": output_name(a.explanation, TEXT, k), "typed": typed, "stored": stored}
            for k, (typed, stored) in enumerate(zip(*map(_last, _exact(a)), strict=True))
        ],
        "hand": a.hand and _verdict(a, a.hand),
        "claimed": a.claimed and _verdict(a, a.claimed),
        "product": " × ".join(
            f"{len(k)} {COUNTED.get(k[0].kind, 'gate orders of the ' + k[0].kind)}" for k in kinds(a.layer)
        ),
        "rules": _rules(a, a.update) if a.update else [],
        "negated": _negated(a),
        "decimals": decimals,
        "small": small,
        "listed": listed,
        "script": _script(a),
        "command": _command(a),
    }


def _exact(a: Answer) -> tuple[Array, Array]:
    return a.explanation.exact_typed[0], a.explanation.exact_stored[0]


def _last(y: Array) -> list[Decimal]:
    return list(y.reshape(-1, y.shape[-1])[-1])


def _equations(a: Answer, cell: Cell) -> list[tuple[str, str]]:
    return equations(cell, TextUnit(TEXT.notation(cell, dict(a.explanation.layers[0].sizes))))


def _negated(a: Answer) -> str:
    """The update gate's parameters that are not 0."""
    return listed([p for p in a.update.negated if not a.layer.weights[p].is_zero]) if a.update else ""


def _rules(a: Answer, u: UpdateRules) -> list[str]:
    rule = a.explanation.layers[0].cell
    own, swapped = (" = ".join(_equations(a, cell)[-1]) for cell in (rule, SWAPPED_UPDATE(rule)))
    rows = [
        [own, "as given", decimals(u.own, 8)],
        [swapped, "as given", decimals(u.swapped, 8)],
        [swapped, f"{_negated(a)} negated", decimals(u.swapped_and_negated, 8)],
    ]
    return table(["rule", "weights", output_name(a.explanation, TEXT, 0)], rows, 2)


def _verdict(a: Answer, v: Verdict) -> dict[str, Any]:
    """A verdict as the template reads it."""
    lemma = a.lemma if a.lemma and a.lemma.excludes(v.claim) and not v.fits else None
    working = a.workings.get(v.claim.text)
    fed = {p for c in lemma.covered for p in c.parts if p in READINGS} if lemma else set()
    return {
        "text": v.claim.text,
        "value": v.claim.value,
        "right": v.right,
        "fits": [_match(m) for m in v.fits[:MOST_LISTED]],
        "unlisted": max(0, len(v.fits) - MOST_LISTED),
        "further": v.further,
        "nearest": _match(v.nearest),
        "tried": v.tried,
        "chance": v.chance if v.chance > CHANCE else 0,
        "half": v.claim.half,
        "lemma": lemma,
        "however_fed": len(fed) == len(READINGS),
        "rest": v.tried - len(lemma.covered) if lemma else v.tried,
        "working": _steps(working, MOST_WORKING) if working and not v.right else [],
        "saturated": _saturated(working, v) if working else "",
    }


def _saturated(run: Run, v: Verdict) -> str:
    """The update gate of the last step where it is so small that the claim took it for 0, else ""."""
    last = {name: column[0, -1, 0] for name, column in run.traces[0].columns.items()}
    gate = last[update_gate(run.traces[0].cell).name]
    if gate > NEARLY_0 or candidate.name not in last:
        return ""
    without = abs(last[candidate.name] - v.claim.value)
    return decimals(gate) if without <= Decimal(v.claim.half) < v.fits[0].distance else ""


def _match(m: Match) -> dict[str, Any]:
    return {
        "done": [says for says, _ in m.combination.mistakes],
        "instead": [i for _, i in m.combination.mistakes],
        "value": m.value,
        "distance": m.distance,
        "tolerance": m.tolerance,
        "arithmetic": m.outcome.arithmetic,
        "printing": m.outcome.printing,
    }


def _steps(run: Run, most: int) -> list[str]:
    """A table of every number, one row for each step and unit; the last rows where there are too many."""
    trace = run.traces[0]
    (_, steps, features), units = trace.x.shape, trace.sizes["H"]
    shown = features if features <= 3 else 0
    header = [
        "t",
        *(["unit"] if units > 1 else []),
        *(["x"] if features == 1 else [f"x[{k + 1}]" for k in range(shown)]),
        *(trace.cell.stored(s).name for s in trace.cell.defined),
    ]
    rows = [
        [
            str(t + 1),
            *([str(unit + 1)] if units > 1 else []),
            *(_short(v) for v in trace.x[0, t, :shown]),
            *(decimals(trace.columns[s.name][0, t, unit]) for s in trace.cell.defined),
        ]
        for t in range(steps)
        for unit in range(units)
    ]
    return table(header, rows[-most:])


def _short(v: Decimal) -> str:
    """An input as typed, unless it was worked out and is long."""
    return str(v) if len(str(v)) <= 12 else decimals(v)


def _unusual(a: Answer) -> dict[str, object]:
    """The layer's options that are not Keras' defaults."""
    usual = {
        "activation": "tanh",
        "recurrent_activation": "sigmoid",
        "use_bias": True,
        "reset_after": True,
        "return_sequences": False,
    }
    return {k: a.layer.options[k] for k, v in usual.items() if a.layer.options.get(k, v) != v}


def _command(a: Answer) -> str:
    """How to run symgru on what the script prints; "" where printed weights alone do not tell the layer."""
    if _unusual(a) or a.network.features > 1 or a.x.value.size > MOST_TYPED:
        return ""
    return f"symgru run weights.txt --input {','.join(a.x.text[0, :, 0])}"


def _script(a: Answer) -> list[str]:
    """Six lines of Keras that print weights and prediction of one and the same model."""
    steps, features = a.x.value.shape[1], a.network.features
    own = "".join(f", {k}={v!r}" for k, v in _unusual(a).items())
    x = "[" + ", ".join("[" + ", ".join(row) + "]" for row in a.x.text[0]) + "]"
    typed = a.x.value.size <= MOST_TYPED
    return [
        "import keras, numpy as np",
        "np.set_printoptions(precision=9)  # all digits that a float32 holds",
        f"model = keras.Sequential([keras.Input(({steps}, {features})), keras.layers.GRU({a.units}{own})])",
        f"x = np.array([{x}], dtype={a.network.dtype!r})" if typed else f"x = ...  # shape (1, {steps}, {features})",
        "print(model.get_weights())",
        "print(model.predict(x, verbose=0))",
    ]


def _wrapped(text: str) -> str:
    """Long lines of prose broken, continued under their beginning. A line of a table or of code fits or is left."""
    lines = []
    for line in text.splitlines():
        body = line.lstrip(" -")
        indent = " " * (len(line) - len(body))
        if len(line) <= WIDTH or indent.startswith(" " * 6):
            lines.append(line)
        else:
            lines.append(
                textwrap.fill(
                    line,
                    WIDTH,
                    subsequent_indent=indent,
                    break_long_words=False,
                    break_on_hyphens=False,
                    drop_whitespace=True,
                )
            )
    return "\n".join(lines) + "\n"
