"""A network's graph in words and as lines: every line leads from a value to a call that reads it."""

import pytest

from symgru.network import Call, Edge, Input, Layer, Network
from symgru.wiring import drawing, phrase, reads
from tests.conftest import random_network


def graph(*rows: tuple[str, str, list[str]], inputs: tuple[str, ...] = ("x",)) -> Network:
    """Calls of (id, kind, sources); a source that is an input's name is that input."""
    layers, calls = {}, []
    for name, kind, sources in rows:
        layers[name] = Layer(name, name, kind, {}, {})
        edges = tuple(Edge(s, "input") if s in inputs else Edge(s) for s in sources)
        calls.append(Call(name, name, edges))
    return Network("float32", layers, tuple(calls), tuple(Input(i, (None, 2)) for i in inputs), (Edge(rows[-1][0]),))


DIAMOND = graph(("a", "gru", ["x"]), ("f", "flip", ["x"]), ("b", "gru", ["f"]), ("c", "concatenate", ["a", "b"]))
CROSSING = graph(
    ("a", "gru", ["x"]),
    ("b", "gru", ["a"]),
    ("c", "concatenate", ["x", "b"]),
    ("d", "add", ["a", "c"]),
)


def text(network: Network) -> list[str]:
    return [line for node in drawing(network) for line in (*node.rails, f"{node.mark} {node.id}")]


def test_a_chain_is_one_line():
    assert text(random_network([("gru", 2, {}), ("dense", 1, {})], 1)) == ["○ x", "● gru_1", "● dense_2"]


def test_a_value_that_is_read_twice_has_a_line_of_its_own():
    assert text(DIAMOND) == ["○ x", "├─╮", "│ ● a", "◇ │ f", "● │ b", "├─╯", "◇ c"]


def test_a_line_that_has_no_part_passes_in_front():
    lines = text(CROSSING)
    assert lines == ["○ x", "├─╮", "│ ● a", "│ ├─╮", "│ │ ● b", "├─│─╯", "◇ │ c", "├─╯", "● d"]


@pytest.mark.parametrize("network", [DIAMOND, CROSSING])
def test_the_lines_alone_tell_the_graph(network):
    """Followed back from each node, the lines end at just the values that the call reads."""
    place = {"x": 0}
    held: dict[int, str] = {}
    for node in drawing(network):
        lane = next(k for k, c in enumerate(node.mark[::2]) if c in "○●◇")
        if node.id != "x":
            call = next(c for c in network.calls if c.id == node.id)
            above = node.rails[0] if node.rails else ""
            joined = {k for k in held if above[2 * k : 2 * k + 1] in set("├┤╯╰┼┴") or (not above and k == lane)}
            joined |= {lane} & {k for k in held if above[2 * k : 2 * k + 1] == "┬"}
            assert {held[k] for k in joined} == {edge.source for edge in reads(call)}
        held = {k: v for k, v in held.items() if node.mark[2 * k : 2 * k + 1] == "│"}
        held[lane] = node.id
        place[node.id] = lane


def test_values_in_words():
    assert phrase(DIAMOND, Edge("x", "input")) == "the input"
    assert phrase(DIAMOND, Edge("f")) == "the input, time reversed"
    assert phrase(DIAMOND, Edge("c")) == "the output of a and the output of b, side by side"
    assert phrase(DIAMOND, Edge("b", "state")) == "the last state of b"
