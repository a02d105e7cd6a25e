"""The emitted C: compiled by every compiler there is without a word, and what its header promises, measured."""

import ctypes
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from symgru.backends.c import Options, files
from symgru.backends.c.names import KEYWORDS, member, number, prefix, text
from symgru.building import build
from symgru.cells import CELLS
from symgru.domains import Float64
from symgru.errors import UnusableInput
from symgru.face import load
from symgru.float32 import Float32
from symgru.network import Network, Tensor
from symgru.scaling import Affine, Scale
from symgru.trace import run
from tests.conftest import need, random_input, random_network

WARNINGS = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wdouble-promotion", "-Wshadow", "-Werror"]
ZIG = [sys.executable, "-m", "ziglang"]
COMPILERS = {name: [name] for name in ("cc", "gcc", "clang") if shutil.which(name)} | {"zig": [*ZIG, "cc"]}
CXX = [name for name in ("g++", "clang++") if shutil.which(name)]
ANY = next(iter(COMPILERS.values()))
every_compiler = pytest.mark.parametrize("compiler", COMPILERS)
SEQUENCES = {"return_sequences": True}
SPECS = {
    "plain": [("gru", 5, {})],
    "rich": [
        ("dense", 4, {"activation": "softsign"}),
        ("gru", 6, {**SEQUENCES, "activation": "selu"}),
        ("gru", 3, {"reset_after": False, "recurrent_activation": "hard_sigmoid"}),
        ("dense", 7, {"activation": "gelu"}),
        ("dense", 3, {"activation": "softmax"}),
    ],
    "every_step": [
        ("gru", 4, {**SEQUENCES, "use_bias": False}),
        ("dense", 2, {"activation": "mish"}),
        ("dense", 2, {"activation": "softplus"}),
    ],
    "linear": [("gru", 2, {"activation": "linear", "recurrent_activation": "relu"})],
}
SCALE = Scale(Affine(np.array([3.0, -1.5], np.float32), np.array([2.5, 0.3], np.float32)), None)


@dataclass(frozen=True)
class Emitted:
    """A network, its files in a folder, and their texts."""

    name: str
    network: Network
    folder: Path
    header: str
    source: str
    test: str


def emit(network: Network, folder: Path, options: Options | None = None, x: Tensor | None = None) -> Emitted:
    written = files(network, options, x)
    for file, content in written.items():
        (folder / file).write_bytes(content)
    header, source, test = (content.decode("ascii") for content in written.values())
    return Emitted(next(iter(written)).removesuffix(".h"), network, folder, header, source, test)


@pytest.fixture(scope="module")
def emitted(tmp_path_factory):
    """Every network of SPECS, emitted once."""
    return {
        name: emit(random_network(specs, 2, seed=len(name), name=name), tmp_path_factory.mktemp(name))
        for name, specs in SPECS.items()
    }


def compile_c(command, folder, *arguments, ok=True):
    done = subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    if ok:
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
    return done


def run_test(e, compiler="cc", *flags, sources=None):
    """Compile NAME.c with its test and run it: (exit status, what it says)."""
    program = e.folder / f"{e.name}_{compiler}_test.exe"
    sources = sources or [f"{e.name}.c", f"{e.name}_test.c"]
    compile_c(COMPILERS.get(compiler, ANY), e.folder, *WARNINGS, *flags, *sources, "-o", program.name)
    done = subprocess.run([program], capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def library(e, compiler, *flags):
    """The emitted C as a library: y = window(x) for one sequence."""
    target = e.folder / f"{e.name}_{compiler}{''.join(flags)}.so"
    compile_c(COMPILERS[compiler], e.folder, *WARNINGS, *flags, "-fPIC", "-shared", f"{e.name}.c", "-o", target.name)
    function = getattr(ctypes.CDLL(str(target)), f"{e.name}_window")

    def window(x, room=0):
        x = np.ascontiguousarray(x, np.float32)
        y = np.zeros(room or defined(e, "OUTPUTS") * len(x), np.float32)
        x_at, y_at = (a.ctypes.data_as(ctypes.POINTER(ctypes.c_float)) for a in (x, y))
        function(x_at, ctypes.c_size_t(len(x)), y_at)
        return y

    return window


def defined(e, what):
    return int(re.search(rf"#define {e.name.upper()}_{what} (\d+)", e.header)[1])


def arrays(source):
    """Every constant array of the source by name, its literals as float32."""
    found = {}
    for name, dims, body in re.findall(r"static const float (\w+)((?:\[\d+\])+) = (\{.*?\});", source, re.DOTALL):
        shape = tuple(map(int, re.findall(r"\d+", dims)))
        words = re.findall(r"[^{},\s]+", body)
        assert all(re.fullmatch(r"-?\d+\.?\d*(e[-+]?\d+)?f", w) for w in words), "float literals, not double"
        assert all("." in w or "e" in w for w in words)
        found[name] = np.array([np.float32(w.removesuffix("f")) for w in words]).reshape(shape)
    return found


# Compiled and run ----------------------------------------------------------------------------------------------------


@every_compiler
@pytest.mark.parametrize("name", ["rich", "every_step"])
def test_compiles_without_a_word_and_its_own_test_passes(name, compiler, emitted):
    status, says = run_test(emitted[name], compiler, "-O2")
    assert status == 0, says
    assert re.search(r"largest difference \S+ of at most \S+: passed", says)


@every_compiler
def test_every_compiler_gives_the_bits_of_the_float32_domain(compiler, emitted):
    flags = ["-O3"] if compiler == "zig" else ["-O3", "-march=native"]  # fused multiply-add is there, and not used
    for e in (emitted["rich"], emitted["every_step"]):
        window, x = library(e, compiler, *flags), random_input(e.network, 6, batch=30, seed=4)
        for given, expected in zip(x.value, run(e.network, x, Float32()).y, strict=True):
            assert window(given)[: expected.size].tobytes() == expected.tobytes()


@pytest.mark.parametrize("flag", ["-O0", "-Os"])
def test_optimisation_changes_no_bit(flag, emitted):
    e = emitted["every_step"]
    x = random_input(e.network, 6, seed=4)
    expected = run(e.network, x, Float32()).y[0].ravel()
    assert library(e, next(iter(COMPILERS)), flag)(x.value[0]).tobytes() == expected.tobytes()


def altered(e, folder, pattern):
    """The test program with its first number after `pattern` a quarter larger."""
    changed = re.sub(
        rf"({pattern}.*?)(-?[\d.]+(?:e-?\d+)?)f",
        lambda m: f"{m[1]}{float(m[2]) + 0.25}f",
        e.test,
        count=1,
        flags=re.DOTALL,
    )
    assert changed != e.test
    (folder / "altered.c").write_text(changed)
    return [f"{e.name}.c", "altered.c"]


@pytest.mark.parametrize("name", ["plain", "every_step"])
def test_its_own_test_fails_where_an_expected_value_is_another(name, emitted):
    e = emitted[name]
    status, says = run_test(e, sources=altered(e, e.folder, r"expected\[.*?= \{\s*\{"))
    assert status == 1
    assert "FAILED" in says


def test_its_own_test_fails_where_a_weight_is_another(emitted, tmp_path):
    e = emitted["plain"]
    shutil.copytree(e.folder, tmp_path, dirs_exist_ok=True)
    name = f"{e.name}_gru_1_W_n"
    changed = re.sub(
        rf"({name}\[.*?= \{{\s*\{{)(-?[\d.]+)f",
        lambda m: f"{m[1]}{float(m[2]) * 1.001:.9f}f",
        e.source,
        count=1,
        flags=re.DOTALL,
    )
    assert changed != e.source
    (tmp_path / f"{e.name}.c").write_text(changed)
    status, _ = run_test(Emitted(e.name, e.network, tmp_path, e.header, changed, e.test))
    assert status == 1


def sanitized(compiler, folder):
    """Whether the compiler has the sanitizers' run time; absent it is a skip, and a failure where all is required."""
    command = need(compiler)
    (folder / "empty.c").write_text("int main(void) { return 0; }\n")
    done = compile_c([command], folder, "-fsanitize=address,undefined", "empty.c", "-o", "empty", ok=False)
    if done.returncode:
        if os.environ.get("SYMGRU_REQUIRE_ALL") == "1":
            pytest.fail(f"the sanitizers of {compiler} are required and missing: {done.stderr[:200]}")
        pytest.skip(f"the sanitizers of {compiler} are not installed")
    return command


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_sanitizers_find_nothing(compiler, emitted, tmp_path):
    command = sanitized(compiler, tmp_path)
    for e in (emitted["rich"], emitted["every_step"]):
        compile_c(
            [command],
            e.folder,
            *WARNINGS,
            "-O1",
            "-g",
            "-fsanitize=address,undefined",
            "-fno-sanitize-recover=all",
            f"{e.name}.c",
            f"{e.name}_test.c",
            "-o",
            "sanitized.exe",
        )
        done = subprocess.run([e.folder / "sanitized.exe"], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""


@pytest.mark.parametrize(
    ("compiler", "flag"),
    [*((name, "-ffast-math") for name in COMPILERS), *((name, "-Ofast") for name in COMPILERS if name != "zig")],
)
def test_fast_math_is_refused(flag, compiler, emitted):
    e = emitted["plain"]
    done = compile_c(COMPILERS[compiler], e.folder, "-std=c99", flag, "-c", f"{e.name}.c", "-o", "fast.o", ok=False)
    assert done.returncode != 0
    assert f"{e.name}.c needs IEEE arithmetic as written" in done.stderr


def test_excess_precision_is_refused(emitted):
    e = emitted["plain"]
    done = compile_c(
        ANY, e.folder, "-std=c99", "-w", "-D__FLT_EVAL_METHOD__=2", "-fsyntax-only", f"{e.name}.c", ok=False
    )
    assert done.returncode != 0
    assert "needs float arithmetic" in done.stderr


# What is in the object file ------------------------------------------------------------------------------------------


def symbols(e, *flags):
    """(type, name) of every symbol of the object file."""
    need("nm")
    compile_c(COMPILERS.get("gcc", ANY), e.folder, "-std=c99", "-O2", *flags, "-c", f"{e.name}.c", "-o", "object.o")
    done = subprocess.run(["nm", "object.o"], cwd=e.folder, capture_output=True, text=True, check=True)
    return [tuple(line.split()[-2:]) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("name", SPECS)
def test_external_symbols_carry_the_prefix_and_nothing_is_variable(name, emitted):
    e = emitted[name]
    found = symbols(e)
    external = {s for kind, s in found if kind.isupper() and kind != "U"}
    assert external == {f"{e.name}_{what}" for what in ("reset", "step", "window")}
    assert {s for kind, s in found if kind == "U"} <= {"memcpy", "memset", "_GLOBAL_OFFSET_TABLE_"}
    assert not [s for kind, s in found if kind in "dDbBcC"], ".data and .bss are empty: weights lie in flash"


def test_it_neither_allocates_nor_prints_nor_computes_in_double(emitted):
    for e in emitted.values():
        code = re.sub(r"/\*.*?\*/", "", e.source, flags=re.DOTALL)
        assert not re.search(r"\b(malloc|calloc|free|printf|exit|math\.h|double)\b", code)
        literals = re.findall(r"(?<![\w.])\d+\.\d*(?:e[-+]?\d+)?\w*|(?<![\w.])\d+e[-+]?\d+\w*", code)
        assert literals
        assert all(literal.endswith("f") for literal in literals)


# The literals and what the header says -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SPECS)
def test_literals_are_the_weights_bit_by_bit(name, emitted):
    e = emitted[name]
    expected = {}
    for layer in e.network.layers.values():
        own = {k: t.value for k, t in layer.weights.items()}
        if build(layer.kind, layer.options).name == "gru" and "b_z" in own:
            for gate in "zr":  # the two biases that are only ever added, added once
                pair = (own.pop(f"{side}_{gate}").astype(np.float64) for side in "bc")
                own[f"d_{gate}"] = sum(pair)
        expected |= {f"{e.name}_{layer.id}_{k}": v.astype(np.float32) for k, v in own.items()}
    found = arrays(e.source)
    assert set(found) == set(expected)
    for key, values in expected.items():
        assert found[key].shape == values.shape
        assert found[key].tobytes() == np.ascontiguousarray(values).tobytes(), key


@pytest.mark.parametrize("name", SPECS)
def test_the_headers_figures(name, emitted):
    e = emitted[name]
    assert int(re.search(r"flash +(\d+) B of weights", e.header)[1]) == sum(a.nbytes for a in arrays(e.source).values())
    members = [int(n) for n in re.findall(r"^    float \w+\[(\d+)\];", e.header, re.MULTILINE)]
    units = [
        len(t.value)
        for layer in e.network.layers.values()
        if build(layer.kind, layer.options).states
        for k, t in layer.weights.items()
        if k == "U_z"
    ]
    assert members == units
    assert int(re.search(r"RAM +(\d+) B for each", e.header)[1]) == 4 * sum(units)
    assert defined(e, "FEATURES") == 2
    assert defined(e, "OUTPUTS") == run(e.network, random_input(e.network, 2), Float64()).y.shape[-1]
    assert e.network.fingerprint in e.header
    assert e.network.fingerprint in e.source
    assert e.network.fingerprint in e.test
    assert "0BSD" in e.header


def test_the_work_is_that_of_the_matrix_products(emitted):
    e = emitted["rich"]
    work = int(re.search(r"work +(\d+) multiply-accumulates a time step", e.header)[1])
    head = int(re.search(r"and (\d+) for each output", e.header)[1])
    assert work == 2 * 4 + 3 * (4 * 6 + 6 * 6) + 3 * (6 * 3 + 3 * 3)
    assert head == 3 * 7 + 7 * 3


@pytest.mark.parametrize(
    "specs",
    [
        [("gru", 200, {})],
        [("gru", 150, {"reset_after": False})],
        [("gru", 100, SEQUENCES), ("gru", 50, {}), ("dense", 120, {}), ("dense", 80, {"activation": "softmax"})],
        [("dense", 90, {"activation": "tanh"}), ("gru", 100, SEQUENCES), ("dense", 70, {}), ("dense", 60, {})],
    ],
    ids=["after", "before", "head", "every step"],
)
def test_the_stack_is_as_large_as_the_header_says(specs, tmp_path):
    """gcc's own figures without optimisation: window, then advance or output, then one layer, each in its frame."""
    gcc = need("gcc")
    e = emit(
        random_network(specs, 60, seed=1, name="deep"),
        tmp_path,
        Options(None, Scale(Affine(np.zeros(60, np.float32), np.ones(60, np.float32)), None)),
        Tensor.of(np.ones((1, 1, 60))),
    )
    compile_c([gcc], tmp_path, "-std=c99", "-O0", "-fstack-usage", "-c", "deep.c", "-o", "deep.o")
    lines = (tmp_path / "deep.su").read_text().splitlines()
    frames = {line.split("\t")[0].rpartition(":")[2]: int(line.split("\t")[1]) for line in lines}
    cells = max(size for f, size in frames.items() if f.endswith("_cell"))
    middle = max(frames["deep_advance"], frames.get("deep_output", 0))
    measured = frames["deep_window"] + middle + cells
    said = int(re.search(r"stack +(\d+) B of local arrays", e.header)[1])
    scalars = 3 * 200  # what is no array: return addresses, saved registers, loop counters, arguments, sums
    assert measured - scalars <= said <= 1.5 * measured


# Names ---------------------------------------------------------------------------------------------------------------

ARRAYS = [[[0.1, 0.2, 0.3]], [[0.4, 0.5, 0.6]], [[0.7, 0.8, 0.9]] * 2]


def model(name, gru, *dense, features=1):
    """One GRU and Dense layers under the names a file would give them."""
    layers = [{"kind": "gru", "name": gru, "options": {"return_sequences": True}, "weights": ARRAYS}]
    layers += [{"kind": "dense", "name": label, "weights": [[[0.5]], [0.25]]} for label in dense]
    return load({"name": name, "layers": layers}).network


HOSTILE = {
    "keyword": ("int", "float", "while", "static"),
    "comment": ("*/ int x; /*", "*/ int x; /*", "/*", "//"),
    "long": ("a" * 5000, "b" * 5000, "b" * 5000, "c"),
    "colliding": ("gru", "GRU", "gru!", "gru_2"),
    "trigraphs": ("??/", "\\", "?" * 70 + "\\", "??)\n#error"),
    "functions": ("main", "exp", "tanh", "sigma"),
    "suffixes": ("m", "window", "reset", "step"),
    "quotes": ('"', "'", '%s%n"', "\x00\x1b[31m"),
    "unicode": ("层", "é", "\u202e", "İ"),
    "macros": ("NULL", "EOF", "linux", "unix"),
}


@pytest.mark.parametrize("names", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names_are_harmless(names, tmp_path):
    network = model(names[0], *names)
    e = emit(network, tmp_path)
    assert "int x;" not in e.source + e.header + e.test
    for content in (e.source, e.header, e.test):
        assert content.isascii()
        assert len(max(content.splitlines(), key=len)) < 200
    status, says = run_test(e)
    assert status == 0, says


HIDDEN = ["x", "state", "scaled", "size_t", "memcpy", "i"]
DENSE = {"kind": "dense", "weights": [[[0.5]], [0.25]]}
GRU = {"kind": "gru", "options": {"return_sequences": True}, "weights": ARRAYS}


@pytest.mark.parametrize("label", [*HIDDEN, "y", "h", "k", "t", "steps", "n", "a", "z", "float_t"])
def test_a_recurrent_layer_named_like_something_in_the_c(label, tmp_path):
    e = emit(model("m", label, label + "!", "last"), tmp_path)
    assert run_test(e)[0] == 0


@pytest.mark.parametrize("label", [*HIDDEN, "h", "k", "t", "steps", "n", "a"])
def test_a_dense_layer_named_like_something_in_the_c(label, tmp_path):
    """Before the GRU and after it: its output is a local array either time."""
    one = Affine(np.zeros(1, np.float32), np.ones(1, np.float32))
    layers = [{**DENSE, "name": label}, {**GRU, "name": "gru"}]
    e = emit(load({"name": "m", "layers": layers}).network, tmp_path, Options(None, Scale(one, one)))
    assert run_test(e)[0] == 0
    layers = [{**GRU, "name": "gru"}, {**DENSE, "name": label}, {**DENSE, "name": "last"}]
    e = emit(load({"name": "m", "layers": layers}).network, tmp_path, Options(None, Scale(one, one)))
    assert run_test(e)[0] == 0


@pytest.mark.parametrize("sequences", [True, False])
def test_a_wide_dense_layer_called_y_writes_no_further_than_the_output(sequences, tmp_path):
    wide = {"kind": "dense", "name": "y", "weights": [[[0.5] * 8], [0.25] * 8]}
    last = {"kind": "dense", "name": "last", "weights": [[[0.125]] * 8, [0.5]]}
    gru = {**GRU, "name": "gru", "options": {"return_sequences": sequences}}
    network = load({"name": "m", "layers": [gru, wide, last]}).network
    y = library(emit(network, tmp_path), next(iter(COMPILERS)))(np.ones((1, 1)), room=16)
    assert not y[1:].any()
    right = run(network, Tensor.of(np.ones((1, 1, 1))), Float32()).y.ravel()[0]
    assert y[0] == right


def test_prefixes():
    for good in ("gru", "Net_2", "a", "a" * 48):
        assert prefix(good) == good
    for bad in ("", "9", "_a", "a__b", "a-b", "int", "class", "a" * 49, "é", "a b", "a\n", "*/", "main"):
        with pytest.raises(UnusableInput, match="--name"):
            prefix(bad)
    assert member("int") == "int_"
    assert member("gru") == "gru"
    assert {"auto", "restrict", "class", "inline"} <= KEYWORDS


def test_the_later_keywords_of_cpp_are_known():
    later = {"char16_t", "char32_t", "char8_t", "co_await", "co_return", "co_yield", "consteval", "constinit"}
    assert later <= KEYWORDS


UNTRUSTED = ["*/", "/*", "//", "\\\n", "??/", "\x00", "\r", "é", '"', "{{", "\u2028", "a" * 500]


@pytest.mark.parametrize("untrusted", UNTRUSTED, ids=ascii)
def test_text_is_fit_for_a_comment(untrusted):
    for shown in (text(untrusted), text("a" + untrusted + "b")):
        assert re.fullmatch(r"[ -~]*", shown)
        assert not set('*/\\"{}`$') & set(shown)
        assert len(shown) <= 60


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (0.1, "0.1f"),
        (1, "1.0f"),
        (-2.5, "-2.5f"),
        (1e-45, "1e-45f"),
        (65536, "65536.0f"),
        (0, "0.0f"),
        (-0.0, "-0.0f"),
        (3.4028235e38, "3.4028235e+38f"),
        (1 / 3, "0.33333334f"),
    ],
)
def test_number(value, literal):
    assert number(value) == literal


# Together with other code --------------------------------------------------------------------------------------------


def test_two_models_in_one_program(emitted, tmp_path):
    """Both headers in one file, both sources linked; each gives what it gives alone."""
    first, second = emitted["plain"], emitted["rich"]
    outputs = []
    for e in (first, second):
        shutil.copy(e.folder / f"{e.name}.c", tmp_path)
        shutil.copy(e.folder / f"{e.name}.h", tmp_path)
        x = Tensor.of(np.array([[[0.5, -1.0], [2.0, 0.25]]]))
        outputs.append(run(e.network, x, Float32()).y[0])
    calls = "".join(
        f"""
    {e.name}_window(x, 2, y);
    for (int i = 0; i < {e.name.upper()}_OUTPUTS; i++) printf("%a\\n", (double)y[i]);"""
        for e in (first, second)
    )
    (tmp_path / "main.c").write_text(f"""#include "plain.h"
#include "rich.h"
#include "plain.h"
#include <stdio.h>
int main(void)
{{
    const float x[4] = {{0.5f, -1.0f, 2.0f, 0.25f}};
    float y[16];{calls}
    return 0;
}}
""")
    compile_c(ANY, tmp_path, *WARNINGS, "main.c", "plain.c", "rich.c", "-o", "both.exe")
    done = subprocess.run([tmp_path / "both.exe"], capture_output=True, text=True, check=True)
    assert [float.fromhex(v) for v in done.stdout.split()] == [float(v) for y in outputs for v in y]


@pytest.mark.parametrize("compiler", CXX)
def test_cpp_takes_the_header(compiler, emitted, tmp_path):
    """As C++98 and C++20, with the C linked in."""
    e = emitted["plain"]
    (tmp_path / "main.cpp").write_text(f"""#include "{e.name}.h"
#include <stdio.h>
int main()
{{
    {e.name}_state state;
    const float x[{e.name.upper()}_FEATURES] = {{0.5f, 0.25f}};
    float y[{e.name.upper()}_OUTPUTS];
    {e.name}_reset(&state);
    {e.name}_step(&state, x, y);
    printf("%.9g\\n", static_cast<double>(y[0]));
    return 0;
}}
""")
    c = {"g++": "gcc", "clang++": "clang"}[compiler]
    compile_c(COMPILERS[c], tmp_path, "-std=c99", "-c", str(e.folder / f"{e.name}.c"), "-o", "model.o")
    options = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{e.folder}"]
    compile_c([compiler], tmp_path, "-std=c++98", *options, "-fsyntax-only", "main.cpp")
    compile_c([compiler], tmp_path, "-std=c++20", *options, "-c", "main.cpp", "-o", "main.o")
    compile_c(COMPILERS[c], tmp_path, "main.o", "model.o", "-o", "cpp.exe")
    done = subprocess.run([tmp_path / "cpp.exe"], capture_output=True, text=True, check=True)
    right = run(e.network, Tensor.of(np.array([[[0.5, 0.25]]])), Float32()).y[0, 0]
    assert np.float32(done.stdout.strip()) == right


# Options -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["plain", "every_step"])
@pytest.mark.parametrize("sides", ["input", "both", "output"])
def test_scale(name, sides, tmp_path):
    network = random_network(SPECS[name], 2, seed=len(name), name=name)
    width = run(network, random_input(network, 2), Float64()).y.shape[-1]
    outside = Affine(np.linspace(1, 2, width, dtype=np.float32), np.linspace(4, 5, width, dtype=np.float32))
    scale = Scale(None if sides == "output" else SCALE.input, None if sides == "input" else outside)
    e = emit(network, tmp_path, Options("scaled_net", scale))
    status, says = run_test(e)
    assert status == 0, says
    x = random_input(network, 4, seed=2)
    inside = Tensor.of(np.asarray(scale.into(x.value)))
    right = scale.out_of(run(network, inside, Float64()).y)[0].ravel()
    y = library(e, next(iter(COMPILERS)))(x.value[0])[: right.size]
    assert np.abs(y - right).max() <= 2e-5
    assert np.abs(y - run(network, x, Float64()).y[0].ravel()).max() > 1e-2, "it does something"
    found = arrays(e.source)
    assert int(re.search(r"flash +(\d+) B of weights", e.header)[1]) == sum(a.nbytes for a in found.values())
    if sides != "output":
        assert found["scaled_net_input_mean"].tolist() == SCALE.input.mean.tolist()


def test_a_chosen_name_is_everywhere(tmp_path):
    network = random_network(SPECS["plain"], 2, name="other")
    written = files(network, Options("Mine"))
    assert list(written) == ["Mine.h", "Mine.c", "Mine_test.c"]
    source = written["Mine.c"].decode()
    assert "Mine_window" in source
    assert "other_" not in source
    with pytest.raises(UnusableInput, match="--name"):
        files(network, Options("*/"))


def test_the_input_given_is_the_tests_input(tmp_path):
    network = random_network(SPECS["plain"], 2, name="given")
    x = Tensor.of(np.array([[[0.5, 0.75], [0.125, -3.0], [1.0, 2.0]]]))
    e = emit(network, tmp_path, None, x)
    assert "STEPS = 3" in e.test
    assert re.search(r"\{0\.5f, 0\.75f\},\s*\{0\.125f, -3\.0f\},\s*\{1\.0f, 2\.0f\}", e.test)
    assert run_test(e)[0] == 0


def test_emitting_twice_gives_the_same_bytes():
    network = random_network(SPECS["rich"], 2, name="again")
    assert files(network) == files(network)


@pytest.mark.parametrize("name", CELLS)
def test_every_cells_files_are_ascii_and_not_too_wide(name):
    network = random_network([*([] if CELLS[name].states else [("gru", 2, SEQUENCES)]), (name, 40, {})], 2)
    for content in files(network).values():
        lines = content.decode("ascii").splitlines()
        assert max(len(line) for line in lines if not line.lstrip().startswith(("/*", "*"))) <= 120
        assert content.endswith(b"\n")
        assert b"\t" not in content
        assert not re.search(rb"[ ]+\n", content)
