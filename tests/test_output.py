"""The sign of life on a terminal: after a second, once, and gone at the end."""

import io
import time

import pytest

from symgru.cli.output import Waiting, waiting


class Terminal(io.StringIO):
    def isatty(self):
        return True


def put_terminal(monkeypatch):
    """Within the test itself: pytest sets sys.stderr anew between a fixture and its test."""
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    return stream


def wait_for(stream, text):
    for _ in range(200):
        if text in stream.getvalue():
            return True
        time.sleep(0.02)
    return False


def test_it_shows_what_takes_long(monkeypatch):
    terminal = put_terminal(monkeypatch)
    with Waiting("deriving", after=0):
        assert wait_for(terminal, "deriving")
    assert Waiting._outer is None


def test_nothing_is_shown_of_what_is_quick(monkeypatch):
    terminal = put_terminal(monkeypatch)
    with waiting("deriving"):
        pass
    assert terminal.getvalue() == ""


def test_nothing_is_shown_elsewhere(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    with Waiting("deriving", after=0):
        time.sleep(0.1)
    assert stream.getvalue() == ""


def test_one_within_another_only_says_something_else(monkeypatch):
    terminal = put_terminal(monkeypatch)
    with Waiting("explaining", after=0) as outer:
        assert wait_for(terminal, "explaining")
        with waiting("asking Keras") as inner:
            assert inner is outer
            assert wait_for(terminal, "asking Keras")
        assert outer.text == "explaining"
    assert Waiting._outer is None


def test_it_is_gone_after_an_error(monkeypatch):
    put_terminal(monkeypatch)

    def fail():
        with Waiting("deriving", after=0), waiting("more"):
            raise ValueError("bad")

    with pytest.raises(ValueError, match="bad"):
        fail()
    assert Waiting._outer is None


def test_what_is_written_is_counted(monkeypatch):
    put_terminal(monkeypatch)
    with Waiting("writing f.tex", after=0) as sign:
        pieces = list(sign.watch(["x" * 700_000] * 5, "f.tex"))
        assert sum(map(len, pieces)) == 3_500_000
        assert sign.text == "writing f.tex: 3 MB"
