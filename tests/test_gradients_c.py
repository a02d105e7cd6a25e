"""The emitted C's way back: compiled by every compiler without a word, its numbers, its memory, and its own test."""

import ctypes
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from symgru.activations import table
from symgru.backends.c import Options, files
from symgru.backends.c.files import code
from symgru.cells import CELLS
from symgru.domains import Float64
from symgru.errors import UnusableInput
from symgru.face import load
from symgru.gradient_vectors import Plain
from symgru.gradients import gradients
from symgru.network import Network, Tensor
from symgru.readers import read
from symgru.scaling import Affine, Scale
from symgru.trace import run
from symgru.verify.gradients import compiled_gradients
from tests.conftest import ROOT, SEED, need, random_input, random_network
from tests.test_c_backend import ANY, COMPILERS, CXX, DENSE, GRU, WARNINGS, compile_c, every_compiler, sanitized
from tests.test_gradients_numpy import ZERO, equal_after_softmax

SEQUENCES = {"return_sequences": True}
GRADIENTS = Options(gradients=True)
RECURRENT = [name for name, cell in CELLS.items() if cell.states]
PAIRS = [RECURRENT[k : k + 2] for k in range(0, len(RECURRENT), 2)]
DERIVED = sorted(set(table()) - {"sparsemax"})  # which has no rule for its derivative
KERAS_3_ONLY = [
    "celu",
    "hard_shrink",
    "log_sigmoid",
    "log_softmax",
    "soft_shrink",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
]
OTHERS = sorted(set(DERIVED) - set(KERAS_3_ONLY))
THREES = [[*OTHERS, "elu", "selu", *KERAS_3_ONLY, "tanh"][k : k + 3] for k in range(0, len(DERIVED) + 2, 3)]
SPECS = {
    "plain": [("gru", 5, {})],
    "rich": [
        ("dense", 4, {"activation": "softsign"}),
        ("gru", 6, {**SEQUENCES, "activation": "selu", "recurrent_activation": "softmax"}),
        ("gru", 3, {"reset_after": False, "recurrent_activation": "hard_sigmoid"}),
        ("dense", 7, {"activation": "gelu"}),
        ("dense", 3, {"activation": "softmax"}),
    ],
    "every_step": [
        ("simple", 4, SEQUENCES),
        ("ligru", 3, {**SEQUENCES, "use_bias": False}),
        ("dense", 2, {"activation": "tanh"}),
        ("dense", 2, {}),
    ],
    "last": [("mgu", 3, SEQUENCES), ("mgu_after", 2, {})],
}


@dataclass(frozen=True)
class Emitted:
    name: str
    network: Network
    folder: Path
    header: str
    source: str
    test: str


def emit(network, folder, options=GRADIENTS):
    written = files(network, options)
    for file, content in written.items():
        (folder / file).write_bytes(content)
    name = next(iter(written)).removesuffix(".h")
    assert list(written) == [f"{name}.h", f"{name}.c", f"{name}_test.c", f"{name}_gradients_test.c"]
    header, source, _, test = (content.decode("ascii") for content in written.values())
    return Emitted(name, network, folder, header, source, test)


@pytest.fixture(scope="module")
def emitted(tmp_path_factory):
    return {
        name: emit(random_network(specs, 2, seed=len(name), name=name), tmp_path_factory.mktemp(name))
        for name, specs in SPECS.items()
    }


def run_test(e, compiler=ANY, *flags, test=None):
    """Compile NAME.c with the test of its gradients and run it: (exit status, what it says)."""
    program = e.folder / "gradients_test.exe"
    sources = [f"{e.name}.c", test or f"{e.name}_gradients_test.c"]
    compile_c(compiler, e.folder, *WARNINGS, *flags, *sources, "-o", program.name)
    done = subprocess.run([program], capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


# Compiled and run ----------------------------------------------------------------------------------------------------


@every_compiler
@pytest.mark.parametrize("name", ["rich", "every_step"])
def test_compiles_without_a_word_and_its_own_test_passes(name, compiler, emitted):
    status, says = run_test(emitted[name], COMPILERS[compiler], "-O2")
    assert status == 0, says
    assert re.search(r"largest difference \S+ of an array's largest magnitude, of at most \S+: passed", says)


@pytest.mark.parametrize("name", ["plain", "last"])
def test_the_other_tests_pass(name, emitted):
    assert run_test(emitted[name])[0] == 0


def test_the_test_of_the_way_there_passes_too(emitted):
    e = emitted["rich"]
    compile_c(ANY, e.folder, *WARNINGS, "rich.c", "rich_test.c", "-o", "there.exe")
    assert subprocess.run([e.folder / "there.exe"], capture_output=True, check=False).returncode == 0


def test_gradients_that_are_zero(tmp_path):
    """What a softmax hands back for equal dL/dy is 0, and float32 gives something like 1e-8."""
    e = emit(equal_after_softmax(random_network(ZERO, 2, seed=3)), tmp_path)
    zeros = re.search(r"float gru_1_U_n\[9\] = \{(.*?)\}", e.test, re.DOTALL)[1]
    assert {float(word.rstrip("f")) for word in zeros.split(", ")} == {0}
    assert run_test(e)[0] == 0


def test_its_own_test_fails_where_a_number_is_another(emitted):
    e = emitted["plain"]
    pattern = r"(static const float gru_1_U_n\[25\] = \{)(-?[\d.]+(?:e-?\d+)?)f"
    changed = re.sub(pattern, lambda m: f"{m[1]}{float(m[2]) + 0.25:.6f}f", e.test, count=1)
    assert changed != e.test
    (e.folder / "altered.c").write_text(changed)
    status, says = run_test(e, test="altered.c")
    assert status == 1
    assert "gru_1.U_n is off by" in says
    assert "FAILED" in says


WRONG = [
    ("* (1.0f - n * n)", "* (1.0f - n)"),
    ("du_n[i] = delta_n[i] * r", "du_n[i] = delta_n[i]"),
    ("dh[i] = s_dh + dh1[i] * z", "dh[i] = s_dh"),
]


@pytest.mark.parametrize(("right", "wrong"), WRONG)
def test_its_own_test_fails_where_the_code_is_wrong(right, wrong, emitted, tmp_path):
    e = emitted["plain"]
    shutil.copytree(e.folder, tmp_path, dirs_exist_ok=True)
    assert e.source.count(right) == 1
    (tmp_path / "plain.c").write_text(e.source.replace(right, wrong))
    broken = Emitted(e.name, e.network, tmp_path, e.header, "", e.test)
    program = ["-std=c99", "-w", "plain.c", "plain_gradients_test.c", "-o", "broken.exe"]
    compile_c(ANY, broken.folder, *program)
    assert subprocess.run([tmp_path / "broken.exe"], capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_sanitizers_find_nothing(compiler, emitted, tmp_path):
    command = sanitized(compiler, tmp_path)
    e = emitted["rich" if compiler == "gcc" else "every_step"]
    status, says = run_test(e, [command], "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    assert status == 0, says
    assert "ERROR" not in says


@pytest.mark.parametrize("compiler", CXX)
def test_cpp_takes_the_header(compiler, emitted, tmp_path):
    e = emitted["rich"]
    (tmp_path / "main.cpp").write_text("""#include "rich.h"
int main()
{
    static rich_gradients sums;
    static rich_tape tape[3];
    const float x[3 * RICH_FEATURES] = {0.5f, 0.25f, 1.0f, 0.0f, -1.0f, 2.0f};
    const float dy[RICH_OUTPUTS] = {1.0f, 0.0f, 0.0f};
    float y[RICH_OUTPUTS];
    rich_state state;
    rich_state dstate;
    rich_reset(&state);
    rich_forward(&state, x, 3, y, tape);
    rich_reset(&dstate);
    rich_backward(x, 3, dy, tape, &sums, NULL, &dstate);
    return sums.dense_5.b[0] > 0.0f && RICH_TAPE_BYTES(3) == sizeof tape ? 0 : 1;
}
""")
    c = {"g++": "gcc", "clang++": "clang"}[compiler]
    compile_c(COMPILERS[c], tmp_path, "-std=c99", "-c", str(e.folder / "rich.c"), "-o", "model.o")
    options = ["-std=c++98", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{e.folder}"]
    compile_c([compiler], tmp_path, *options, "-c", "main.cpp", "-o", "main.o")
    compile_c(COMPILERS[c], tmp_path, "main.o", "model.o", "-o", "cpp.exe")
    assert subprocess.run([tmp_path / "cpp.exe"], check=False).returncode == 0


# The numbers ---------------------------------------------------------------------------------------------------------


def problem(network, steps, seed=3):
    x = random_input(network, steps, batch=3)
    shape = run(network, x, Float64()).y.shape
    dy = Tensor.of(np.random.default_rng(seed).integers(-8, 9, shape) / 4)
    return x, dy, gradients(network, x, dy)


def far(network, found, right):
    """The largest difference as a share of an array's largest magnitude, over all arrays."""
    pairs = [*zip(found.arrays(network), right.arrays(network), strict=True), (found.x, right.x), (found.y, right.y)]
    pairs += [(found.states[key], theirs) for key, theirs in right.states.items()]
    assert all(mine.shape == theirs.shape for mine, theirs in pairs)
    shares = [np.abs(mine - theirs).max() / max(np.abs(theirs).max(), 1e-30) for mine, theirs in pairs]
    return max(shares)


@pytest.mark.parametrize("names", PAIRS, ids=" ".join)
def test_every_cell_up_to_50_steps(names):
    """1e-5 of each array's largest magnitude, as float32 with gradients summed over 50 steps and 3 sequences has
    (measured: 7e-7), against the reference in float64, which is compared with TensorFlow and PyTorch."""
    specs = [(name, units, SEQUENCES) for name, units in zip(names, (8, 5), strict=False)]
    network = random_network([*specs, ("gru", 4, {}), ("dense", 2, {"activation": "tanh"})], 3, seed=4)
    back = compiled_gradients(network)
    for steps in (1, 10, 50):
        x, dy, right = problem(network, steps)
        assert far(network, back(x.value, dy.value), right) <= 1e-5


@pytest.mark.parametrize("three", THREES, ids=" ".join)
def test_every_activation(three):
    """Each in a layer without time, as a gate and as a candidate or in a second layer without time."""
    a, b, c = three
    specs = [
        ("dense", 4, {"activation": a}),
        ("gru", 3, {**SEQUENCES, "activation": b, "recurrent_activation": c, "reset_after": False}),
        ("gru", 3, {"activation": c, "recurrent_activation": a}),
        ("dense", 4, {"activation": b}),
        ("dense", 2, {"activation": c}),
    ]
    network = random_network(specs, 2, seed=5, scale=0.7)
    x, dy, right = problem(network, 6)
    # 4 times what plain float32 loses with the same approximations (unbounded gates lose most), and 16 ulps
    allowed = 4 * far(network, gradients(network, x, dy, Plain("float32", c=True)), right) + 16 * 2.0**-23
    assert allowed <= 5e-4
    assert far(network, compiled_gradients(network)(x.value, dy.value), right) <= allowed


@pytest.mark.parametrize("activation", ["relu", "gelu", "hard_sigmoid", "softmax", "sigmoid"])
def test_gates_that_read_nothing_but_a_bias(activation):
    """type3 and mgu3: the argument of the derivative is a weight, not something that is kept."""
    options = {**SEQUENCES, "recurrent_activation": activation}
    network = random_network([("type3", 3, options), ("mgu3", 2, options)], 2, seed=6)
    x, dy, right = problem(network, 6)
    assert far(network, compiled_gradients(network)(x.value, dy.value), right) <= 1e-5


def test_every_gate_of_every_cell_compiles(tmp_path):
    """All cells with the same gate activation in one stack, a file for each activation."""
    for name in DERIVED:
        specs = [(cell, 2, {**SEQUENCES, "recurrent_activation": name}) for cell in RECURRENT if cell != "simple"]
        for file, content in code(random_network(specs, 2), Options(name=f"gate_{name}", gradients=True)).items():
            (tmp_path / file).write_bytes(content)
    compile_c(ANY, tmp_path, *WARNINGS, "-fsyntax-only", *(f"gate_{name}.c" for name in DERIVED))


@pytest.mark.parametrize("name", SPECS)
def test_every_shape_of_network(name, emitted):
    network = emitted[name].network
    x, dy, right = problem(network, 7)
    assert far(network, compiled_gradients(network)(x.value, dy.value), right) <= 1e-5


def library(e):
    compile_c(ANY, e.folder, *WARNINGS, "-O2", "-fPIC", "-shared", f"{e.name}.c", "-o", f"{e.name}.so")
    return ctypes.CDLL(str(e.folder / f"{e.name}.so"))


def pointer(array):
    return array.ctypes.data_as(ctypes.POINTER(ctypes.c_float))


def test_two_halves_are_the_whole(emitted):
    """A recording cut in two: the state is handed on, and dL/dstate handed back; NULL spares dx."""
    e = emitted["every_step"]
    lib, steps, cut = library(e), 6, 2
    x = np.ascontiguousarray(random_input(e.network, steps).value[0], np.float32)
    dy = np.random.default_rng(6).normal(size=(steps, 2)).astype(np.float32)
    record, units, size = (floats(e, struct) for struct in ("tape", "state", "gradients"))

    def back(pieces, with_dx):
        state, dstate, sums = (np.zeros(n, np.float32) for n in (units, units, size))
        dx, tapes = np.zeros_like(x), []
        for piece in pieces:
            tape, y = np.zeros(record * steps, np.float32), np.zeros((steps, 2), np.float32)
            n = ctypes.c_size_t(piece.stop - piece.start)
            lib.every_step_forward(pointer(state), pointer(x[piece]), n, pointer(y), pointer(tape))
            tapes.append(tape)
        for piece, tape in reversed(list(zip(pieces, tapes, strict=True))):
            n = ctypes.c_size_t(piece.stop - piece.start)
            to = pointer(dx[piece]) if with_dx else None
            arguments = (pointer(x[piece]), n, pointer(dy[piece]), pointer(tape), pointer(sums), to, pointer(dstate))
            lib.every_step_backward(*arguments)
        return sums, dx, dstate

    whole = back([slice(0, steps)], True)
    halves = back([slice(0, cut), slice(cut, steps)], True)
    for mine, theirs in zip(halves, whole, strict=True):
        assert np.array_equal(mine, theirs)
    spared = back([slice(0, steps)], False)
    assert np.array_equal(spared[0], whole[0])
    assert not spared[1].any()


def floats(e, struct):
    """How many floats a struct of the header holds."""
    *_, body = e.header[: e.header.index(f"}} {e.name}_{struct};")].split("typedef struct {")
    dims = re.findall(r"float \w+((?:\[\d+\])+);", body)
    return sum(int(np.prod([int(n) for n in re.findall(r"\d+", shape)])) for shape in dims)


# What the files say --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SPECS)
def test_the_headers_figures(name, emitted, tmp_path):
    e = emitted[name]
    (tmp_path / "sizes.c").write_text(f"""#include "{name}.h"
#include <stdio.h>
int main(void)
{{
    printf("%u %u\\n", (unsigned)sizeof({name}_tape), (unsigned)sizeof({name}_gradients));
    return {name.upper()}_TAPE_BYTES(3) == 3 * sizeof({name}_tape) ? 0 : 1;
}}
""")
    compile_c(ANY, tmp_path, *WARNINGS, f"-I{e.folder}", "sizes.c", "-o", "sizes.exe")
    done = subprocess.run([tmp_path / "sizes.exe"], capture_output=True, text=True, check=True)
    said = [re.search(rf"{what} +(\d+) B", e.header)[1] for what in (r"\*   tape", r"\*   gradients")]
    assert done.stdout.split() == said


@pytest.mark.parametrize(
    "specs",
    [
        [("gru", 200, {})],
        [("gru", 100, SEQUENCES), ("gru", 50, {}), ("dense", 120, {"activation": "tanh"}), ("dense", 80, {})],
        [
            ("dense", 90, {"activation": "tanh"}),
            ("gru_before", 100, SEQUENCES),
            ("dense", 60, {"activation": "softmax"}),
        ],
    ],
    ids=["plain", "head", "every step"],
)
def test_the_stack_is_as_large_as_the_header_says(specs, tmp_path):
    """gcc's own figures without optimisation: the walk, the layers after the last step, then one layer."""
    gcc = need("gcc")
    network = random_network(specs, 60, seed=1, name="deep")
    for file, content in code(network, GRADIENTS).items():
        (tmp_path / file).write_bytes(content)
    compile_c([gcc], tmp_path, "-std=c99", "-O0", "-fstack-usage", "-c", "deep.c", "-o", "deep.o")
    lines = (tmp_path / "deep.su").read_text().splitlines()
    frames = {line.split("\t")[0].rpartition(":")[2]: int(line.split("\t")[1]) for line in lines}
    calls = {f: size for f, size in frames.items() if f.endswith(("_cell", "_keep", "_back"))}
    timed = max(
        size for f, size in calls.items() if f.endswith("_back") and ("gru" in f or "deep_output" not in frames)
    )
    turn = frames.get("deep_back_from_output", 0)
    after = max((size for f, size in calls.items() if turn and ("dense" in f or "gru_2_cell" in f)), default=0)
    measured = frames["deep_backward"] + max(timed, turn + after)
    header = (tmp_path / "deep.h").read_text()
    said = int(re.findall(r"stack +(\d+) B of local arrays", header)[-1])
    scalars = 3 * 250  # return addresses, saved registers, loop counters, arguments, sums
    assert said <= measured <= said + scalars


@pytest.mark.parametrize("name", SPECS)
def test_it_neither_allocates_nor_prints_nor_computes_in_double(name, emitted):
    e = emitted[name]
    body = re.sub(r"/\*.*?\*/", "", e.source, flags=re.DOTALL)
    assert not re.search(r"\b(malloc|calloc|free|printf|exit|math\.h|double)\b", body)
    literals = re.findall(r"(?<![\w.])\d+\.\d*(?:e[-+]?\d+)?\w*|(?<![\w.])\d+e[-+]?\d+\w*", body)
    assert all(literal.endswith("f") for literal in literals)


@pytest.mark.parametrize("name", SPECS)
def test_external_symbols_carry_the_prefix_and_nothing_is_variable(name, emitted):
    need("nm")
    e = emitted[name]
    compile_c(COMPILERS.get("gcc", ANY), e.folder, "-std=c99", "-O2", "-c", f"{name}.c", "-o", "object.o")
    done = subprocess.run(["nm", "object.o"], cwd=e.folder, capture_output=True, text=True, check=True)
    found = [tuple(line.split()[-2:]) for line in done.stdout.splitlines()]
    external = {s for kind, s in found if kind.isupper() and kind != "U"}
    assert external == {f"{name}_{what}" for what in ("reset", "step", "window", "forward", "backward")}
    assert not [s for kind, s in found if kind in "dDbBcC"]


def test_the_mapping_to_get_weights(emitted):
    e = emitted["plain"]
    rows = dict(re.findall(r"^ \*   (gru_1\.\S+) +(\S.*)$", e.header, re.MULTILINE))
    assert rows["gru_1.U_r[i][k]"] == "recurrent_kernel[k][5 + i]"
    assert rows["gru_1.d_z[i]"] == "bias[0][i] and bias[1][i]"
    assert rows["gru_1.c_n[i]"] == "bias[1][10 + i]"
    struct = re.search(r"#define PLAIN_TAPE_BYTES.*\} plain_gradients;", e.header, re.DOTALL)[0]
    assert {row.removeprefix("gru_1.").partition("[")[0] for row in rows} == set(re.findall(r"float (\w+)\[", struct))


def test_the_tape_holds_no_more_than_is_read(emitted):
    """Two biases that are only added, weights and the output are not kept; nor is the input, which the caller has."""
    tape = re.search(
        r"typedef struct \{\s*struct \{(.*?)\} gru_1;\s*\} plain_tape", emitted["plain"].header, re.DOTALL
    )[1]
    assert re.findall(r"float (\w+)\[5\];", tape) == ["h", "z", "r", "u_n", "n"]


@pytest.mark.parametrize("name", RECURRENT)
def test_every_cells_files_are_ascii_and_not_too_wide(name):
    network = random_network([(name, 40, SEQUENCES), (name, 40, {}), ("dense", 2, {"activation": "mish"})], 2)
    for content in code(network, GRADIENTS).values():
        lines = content.decode("ascii").splitlines()
        assert max(len(line) for line in lines if not line.lstrip().startswith(("/*", "*"))) <= 120
        assert content.endswith(b"\n")
        assert not re.search(rb"[ \t]+\n", content)
        assert b"\n\n\n" not in content


HOSTILE = ["x", "y", "dy", "dx", "h", "t", "i", "k", "tape", "sums", "state", "dstate", "head", "last", "steps", "out",
           "int", "total", "forward", "backward", "gradients", "back_from_output", "to", "after", "sigma"]  # fmt: skip


@pytest.mark.parametrize("place", [0, 1, 2], ids=["before the GRU", "the GRU", "after it"])
def test_layers_named_like_something_in_the_c(place, tmp_path):
    for label in HOSTILE:
        names = ["first", "gru_", "end"]
        names[place] = label
        described = [{**kind, "name": n} for kind, n in zip((DENSE, GRU, DENSE), names, strict=True)]
        network = load({"name": "m", "layers": described}).network
        for file, content in code(network, Options(name=f"m_{label}", gradients=True)).items():
            (tmp_path / file).write_bytes(content)
    compile_c(ANY, tmp_path, *WARNINGS, "-fsyntax-only", *(f"m_{label}.c" for label in HOSTILE))


# Options -------------------------------------------------------------------------------------------------------------


def test_without_the_option_nothing_is_there():
    network = random_network(SPECS["rich"], 2, name="rich")
    plain, more = files(network), files(network, GRADIENTS)
    assert set(more) - set(plain) == {"rich_gradients_test.c"}
    assert not any(b"radient" in content or b"_tape" in content for content in plain.values())
    body = plain["rich.c"].decode().replace("options: none", "options: --gradients")
    tail = body[body.index("/* The layers that run at every time step. */") :]
    assert tail in more["rich.c"].decode(), "the way there is the same code"


def test_a_chosen_name_is_everywhere(tmp_path):
    e = emit(random_network(SPECS["plain"], 2, name="other"), tmp_path, Options(name="Mine", gradients=True))
    assert "Mine_backward" in e.header
    assert "other_" not in e.source + e.header + e.test
    assert "options: --name Mine --gradients" in e.source
    assert run_test(e)[0] == 0


def test_not_with_a_scale_nor_with_unrolled_code():
    network = random_network(SPECS["plain"], 2)
    ones = Affine(np.ones(2, np.float32), np.ones(2, np.float32))
    for options, other in (
        (Options(scale=Scale(ones, None), gradients=True), "--scale"),
        (Options(unrolled=True, steps=2, gradients=True), "--unrolled"),
    ):
        with pytest.raises(UnusableInput, match=f"--gradients.*leave out {other}"):
            files(network, options)


def test_the_seed(tmp_path):
    e = emit(read(SEED), tmp_path)
    assert run_test(e)[0] == 0


def test_emitting_twice_gives_the_same_bytes():
    network = random_network(SPECS["rich"], 2, name="again")
    assert files(network, GRADIENTS) == files(network, GRADIENTS)


def test_the_documentations_example(tmp_path):
    """As docs/gradients.md has it, between the declarations of what is the caller's."""
    page = (ROOT / "docs" / "gradients.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```c\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    emit(read(SEED), tmp_path)
    (tmp_path / "use.c").write_text(f"""#include "seed.h"
#include <stdio.h>
enum {{ STEPS = 4 }};
int main(void)
{{
const float x[STEPS] = {{1.0f, 2.0f, 9.0f, 8.0f}}, target = 0.25f;
float y[1], dy[1], dx[STEPS];
{example}
printf("%.9g %.9g\\n", (double)sums.gru.W_n[0][0], (double)dx[3]);
return 0;
}}
""")
    compile_c(ANY, tmp_path, *WARNINGS, "seed.c", "use.c", "-o", "use.exe")
    done = subprocess.run([tmp_path / "use.exe"], capture_output=True, text=True, check=True)
    network, x = read(SEED), Tensor.of(np.array([[[1.0], [2.0], [9.0], [8.0]]]))
    right = gradients(network, x, Tensor.of(run(network, x, Float64()).y - 0.25))
    expected = [right.weights["gru"]["W_n"][0, 0], right.x[0, 3, 0]]
    assert [float(v) for v in done.stdout.split()] == pytest.approx(expected, rel=1e-5)
