"""Python's face of symgru: load a model, call it, explain it, emit it."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from symgru import readers
from symgru.backends import CODE, backend
from symgru.errors import Unsupported, UnusableInput
from symgru.network import Array, Network, Tensor, stored

if TYPE_CHECKING:
    from symgru.certified import Exact
    from symgru.diagnosis.claims import Case
    from symgru.diagnosis.findings import Diagnosis, Progress
    from symgru.document import Document
    from symgru.explanation import Framework
    from symgru.scaling import Scale
    from symgru.tracing import LayerTrace
    from symgru.verify.emitted import Emitted
    from symgru.writing import Content

ENGINES = ("reference", "numpy", "c", "exact")


class Model:
    """A network that can be called. `network` holds its layers and weights, `path` the file it came from."""

    def __init__(self, network: Network, path: Path | None = None) -> None:
        self.network, self.path = network, path
        self._states: dict[str, Array] = {}

    def __repr__(self) -> str:
        kinds = ", ".join(layer.kind for layer in self.network.layers.values())
        return f"<symgru model {self.network.name}: {kinds}; {self.network.parameters} numbers>"

    def _repr_html_(self) -> str | None:
        from symgru import display

        return display.html(self.network)

    def _repr_latex_(self) -> str | None:
        from symgru import display

        return display.latex(self.network)

    def _repr_markdown_(self) -> str | None:
        from symgru import display

        return display.markdown(self.network)

    def read(self, x: object) -> tuple[Tensor, tuple[str, ...]]:
        """An input in any of its forms as (batch, time, features), and what was added to get there."""
        given = readers.read_input(x, self.network)
        if len(self.network.inputs) == 1:
            self._check_lengths([given.value])
        return Tensor(given.value, given.text), given.notes

    def read_all(self, sources: Sequence[object]) -> tuple[list[Tensor], tuple[str, ...]]:
        """One source for each input of the network, and what was added to them."""
        given = readers.read_inputs(sources, self.network)
        self._check_lengths([g.value for g in given])
        return [Tensor(g.value, g.text) for g in given], tuple(note for g in given for note in g.notes)

    def _check_lengths(self, values: Sequence[Array]) -> None:
        """Refuse inputs whose time steps do not fit: too few for a window, or unlike where they are joined."""
        from symgru.shapes import shapes, with_lengths

        network = with_lengths(self.network, values)
        if network is not self.network or len(values) > 1:
            shapes(network)

    def __call__(self, *x: object, engine: str = "reference", digits: int | None = None) -> Array | list[Array]:
        """The outputs as the framework shapes them, (batch, units) or (batch, time, units): one array, or a list where
        the model has several. `x`: one for each input, in the model's order.

        Engines: "reference" (the equations in float64), "numpy" and "c" (what symgru emits, in the model's own
        precision; "c" needs a compiler), "exact" (Decimal objects with `digits` significant digits, 30 unless asked;
        `exact` says whether they are proven).

        A network with stateful layers goes on from the states of the call before, until `reset_states()`. The engines
        "c" and "exact" begin at 0: with them each call needs a `reset_states()` before it.
        """
        given = self.read_all(x)[0]
        found = self._going_on(given, engine, digits) if self.stateful else self.outputs(given, engine, digits)
        return found[0] if len(found) == 1 else found

    @cached_property
    def stateful(self) -> tuple[str, ...]:
        """The calls whose layers keep their state from one call of the model to the next."""
        return tuple(call.id for call, layer in self.network if layer.options.get("stateful", False))

    def reset_states(self) -> None:
        """Begin at states of 0 again."""
        self._states = {}

    def _going_on(self, x: Sequence[Tensor], engine: str, digits: int | None) -> list[Array]:
        """The outputs, from the states that the last call left."""
        batch = len(x[0].value)
        for state in self._states.values():
            if engine in ("c", "exact") or not len(state):
                raise UnusableInput(
                    f"the engine {engine} cannot go on from the states of the call before: reset_states() first"
                )
            if len(state) != batch:
                raise UnusableInput(
                    f"the states are of {len(state)} sequences, {batch} are given: reset_states() first"
                )
        if engine in ("c", "exact"):
            self._states = dict.fromkeys(self.stateful, np.zeros((0, 0)))
            return self.outputs(x, engine, digits)
        found, states = self._run(x, engine, digits, self._states)
        self._states = {name: states[name] for name in self.stateful if name in states}
        return found

    def evaluate(self, x: Tensor, engine: str = "reference", digits: int | None = None) -> Array:
        """The first output for one input that has been read."""
        return self.outputs([x], engine, digits)[0]

    def outputs(self, x: Sequence[Tensor], engine: str = "reference", digits: int | None = None) -> list[Array]:
        """Every output for inputs that have been read, from states of 0."""
        if engine == "exact":
            return list(self.certify(x, digits).outputs)
        return self._run(x, engine, digits, {})[0]

    def _run(
        self, x: Sequence[Tensor], engine: str, digits: int | None, states: Mapping[str, Array]
    ) -> tuple[list[Array], Mapping[str, Array]]:
        """The outputs in floating point, and the states after the last step by call."""
        if digits is not None and engine in ENGINES:
            raise UnusableInput(f"digits are the engine exact's to choose; {engine} computes in a precision of its own")
        inside = self._inside(x)
        if engine == "reference":
            from symgru.domains import Float64
            from symgru.trace import run

            found = run(self.network, inside, Float64(), states)
            return list(found.outputs), found.states
        if engine == "numpy":
            return self._emitted.run([each.value for each in inside], states)
        if engine == "c":
            from symgru.verify.emitted import compiled_for

            values = [each.value for each in inside]
            y = compiled_for(self.network, values).window(*values)
            return list(y) if isinstance(y, list | tuple) else [y], {}
        raise UnusableInput(f"engine {engine!r} is not known; there are {', '.join(ENGINES)}")

    @cached_property
    def _emitted(self) -> Emitted:
        from symgru.verify.emitted import emitted

        return emitted(self.network)

    def _inside(self, x: Sequence[Tensor]) -> list[Tensor]:
        """Inputs as the framework holds them. Raises UnusableInput for an index that a table does not have."""
        from symgru.yardstick import check_indices

        check_indices(self.network, x)
        return [stored(each, self.network.dtype) for each in x]

    def exact(self, *x: object, digits: int | None = None) -> Exact:
        """The exact output of the stored numbers to 1 to 4000 significant digits, 30 where None: `.y` holds Decimal
        objects (`.outputs` those of every output), `.proven` says whether every digit is proven (it needs
        python-flint), `.label` why or why not.

        Raises Unsupported where ball arithmetic with 16,384 bits does not prove them.
        """
        return self.certify(self.read_all(x)[0], digits)

    def certify(self, x: Tensor | Sequence[Tensor], digits: int | None = None) -> Exact:
        """The same for inputs that have been read."""
        from symgru.certified import DIGITS, check_digits, exact

        asked = DIGITS if digits is None else check_digits(digits)
        given = self._inside([x] if isinstance(x, Tensor) else x)
        return exact(self.network, given, digits=asked, only_proven=True)

    def explain(
        self, *x: object, digits: int | None = None, keras: bool = False, style: str | Path | None = None
    ) -> Document:
        """The worked example of an input (one for each of the network's), to print or `.save("f.pdf")`; with `keras`
        its verification box asks Keras too. `style` is the name of a notation or a .toml file with one."""
        from symgru.document import Document
        from symgru.explanation import explain
        from symgru.styles import any_style

        framework, chosen = self.framework() if keras else None, None if style is None else any_style(style)
        return Document(explain(self.network, self.read_all(x)[0], digits, framework, chosen))

    def trace(self, *x: object, layer: str | None = None) -> LayerTrace:
        """Every gate and state of one sequence at every step, in float64: `trace.z` has shape (steps, units), and
        `for step in trace` goes through the steps. Of several layers the one with the id `layer`, the first recurrent
        one where None."""
        from symgru.tracing import trace

        return trace(self.network, self._inside(self.read_all(x)[0]), layer)

    def gradients(self, x: object, dy: object) -> tuple[list[Array], Array, list[Array]]:
        """The gradients of a loss L in float64, from dy = dL/dy, which has the shape of the output.

        Returns dL/d the arrays of get_weights(), dL/dx (batch, time, features), and for each recurrent layer dL/d the
        state before the first step (batch, units). Raises UnusableInput for a dy of another size.
        """
        from symgru.backends.model import check_chain
        from symgru.gradients import gradients

        check_chain(self.network)
        inside = stored(self.read(x)[0], self.network.dtype)
        shape = self.evaluate(inside).shape
        given = np.asarray(dy, dtype=np.float64)
        if given.size != np.prod(shape):
            raise UnusableInput(f"dy has shape {given.shape}; the output has {shape}")
        found = gradients(self.network, inside, Tensor(given.reshape(shape)))
        return found.arrays(self.network), found.x, list(found.states.values())

    def derive(
        self, steps: int | None = None, rules: str | Sequence[str] | None = None, gradients: bool = False
    ) -> Document:
        """The formula of this very network: each layer in symbols, simplified, its numbers put in.

        `steps` is the network's own number where it fixes one, else 4; `rules` and `gradients` as for `symgru.derive`.
        """
        from symgru.backends.model import check_chain
        from symgru.derivation import derive_network
        from symgru.document import Document

        check_chain(self.network)
        return Document(derive_network(self.network, steps, rules, gradients))

    def diagnose(
        self,
        x: object,
        claimed: object,
        units: int | Sequence[int] | None = None,
        all_steps: bool = False,
        exhaustive: bool = False,
    ) -> Document:
        """Which convention or mistake gives a number that the network does not, to print or to `.save("f.md")`; what is
        known of it is its `content`, a `diagnosis.findings.Diagnosis`.

        `claimed` is what somebody got after the last step: "-0.70691" (as text with all its digits), a number, one for
        each unit, or an array; with `all_steps` after every step, (time, units). `units`, counted from 1, says of which
        units the numbers are. For several inputs of a network of one, x and `claimed` are tuples, one for each.
        """
        from symgru.document import Document

        chosen = (units,) if isinstance(units, int) else None if units is None else tuple(units)
        pairs = zip(x, claimed, strict=True) if isinstance(x, tuple) and isinstance(claimed, tuple) else [(x, claimed)]
        cases = [self.case(self._each(each), claim, chosen, all_steps)[0] for each, claim in pairs]
        return Document(self.diagnosis(cases, exhaustive))

    def against(self, other: Model, x: object) -> Document:
        """Where another model that should give the same parts from this one, why, and what mends it; `content` is a
        `diagnosis.against.Disagreement`."""
        from symgru.diagnosis.against import against
        from symgru.document import Document

        return Document(against(self.network, other.network, self.read_all(self._each(x))[0]))

    def case(
        self, x: Sequence[object], claimed: object, units: Sequence[int] | None = None, all_steps: bool = False
    ) -> tuple[Case, tuple[str, ...]]:
        """An input (one source for each of the network's) with what is claimed for it, and what had to be assumed."""
        from symgru.diagnosis.claims import Case
        from symgru.diagnosis.reading import read_claim
        from symgru.mistakes import Trial

        inputs, notes = self.read_all(x)
        shape = Trial(self.network, inputs).shape
        numbers, said = read_claim(claimed, shape, units, all_steps)
        return Case(tuple(inputs), numbers), (*notes, *said)

    def diagnosis(
        self, cases: Sequence[Case], exhaustive: bool = False, progress: Progress = lambda *told: None
    ) -> Diagnosis:
        """What became of the claims of all cases; `progress` is told what is tried, how many are done, of how many."""
        from symgru.diagnosis.search import diagnose

        return diagnose(self.network, cases, exhaustive, progress)

    def framework(self) -> Framework:
        """The outputs of the framework that the model's file comes from (Keras' where there is none) and its name, as
        `explanation.explain` takes it."""
        from symgru.verify.frameworks import framework

        own = framework(self.path)

        def ask(network: Network, x: Sequence[Tensor]) -> tuple[Sequence[Array], str]:
            values = [stored(each, network.dtype).value for each in x]
            try:
                return own.outputs(network, values, self.path), own.version(self.path)
            except (RuntimeError, TypeError, ValueError) as error:  # what the framework has against the network
                said = str(error).strip().partition("\n")[0]
                raise Unsupported(f"{own.version(self.path)} refuses it: {said[:200]}") from None

        return ask

    def refusal(self, x: Sequence[Tensor]) -> str:
        """Why that framework cannot be asked for an input; "" where it can."""
        from symgru.verify.frameworks import framework

        values = [stored(each, self.network.dtype).value for each in x]
        return framework(self.path).refusal(self.network, values, self.path)

    def convert(self, path: str | Path, to: str | None = None) -> list[Path]:
        """Write the same function as another framework's file: .keras, .onnx, .pt, .pth, .safetensors (beside these the
        module that loads them), or .npz with the names of the framework `to`. Returns the paths written.

        Raises Unsupported, naming the layer, for what the framework cannot express.
        """
        from symgru.writers.targets import converted
        from symgru.writing import write_files

        place = Path(path)
        return write_files(place.parent, converted(self.network, place.name, to).files)

    def emit(self, target: str, folder: str | Path, x: object = None, **options: Any) -> list[Path]:
        """Write standalone code for "numpy" or "c" into `folder`; returns the files' paths.

        `x` (a list, of several inputs) becomes the recorded input of the emitted test. Options: name="prefix",
        gradients=True (also the way back), unrolled=True with steps=T (one straight line without a loop;
        rules="blend,...", force=True), and for C scale="file.json".
        """
        from symgru.writing import write_files

        given = None if x is None else self.read_all(self._each(x))[0]
        return write_files(Path(folder), self.contents(target, given, **options))

    def _each(self, x: object) -> Sequence[object]:
        """One source for each input: of several inputs x is their list."""
        if len(self.network.inputs) == 1:
            return [x]
        if not isinstance(x, list | tuple):
            raise UnusableInput(f"x must be a list of {len(self.network.inputs)}, one for each input")
        return x

    def files(self, target: str, x: Tensor | Sequence[Tensor] | None = None, **options: Any) -> Mapping[str, bytes]:
        """What `emit` would write, as {file name: content}."""
        from symgru.writing import whole

        return {name: whole(content) for name, content in self.contents(target, x, **options).items()}

    def contents(
        self, target: str, x: Tensor | Sequence[Tensor] | None = None, **options: Any
    ) -> Mapping[str, Content]:
        """The same; a long file in pieces that are made as they are written."""
        if target not in CODE:
            raise Unsupported(f"no backend is called {target!r}; there are {', '.join(CODE)}")
        if options.get("scale"):
            options["scale"] = self.scale(options["scale"])
        code = backend(target)
        known = {field.name for field in dataclasses.fields(code.Options)}
        for option, value in options.items():
            kind = {"name": str | None, "gradients": bool}.get(option, object)
            if option not in known or not isinstance(value, kind):
                raise UnusableInput(f"emit {target}: {option[:30]}={str(value)[:30]} is not an option it takes")
        if options.get("gradients"):
            from symgru.backends.model import check_chain

            check_chain(self.network)
        given = x[0] if isinstance(x, Sequence) and len(x) == 1 else x
        return cast("Mapping[str, Content]", code.files(self.network, code.Options(**options), given))

    def scale(self, path: str | Path) -> Scale:
        """The normalisation in a JSON file, checked against the network's widths."""
        from symgru.backends.model import output_width
        from symgru.readers.scale_file import read_scale

        return read_scale(path, self.network.features, output_width(self.network))


def load(source: object, architecture: Mapping[str, object] | str | Path | None = None) -> Model:
    """A model from a .keras, .json or .txt file, a live Keras model, a list of arrays as get_weights() returns it, or
    a dict as the .json file holds it. `architecture` says what bare arrays cannot: activations, reset_after.

    Raises UnusableInput or Unsupported with one line that names the file, the layer and the reason.
    """
    from symgru.soundness import check

    network = readers.read(source, architecture)
    check(network)
    if isinstance(source, list | tuple):
        warn_of(network.notes)
    is_file = isinstance(source, str | Path) and str(source) != "-"
    return Model(network, Path(str(source)) if is_file else None)


def warn_of(notes: tuple[str, ...]) -> None:
    """What had to be assumed of bare arrays, as Python warnings."""
    for note in notes:
        warnings.warn(note, stacklevel=3)


def derive(
    cell: str = "gru",
    units: int = 1,
    features: int = 1,
    steps: int = 4,
    rules: str | Sequence[str] | None = None,
    gradients: bool = False,
    **options: object,
) -> Document:
    """The recurrence of a cell in symbols, unrolled and simplified, to print or `.save("f.tex")`. The cell "all" lays
    every cell side by side, as it is: no other argument goes with it.

    `rules` names the simplifications: "all", "none", or names such as "merged-biases,blend". `gradients` adds the way
    back: dL/d everything, and the Jacobian of a step. Options are a layer's: activation, recurrent_activation,
    use_bias, reset_after.
    """
    unknown = set(options) - {"activation", "recurrent_activation", "use_bias", "reset_after"}
    if unknown:
        raise UnusableInput(f"derive has no option {min(unknown)[:60]!r}")
    if not isinstance(gradients, bool):
        raise UnusableInput(f"gradients is {str(gradients)[:30]!r}; it is True or False")
    from symgru.comparison import ALL, compare, refuse
    from symgru.derivation import derive as derivation
    from symgru.document import Document

    if cell == ALL:
        sizes = (
            ("units", units, 1),
            ("features", features, 1),
            ("steps", steps, 4),
            ("rules", rules, None),
            ("gradients", gradients, False),
        )
        refuse([*options, *(name for name, value, usual in sizes if value != usual)])
        return Document(compare())
    return Document(derivation(cell, units, features, steps, options, rules, gradients))
