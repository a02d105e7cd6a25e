"""The command line. A command's module is imported when the command is run, so that --help answers at once."""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

import click

from symgru.errors import SymgruError

COMMANDS = {
    "demo": "Answer the question symgru began with, from start to end.",
    "show": "Show a model: layers, shapes, weights under their names.",
    "explain": "Write a worked example: every number of every step.",
    "diagnose": "Find which mistake gives a number that the model does not.",
    "exercise": "Write an exercise to be worked by hand, and its key.",
    "page": "Write a web page that works pasted weights through.",
    "draw": "Draw the wiring with its weights, the steps, the layers.",
    "derive": "Write the recurrence in symbols, unrolled and simplified.",
    "emit": "Write standalone NumPy or C that equals the model.",
    "convert": "Write the same function in another framework's file.",
    "run": "Evaluate a model on an input.",
    "prove": "List and prove the identities and equivalences symgru rests on.",
    "verify": "Compare reference, NumPy, C and the framework.",
}


class Commands(click.Group):
    """The commands of COMMANDS, each in the module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"symgru.cli.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="symgru", message="symgru %(version)s")
def cli() -> None:
    """What exactly does this GRU compute?

    MODEL is a file of Keras (.keras, .h5, .weights.h5), PyTorch (.pt, .pth, .safetensors), ONNX (.onnx) or Flax and
    others (.npz, .msgpack), a .json file with arrays and options, or a .txt file (or - for standard input) with the
    text that printing get_weights() gives.
    """


def main(args: list[str] | None = None) -> Any:
    """Run a command. Exit status: 0 done, 1 the comparison failed, 2 unusable input, said in one line."""
    if args is None:  # a process of its own, whose many small expressions live as long as it does
        gc.set_threshold(100_000, 20, 20)
    _utf8()
    _clean_up_when_terminated()
    try:
        given = sys.argv[1:] if args is None else args
        status = cli.main(args=given or ["--help"], prog_name="symgru", standalone_mode=False)
    except click.ClickException as e:
        _fail(e.format_message())
    except (SymgruError, click.Abort) as e:
        _fail(str(e) or "stopped")
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as e:
        _fail(f"the output cannot be written ({e.strerror})")
    sys.exit(status if isinstance(status, int) else 0)


def _utf8() -> None:
    """UTF-8 where output goes to a file or a pipe; a terminal keeps its own encoding."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            encoding = stream.encoding if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def _clean_up_when_terminated() -> None:
    """SIGTERM ends a command as ctrl-C does, so that no half-written file stays."""
    with suppress(ValueError):  # only the main thread may say what a signal does
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def _fail(message: str) -> None:
    print("symgru: " + " ".join(message.split()), file=sys.stderr)
    sys.exit(2)
