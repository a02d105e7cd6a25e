"""The command line: exit statuses, one line for every mistake, and no half-written file."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from symgru import __version__
from symgru.cli import COMMANDS, main
from symgru.face import load
from symgru.verify import keras
from tests.conftest import ROOT, SEED

INPUT = "1,2,9,8"
ANSWER = -0.46279538681734  # shared/design.md: from the float32 values that Keras stores


@pytest.fixture(autouse=True)
def no_keras(monkeypatch):
    """TensorFlow takes seconds to import; tests/frameworks has it."""
    monkeypatch.setattr(keras, "installed", lambda: False)


@pytest.fixture
def symgru(capsys, monkeypatch, tmp_path):
    """Run a command in an empty folder: (exit status, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)

    def run(*args):
        with pytest.raises(SystemExit) as ended:
            main([str(a) for a in args])
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return run


def one_line(result):
    """The message of a command that could not be done."""
    status, out, err = result
    assert status == 2, err
    assert out == ""
    (line,) = [line for line in err.splitlines() if not line.startswith("note: ")]
    assert line.startswith("symgru: ")
    assert "Traceback" not in line
    assert len(line) < 700
    return line


# Help ----------------------------------------------------------------------------------------------------------------


def test_help_lists_the_commands(symgru):
    status, out, err = symgru("--help")
    assert (status, err) == (0, "")
    for name, says in COMMANDS.items():
        assert re.search(rf"^ +{name} +{re.escape(says[:20])}", out, re.MULTILINE)
    assert {"demo", "show", "explain", "derive", "emit", "run", "verify"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name, symgru):
    status, out, err = symgru(name, "-h")
    assert (status, err) == (0, "")
    assert out.startswith(f"Usage: symgru {name}")
    assert "  " in out


def test_version(symgru):
    status, out, _ = symgru("--version")
    assert (status, out.split()[0]) == (0, "symgru")
    assert re.match(r"\d+\.\d+", out.split()[1])


# What they do --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("engine", "within"), [("reference", 1e-14), ("numpy", 3e-7), ("c", 3e-7), ("exact", 1e-14)])
def test_run(engine, within, symgru):
    status, out, err = symgru("run", SEED, "--input", INPUT, "--engine", engine)
    assert status == 0
    assert float(out) == pytest.approx(ANSWER, abs=within)
    assert "Traceback" not in err
    assert "note: " in err, "that a batch axis was added"


def test_run_gives_30_digits(symgru):
    _, out, _ = symgru("run", SEED, "--input", INPUT, "--engine", "exact")
    assert len(out.strip().lstrip("-").removeprefix("0.")) == 30
    assert out.startswith("-0.462795386817338"), "the digits that round to the seed's -0.46279538681734"


def test_run_gives_the_digits_that_are_asked_for(symgru):
    _, out, err = symgru("run", SEED, "--input", INPUT, "--engine", "exact", "--digits", "50")
    assert out == "-0.46279538681733878393257980875753238416519096767699\n"  # mpmath, in test_certified.py
    assert "proven: 50 digits, by ball arithmetic with 231 bits" in err.splitlines()
    _, few, _ = symgru("run", SEED, "--input", INPUT, "--engine", "exact", "--digits", "3")
    assert few == "-0.463\n"
    _, many, err = symgru("run", SEED, "--input", "1", "--engine", "exact", "--digits", "4000")
    assert len(many.strip().lstrip("-0.")) == 4000
    assert "proven: 4000 digits" in err


def test_run_without_python_flint(symgru, monkeypatch):
    monkeypatch.setitem(sys.modules, "flint", None)
    _, out, err = symgru("run", SEED, "--input", INPUT, "--engine", "exact")
    assert out == "-0.462795386817338783932579808758\n"
    assert "not proven: python-flint is not installed (pip install 'symgru[exact]')" in err.splitlines()
    _, _, err = symgru("run", SEED, "--input", INPUT)
    assert "proven" not in err, "only the engine exact says so"


def test_run_to_a_file(symgru, tmp_path):
    status, out, err = symgru("run", SEED, "--input", INPUT, "-o", "deep/y.npy")
    assert (status, out) == (0, "")
    assert "deep/y.npy" in err
    assert np.load(tmp_path / "deep" / "y.npy")[0, 0] == pytest.approx(ANSWER, abs=1e-14)


def test_inputs_in_every_form(symgru, tmp_path):
    np.save(tmp_path / "x.npy", np.array([1.0, 2, 9, 8]))
    (tmp_path / "x.csv").write_text("value\n1\n2\n9\n8\n")
    (tmp_path / "x.json").write_text("[[1], [2], [9], [8]]")
    answers = {
        symgru("run", SEED, "--input", given)[1]
        for given in (INPUT, "[1, 2, 9, 8]", "[[1],[2],[9],[8]]", "x.npy", "x.csv", "x.json", SEED)
    }
    assert len(answers) == 1
    _, two, _ = symgru("run", SEED, "--input", "[[1,2,9,8],[8,9,2,1]]")
    assert len(two.splitlines()) == 2


def test_standard_input(symgru, monkeypatch):
    import io

    monkeypatch.setattr(sys, "stdin", io.StringIO(SEED.read_text()))
    status, out, _ = symgru("run", "-", "--input", INPUT)
    assert status == 0
    assert float(out) == pytest.approx(ANSWER, abs=1e-14)


def test_show(symgru):
    status, out, _ = symgru("show", SEED)
    assert status == 0
    assert "3 x (1*1 + 1*1 + 2*1) = 12 numbers" in out
    assert "-0.90954137" in out
    assert "z = sigma(W_z x + b_z + U_z h + c_z)" in out
    assert load(SEED).network.fingerprint[:16] in out


def test_emit_writes_what_runs(symgru, tmp_path):
    assert symgru("emit", "numpy", SEED, "-o", "py", "--input", INPUT)[0] == 0
    assert symgru("emit", "c", SEED, "-o", "c", "--name", "Net")[0] == 0
    assert sorted(p.name for p in (tmp_path / "py").iterdir()) == ["seed.py", "test_seed.py"]
    assert sorted(p.name for p in (tmp_path / "c").iterdir()) == ["Net.c", "Net.h", "Net_test.c"]
    command = [sys.executable, "test_seed.py"]
    done = subprocess.run(command, cwd=tmp_path / "py", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("ending", ["tex", "md", "txt"])
def test_explain_and_derive_write_documents(ending, symgru, tmp_path):
    assert symgru("explain", SEED, "--input", INPUT, "--no-keras", "-o", f"e.{ending}")[0] == 0
    assert symgru("derive", "-o", f"d.{ending}")[0] == 0
    assert "0.4628" in (tmp_path / f"e.{ending}").read_text(encoding="utf-8")
    assert (tmp_path / f"d.{ending}").stat().st_size > 500


def test_explain_to_the_terminal(symgru):
    status, out, err = symgru("explain", SEED, "--input", INPUT, "--no-keras")
    assert status == 0
    assert "-0.4628" in out
    assert "Traceback" not in err


def test_derive_a_model(symgru, tmp_path):
    """The seed's own formula, by the rules that are asked for."""
    status, out, err = symgru("derive", "--model", SEED, "--steps", "2", "--rules", "usual,blend")
    assert (status, err) == (0, "")
    assert "4 Simplified: zero initial state, merged biases, zero biases, unused lines, blend" in out
    assert "h_2 = n_2 + z_2·(h_1 - n_2)" in out
    assert "z_1 = σ(-0.90954137·x_1)" in out
    assert out.count("in one formula") == 2
    none = symgru("derive", "--model", SEED, "--rules", "none")[1]
    assert "Simplified" not in none and "With the numbers" not in none
    assert "t = 4" in none and "t = 5" not in none, "four steps unless asked"
    for ending in ("md", "tex"):
        assert symgru("derive", "--model", SEED, "--rules", "all", "-o", f"d.{ending}")[0] == 0
        assert "half angle" in (tmp_path / f"d.{ending}").read_text(encoding="utf-8")


def test_show_leaves_out_the_middle(symgru):
    for command in (
        ["derive", "--steps", "9"],
        ["derive", "--model", SEED, "--steps", "9"],
        ["explain", SEED, "--input", "1,2,3,4,5,6,7,8,9", "--no-keras"],
    ):
        whole, short = symgru(*command)[1], symgru(*command, "--show", "2")[1]
        assert re.search(r"\bz_5 +=", whole) and re.search(r"\bz_2 +=", short) and re.search(r"\bz_8 +=", short)
        assert not re.search(r"\bz_[34567] +=", short)
        assert "3 to 7" in short.replace("t = ", "")


def test_emit_straight_line_code(symgru, tmp_path):
    status, out, err = symgru("emit", "c", SEED, "--unrolled", "--steps", "4", "--rules", "all", "-o", "c")
    assert (status, out + err) == (0, "wrote c/seed.h\nwrote c/seed.c\nwrote c/seed_test.c\n")
    assert sorted(p.name for p in (tmp_path / "c").iterdir()) == ["seed.c", "seed.h", "seed_test.c"]
    header = (tmp_path / "c" / "seed.h").read_text()
    assert "options: --unrolled --steps 4 --rules all." in header
    assert "#define SEED_STEPS 4" in header
    assert symgru("emit", "numpy", SEED, "--unrolled", "--steps", "4", "--input", INPUT, "-o", "n")[0] == 0
    done = subprocess.run(
        [sys.executable, "test_seed.py"], cwd=tmp_path / "n", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.match(r"seed: largest difference \S+ of at most \S+\n", done.stdout)
    assert "[1], [2], [9], [8]" in re.sub(r"\s+", " ", (tmp_path / "n" / "test_seed.py").read_text())


def test_many_assignments_want_force(symgru, tmp_path):
    command = ["emit", "c", SEED, "--unrolled", "--steps", "400", "-o", "out"]
    assert "add --force" in one_line(symgru(*command))
    assert not (tmp_path / "out").exists()
    assert symgru(*command, "--force")[0] == 0
    assert "h_400 = " in (tmp_path / "out" / "seed.c").read_text()


def test_verify_passes_on_the_seed(symgru):
    status, out, _ = symgru("verify", SEED, "--input", INPUT)
    assert status == 0
    for engine in ("reference", "emitted NumPy", "emitted C, window", "emitted C, step by step"):
        assert engine in out
    assert "TOO FAR" not in out


def test_verify_fails_where_emitted_numpy_is_wrong(symgru, monkeypatch):
    """The module with z and 1 - z exchanged."""
    from symgru.backends import numpy as backend

    right = backend.module

    def wrong(*args):
        return right(*args).replace("h = z * h + (1 - z) * n", "h = (1 - z) * h + z * n")

    monkeypatch.setattr(backend, "module", wrong)
    status, out, _ = symgru("verify", SEED, "--input", INPUT)
    assert status == 1
    assert [line.split("  ")[0] for line in out.splitlines() if line.endswith("TOO FAR")] == ["emitted NumPy"]


def test_verify_fails_where_emitted_c_is_wrong(symgru, monkeypatch):
    """One weight of the C, a thousandth off."""
    from symgru.backends import c

    right = c.code

    def wrong(*args, **options):
        emitted = right(*args, **options)
        return {name: content.replace(b"-0.90954137f", b"-0.90854137f") for name, content in emitted.items()}

    monkeypatch.setattr(c, "code", wrong)
    status, out, _ = symgru("verify", SEED, "--input", INPUT)
    assert status == 1
    assert out.count("TOO FAR") == 2, "window and step by step"


def test_verify_on_a_recording_with_a_scale(symgru):
    example = ROOT / "examples"
    status, out, _ = symgru(
        "verify",
        example / "sunspots.keras",
        "--scale",
        example / "sunspots_scale.json",
        "--input",
        example / "sunspots_window.csv",
        "--stream",
        example / "sunspots_recording.csv",
    )
    assert status == 0, out
    assert "with --scale" in out
    assert re.search(r"largest difference \S+ \(at time step \d+\)", out)


# Mistakes ------------------------------------------------------------------------------------------------------------

GRU = {"kind": "gru", "name": "first", "options": {}, "weights": [[[1, 1, 1]], [[1, 1, 1]], [[0, 0, 0], [0, 0, 0]]]}


NARROW = {**GRU, "weights": [[[1, 1]], [[1, 1, 1]], [[0, 0, 0]] * 2]}
WIDE = {"kind": "dense", "name": "second", "weights": [[[1], [1]], [0]]}
SUNSPOTS = (ROOT / "examples" / "sunspots.keras").read_bytes()
DAMAGED = {  # a name, a content, and what the message says beside the name
    "missing": ("nowhere.keras", None, ""),
    "no zip": ("text.keras", b"not a zip", ""),
    "half a zip": ("half.keras", SUNSPOTS[: len(SUNSPOTS) // 2], ""),
    "a zip with other bytes": ("flip.keras", SUNSPOTS[:3000] + b"\xff\x00\xff" + SUNSPOTS[3003:], ""),
    "empty": ("empty.keras", b"", ""),
    "half a JSON": ("half.json", b'{"layers": [', "line"),
    "not UTF-8": ("latin.json", b'{"name": "\xff"}', "UTF-8"),
    "JSON that is a number": ("number.json", 4, ""),
    "no weights": ("none.txt", b"hello", ""),
    "cut short by ...": ("dots.txt", b"[array([[0.1, ..., 0.2]])]", ""),
    "unknown ending": ("model.xyz", b"x", "ending"),
    "wrong shape": ("shape.json", {"layers": [NARROW]}, "first"),
    "a NaN weight": ("nan.json", b'{"layers": [{"kind": "gru", "weights": [[[NaN, 1, 1]]]}]}', "NaN"),
    "another layer": ("lstm.json", {"layers": [{**GRU, "kind": "lstm"}]}, "lstm"),
    "another activation": ("act.json", {"layers": [{**GRU, "options": {"activation": "snake"}}]}, "snake"),
    "no GRU": ("dense.json", {"layers": [{"kind": "dense", "weights": [[[1]], [0]]}]}, "recurrent"),
    "widths": ("widths.json", {"layers": [GRU, WIDE]}, "second"),
}


def save(folder, name, content):
    path = folder / name
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


@pytest.mark.parametrize("case", DAMAGED)
def test_a_model_that_cannot_be_used(case, symgru, tmp_path):
    name, content, word = DAMAGED[case]
    path = save(tmp_path, name, content)
    commands = ["show", path], ["run", path, "--input", INPUT], ["emit", "c", path, "-o", "out"], ["verify", path]
    for command in commands:
        assert word in one_line(symgru(*command))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("case", DAMAGED)
def test_the_message_names_the_file(case, symgru, tmp_path):
    name, content, _ = DAMAGED[case]
    assert name in one_line(symgru("show", save(tmp_path, name, content)))


def test_the_message_names_the_layer(symgru, tmp_path):
    name, content, _ = DAMAGED["another activation"]
    assert "first" in one_line(symgru("show", save(tmp_path, name, content)))


def test_a_folder_is_no_model(symgru, tmp_path):
    assert tmp_path.name in one_line(symgru("show", tmp_path))


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ("nan", ""),
        ("1,nan,2", "nan"),
        ("inf", ""),
        ("1,inf", ""),
        ("1e999", ""),
        ("[]", ""),
        ("[[]]", ""),
        ("[[1,2],[3]]", ""),
        ("[[1,2],[3,4]", ""),
        ("one", "one"),
        ("missing.npy", "missing.npy"),
        ("missing.csv", "missing.csv"),
        ("1e39", "large"),
        ("[[[1,2]]]", "shape"),
        ("[[[[1]]]]", "shape"),
        ("__import__('os')", ""),
        ("1;2", ""),
    ],
)
def test_an_input_that_cannot_be_used(given, word, symgru):
    for command in (["run", SEED], ["explain", SEED], ["verify", SEED], ["emit", "numpy", SEED, "-o", "out"]):
        assert word in one_line(symgru(*command, "--input", given))


@pytest.mark.parametrize(
    "command",
    [["run", SEED], ["explain", SEED], ["verify", SEED], ["emit", "numpy", SEED, "-o", "out"]],
    ids=lambda c: c[0],
)
def test_an_empty_input(command, symgru):
    one_line(symgru(*command, "--input", ""))


def test_a_nan_in_a_file(symgru, tmp_path):
    np.save(tmp_path / "x.npy", np.array([1.0, np.nan]))
    (tmp_path / "x.csv").write_text("1\nnan\n")
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    for name in ("x.npy", "x.csv", "objects.npy"):
        assert name in one_line(symgru("run", SEED, "--input", name))


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["explain", SEED, "--input", INPUT, "--digits", "0"], ["digits", "0"]),
        (["explain", SEED, "--input", INPUT, "--digits", "7"], ["digits", "7"]),
        (["explain", SEED, "--input", INPUT, "--digits", "-1"], ["digits"]),
        (["explain", SEED, "--input", INPUT, "--digits", "four"], ["digits", "four"]),
        (["explain", SEED, "--input", str([[[1]]] * 21)], ["21 sequences", "1 to 20"]),
        (["explain", SEED, "--input", "[[1,2],[3,4]]", "-o", "e.xlsx"], [".xlsx", "one sequence"]),
        (["explain", SEED, "--input", INPUT, "--fragment"], ["--fragment", ".tex"]),
        (["explain", SEED, "--input", INPUT, "--style", "klingon"], ["klingon", "pytorch"]),
        (["explain", SEED, "--input", INPUT, "--style", "d2l", "--notation", "n.toml"], ["--notation"]),
        (["explain", SEED, "--input", INPUT, "--notation", "n.toml"], ["n.toml"]),
        (["explain", SEED, "--input", INPUT, "-o", "e.docx"], [".docx", ".tex"]),
        (["explain", SEED, "--input", INPUT, "--no-keras", "-o", "no/such/e.md"], ["e.md"]),
        (["explain", SEED], ["--input"]),
        (["run", SEED], ["--input"]),
        (["run"], ["MODEL"]),
        (["run", SEED, "--input", INPUT, "--engine", "abacus"], ["abacus", "reference"]),
        (["run", SEED, "--input", INPUT, "--architecture", "a.json"], ["a.json"]),
        (["emit", "fortran", SEED, "-o", "out"], ["fortran", "numpy"]),
        (["emit", "c", SEED], ["--output"]),
        (["emit", "c", SEED, "-o", "out", "--name", "9"], ["--name"]),
        (["emit", "numpy", SEED, "-o", "out", "--name", "class"], ["--name"]),
        (["emit", "numpy", SEED, "-o", "out", "--scale", "s.json"], ["--scale"]),
        (["emit", "c", SEED, "-o", "out", "--scale", "s.json"], ["s.json", "no such file"]),
        (["derive", "--cell", "lstm2000"], ["lstm2000", "gru_before"]),
        (["derive", "--units", "0"], ["units"]),
        (["derive", "--steps", "0"], ["steps"]),
        (["derive", "--activation", "snake"], ["snake"]),
        (["derive", "-o", "d.xyz"], [".xyz", ".tex"]),
        (["derive", "--rules", "blend,marge"], ["marge", "merged-biases", "usual"]),
        (["derive", "--show", "0"], ["show"]),
        (["derive", "--model", "nowhere.json"], ["nowhere.json"]),
        (["derive", "--model", SEED, "--units", "2"], ["--units", "--model"]),
        (["derive", "--model", SEED, "--cell", "mgu"], ["--cell", "--model"]),
        (["derive", "--model", SEED, "--steps", "0"], ["steps"]),
        (["derive", "--architecture", "a.json"], ["--architecture", "--model"]),
        (["explain", SEED, "--input", INPUT, "--show", "x"], ["show", "x"]),
        (["emit", "c", SEED, "--unrolled", "-o", "out"], ["time steps", "--steps"]),
        (["emit", "c", SEED, "--steps", "4", "-o", "out"], ["--steps", "--unrolled"]),
        (["emit", "numpy", SEED, "--rules", "all", "-o", "out"], ["--rules", "--unrolled"]),
        (["emit", "numpy", SEED, "--force", "-o", "out"], ["--force", "--unrolled"]),
        (["emit", "c", SEED, "--unrolled", "--steps", "0", "-o", "out"], ["steps"]),
        (
            ["emit", "c", SEED, "--unrolled", "--steps", "4", "--rules", "constant-inputs", "-o", "out"],
            ["constant-inp"],
        ),
        (["emit", "c", SEED, "--unrolled", "--steps", "4", "--rules", "merge", "-o", "out"], ["merge", "blend"]),
        (["emit", "numpy", SEED, "--unrolled", "--steps", "4", "--gradients", "-o", "out"], ["--gradients"]),
        (["emit", "c", SEED, "--unrolled", "--steps", "3", "--input", INPUT, "-o", "out"], ["4 time steps", "3"]),
        (["verify", SEED, "--stream", INPUT], ["--window"]),
        (["verify", SEED, "--stream", INPUT, "--window", "5"], ["4 time steps"]),
        (["verify", SEED, "--stream", INPUT, "--window", "0"], ["window"]),
        (["frobnicate"], ["frobnicate"]),
        (["--frobnicate"], ["--frobnicate"]),
    ],
    ids=lambda v: " ".join(map(str, v)).replace(str(SEED), "SEED") if isinstance(v, list) else None,
)
def test_mistakes(args, words, symgru, tmp_path):
    status, out, err = symgru(*args)
    assert status == 2
    line = err.splitlines()[-1]
    assert line.startswith("symgru: ")
    assert "Traceback" not in err + out
    assert all(word in line for word in words), line
    assert list(tmp_path.iterdir()) == []
    if args[0] != "verify":
        one_line((status, out, err))


def test_a_bad_scale_is_one_line(symgru, tmp_path, recwarn):
    path = tmp_path / "s.json"
    for bad in ({"input": {"mean": [1e300], "deviation": [1]}}, {"input": {"mean": [1, 2], "deviation": [1, 2]}}, []):
        path.write_text(json.dumps(bad))
        assert "s.json" in one_line(symgru("emit", "c", SEED, "-o", "out", "--scale", path))
    assert not (tmp_path / "out").exists()
    assert not recwarn.list


@pytest.mark.parametrize("digits", [0, -3, 4001, "many", "2.5"])
def test_digits_out_of_range(digits, symgru):
    line = one_line(symgru("run", SEED, "--input", INPUT, "--engine", "exact", "--digits", digits))
    assert str(digits) in line
    assert "4000" in line or isinstance(digits, str)


def test_digits_belong_to_the_engine_exact(symgru):
    assert "digits" in one_line(symgru("run", SEED, "--input", INPUT, "--digits", "20"))


def test_digits_that_cannot_be_proven(symgru, tmp_path):
    """A softmax gives 1 in all, but for no precision exactly."""
    head = {"kind": "dense", "weights": [[[1], [1]], [-1]]}
    inner = {"kind": "dense", "options": {"activation": "softmax"}, "weights": [[[1, 2]], [0, 0]]}
    path = save(tmp_path, "zero.json", {"layers": [GRU, inner, head]})
    assert "16,384 bits" in one_line(symgru("run", path, "--input", "1,2", "--engine", "exact"))


def test_no_compiler_is_said_in_one_line(symgru, monkeypatch):
    monkeypatch.setenv("CC", "no-such-compiler")
    assert "no-such-compiler" in one_line(symgru("run", SEED, "--input", INPUT, "--engine", "c"))


def test_exact_arithmetic_of_numbers_beyond_all_bounds(symgru, tmp_path):
    """e^e^100: two steps with an exponential activation and an update gate that is shut."""
    layer = {**GRU, "options": {"activation": "exponential"}, "weights": [[[-1, 1, 1]], [[0, 0, 1]], [[0, 0, 0]] * 2]}
    path = save(tmp_path, "tower.json", {"layers": [layer]})
    assert symgru("run", path, "--input", "100,100")[1].strip() == "inf"
    status, out, _ = symgru("run", path, "--input", "100,100", "--engine", "exact")
    assert (status, out.strip()) in {(0, "inf"), (0, "Infinity"), (2, "")}


# Files appear whole or not at all ------------------------------------------------------------------------------------


def leftovers(folder, *known):
    return sorted(p.name for p in folder.iterdir() if p.name not in known)


def test_a_failed_document_leaves_the_old_one(symgru, tmp_path, monkeypatch):
    """The text comes in pieces; the second fails."""
    from symgru.backends import markdown
    from symgru.errors import UnusableInput

    def half(*_, **__):
        yield "half of it"
        raise UnusableInput("it broke")

    monkeypatch.setattr(markdown, "render_derivation", half)
    (tmp_path / "d.md").write_text("the old one")
    assert "it broke" in one_line(symgru("derive", "-o", "d.md"))
    assert (tmp_path / "d.md").read_text() == "the old one"
    assert leftovers(tmp_path, "d.md") == []


def test_a_failed_emission_leaves_the_old_files(symgru, tmp_path):
    out = tmp_path / "out"
    assert symgru("emit", "c", SEED, "-o", out)[0] == 0
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    one_line(symgru("emit", "c", SEED, "-o", out, "--input", "nan"))
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before


def test_a_folder_that_is_a_file(symgru, tmp_path):
    (tmp_path / "out").write_text("mine")
    assert "out" in one_line(symgru("emit", "c", SEED, "-o", "out"))
    assert (tmp_path / "out").read_text() == "mine"


def test_a_file_that_cannot_be_put_in_place_leaves_the_others(symgru, tmp_path):
    """The name of the last of three files is taken by a folder."""
    (tmp_path / "out" / "seed_test.c" / "inside").mkdir(parents=True)
    (tmp_path / "out" / "seed.h").write_text("mine")
    one_line(symgru("emit", "c", SEED, "-o", "out"))
    assert (tmp_path / "out" / "seed.h").read_text() == "mine"
    assert leftovers(tmp_path / "out", "seed_test.c", "seed.h") == []


def test_a_file_is_replaced_and_nothing_is_left_beside_it(symgru, tmp_path):
    (tmp_path / "y.npy").write_text("old")
    assert symgru("run", SEED, "--input", INPUT, "-o", "y.npy")[0] == 0
    assert np.load(tmp_path / "y.npy").shape == (1, 1)
    assert leftovers(tmp_path, "y.npy") == []


# What is imported ----------------------------------------------------------------------------------------------------

HEAVY = ("sympy", "rich", "tensorflow", "keras", "torch", "h5py", "jinja2")


def python(code, *args):
    return subprocess.run([sys.executable, *args, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)


def test_importing_symgru_imports_little():
    done = python(
        "import symgru, sys; dir(symgru); print([m for m in sys.modules if m.partition('.')[0] in "
        f"{(*HEAVY, 'numpy', 'click')}])"
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_help_imports_little():
    done = python(
        "import sys\nfrom symgru.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit as e:\n"
        f"    print(e.code, [m for m in {HEAVY} if m in sys.modules], file=sys.stderr)"
    )
    assert done.stderr.strip() == "0 []"


def test_running_a_model_imports_no_framework():
    done = python(
        f"import sys\nfrom symgru.cli import main\ntry:\n    main(['run', {str(SEED)!r}, '--input', '1'])\n"
        "except SystemExit as e:\n    print(e.code, [m for m in ('rich', 'tensorflow', 'keras', 'torch') "
        "if m in sys.modules], file=sys.stderr)"
    )
    assert done.stderr.splitlines()[-1] == "0 []"


def module(*args):
    command = [sys.executable, "-m", "symgru", *args]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_python_m_symgru():
    done = module("run", SEED, "--input", INPUT)
    assert done.returncode == 0
    assert float(done.stdout) == pytest.approx(ANSWER, abs=1e-14)
    done = module("show", "nowhere.json")
    assert done.returncode == 2
    assert re.fullmatch(r"symgru: nowhere\.json[^\n]*\n", done.stderr)


def test_a_reader_that_stops_early_is_no_error():
    """symgru derive | head -1"""
    from subprocess import PIPE

    command = [sys.executable, "-m", "symgru", "derive", "--units", "20", "--features", "20", "--steps", "200"]
    with subprocess.Popen(command, stdout=PIPE, stderr=PIPE, cwd=ROOT) as process:
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        process.wait(timeout=60)
    assert all(line.startswith(b"note: ") for line in said.splitlines())


def test_names_of_the_package():
    import symgru as package

    assert package.__version__ == __version__
    assert set(package.__all__) <= set(dir(package))
    assert callable(package.load)
    assert package.CELLS["gru"].name == "gru"
    with pytest.raises(AttributeError, match="nothing_here"):
        _ = package.nothing_here
