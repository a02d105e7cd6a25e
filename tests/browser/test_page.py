"""The page in a real browser: its numbers against symgru's reference and against facts that another program found."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import symgru
from symgru.building import build
from symgru.cli import main
from symgru.document import Document
from symgru.explanation import explain
from symgru.face import Model
from symgru.layout import layout
from symgru.mistake_table import MISTAKES
from symgru.mistakes import single_mistakes
from symgru.network import Tensor
from symgru.styles import read_style, style
from symgru.templating import directory
from tests.browser.conftest import DESKTOP, PHONE
from tests.conftest import ROOT, need_package, random_input, random_network

SEED = json.loads((ROOT / "examples" / "seed.json").read_text())
PASTED = """[array([[-0.90954137,  1.0425225 , -0.04404902]], dtype=float32),
 array([[0.24168766, 0.8981342 , 0.36734456]], dtype=float32),
 array([[0., 0., 0.],
       [0., 0., 0.]], dtype=float32)]"""
# h_4 under single mistakes, found by a program that shares nothing with this one
FACTS = {
    "update rule: swapped": -0.02399954,
    "gate order: r | z | n": -0.02017149,
    "gate order: r | n | z": +0.92669756,
    "gate order: z | n | r": +0.99999993,
    "gate order: n | z | r": -0.28607426,
    "gate order: n | r | z": -0.96486597,
    "activations: hard sigmoid of Keras 2": -0.46289152,
    "activations: hard sigmoid of Keras 3": -0.46241891,
    "activations: sigmoid and tanh exchanged": +0.36139827,
    "activations: linear candidate": -0.50989814,
    "sequence: summed into one step": -0.70691012,
    "sequence: mean in one step": -0.21448000,
    "sequence: reversed": -0.15202096,
    "sequence: column by column": -0.41066028,
    "sequence: first step only": -0.03138253,
    "state: carried over": -0.47001897,
    "state: begins at 1": -0.44011918,
    "gates: reset gate is 1": -0.46293519,
}
TOGETHER = {  # two at once
    ("gate order: r | z | n", "update rule: swapped"): -0.33858551,
    ("sequence: summed into one step", "update rule: swapped"): -0.00000001,
}


NAMES = ("kernel", "recurrent_kernel", "bias")


def reference(x=(1, 2, 9, 8), **arrays):
    """symgru's own result in double precision for the seed with other numbers."""
    held = read_seed() | arrays
    return run([np.array(held[name], dtype=np.float64) for name in NAMES], np.reshape(x, (1, -1, 1)))[0]


def read_seed():
    (layer,) = SEED["layers"]
    return dict(zip(NAMES, layer["weights"], strict=True))


def run(arrays, x):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # what arrays alone do not say
        return np.ravel(symgru.load(arrays)(np.array(x, dtype=np.float64))).tolist()


def switch(browser, name):
    browser.run(
        """const box = [...document.querySelectorAll("#calculator .choice input")]
            .find((e) => e.dataset.mistake === arguments[0]); box.click()""",
        name,
    )


@pytest.mark.parametrize("page", ["seed_page", "empty_page"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_nothing_is_wrong_nothing_is_fetched_nothing_sticks_out(browser, request, page, size):
    browser.open(request.getfixturevalue(page), size)
    assert browser.complaints() == []
    requests = browser.requests()
    assert len(requests) == 1 and requests[0].startswith("file://")
    assert browser.run("return performance.getEntriesByType('resource').length") == 0
    assert browser.run("return document.documentElement.scrollWidth") <= size[0]


def test_without_a_script_the_document_is_whole(browser, seed_page):
    browser.open(seed_page, script=False)
    source = seed_page.read_text()
    assert source.partition("<script")[0].count('<p class="line ') == 32
    lines = browser.driver.find_elements("css selector", ".line")
    assert len(lines) == 32 and all(line.is_displayed() for line in lines)
    assert not any(browser.find(field).is_displayed() for field in ("#calculator", ".theme"))
    browser.open(seed_page)


def test_the_script_writes_the_lines_as_the_document_has_them(browser, seed_page):
    browser.open(seed_page)
    static = browser.run(LINES)
    browser.slide("x 1", 5)
    moved = browser.run(LINES)
    assert static != moved
    browser.find("#calculator .back").click()
    assert browser.run(LINES) == static


LINES = r"""const copy = document.createElement("div");
    return [...document.querySelectorAll(".lines")].map((box) => {
      copy.innerHTML = box.innerHTML;
      copy.querySelectorAll("[tabindex]").forEach((e) => e.removeAttribute("tabindex"));
      return copy.innerHTML.replace(/\n/g, "");
    })"""


HEADS = """return [...document.querySelectorAll("h3")].filter((h) => h.textContent === "Summary")
    .flatMap((h) => [...h.nextElementSibling.querySelectorAll("th")].map((th) => th.innerHTML))"""


def test_a_slider_gives_the_reference_s_value(browser, seed_page):
    browser.open(seed_page)
    for value in (-10, 0.5, 7.3):
        moved = float(browser.slide("x 2", value))
        assert browser.exact()[0] == pytest.approx(reference(x=[1, moved, 9, 8]), abs=1e-12)
    browser.find("#calculator .back").click()
    for value in (-1.5, 0.25):
        moved = float(browser.slide("W_r", value))
        z, _, n = read_seed()["kernel"][0]
        assert browser.exact()[0] == pytest.approx(reference(kernel=[[z, moved, n]]), abs=1e-12)


def test_the_lines_follow_a_number(browser, seed_page):
    browser.open(seed_page)
    browser.type("x 1", "-2")
    first = browser.texts(".line")[0]
    assert first == "a_z_1 = W_z·x_1 + U_z·h_0 = (-0.90954137)·(-2) + 0.24168766·0 = 1.81908274"
    assert browser.texts(".starts")[0].startswith("x_1 = -2")
    assert browser.find("body").get_attribute("class") == "moved"


def test_pictures_of_one_unit_follow_others_are_marked(browser, seed_page):
    browser.open(seed_page)
    browser.type("x 1", "-2")
    browser.type("W_z", "0.5")
    value = browser.run("return document.querySelector('.value [data-ref=\"z[0]@1\"]').textContent")
    drawn = "return document.querySelector(`figure [data-key='${arguments[0]}']`).textContent.trim()"
    assert browser.run(drawn, "z 1").endswith(value) and value == "0.26894142"  # 1/(1 + e)
    assert browser.run(drawn, "x to z: W_z").endswith("= 0.5")
    still = "return [...document.querySelectorAll('figure')].map((f) => f.classList.contains('still'))"
    assert browser.run(still) == [False, False, True]
    switch(browser, "update rule: swapped")
    assert browser.run(still) == [True, True, True]


def test_equations_do_not_follow_a_mistake_in_them_and_say_so(browser, seed_page):
    browser.open(seed_page)
    marked = "return document.querySelectorAll('.equations.still').length"
    switch(browser, "sequence: reversed")
    assert browser.run(marked) == 0
    switch(browser, "update rule: swapped")
    assert browser.run(marked) == 1 and "h_{t-1}" in browser.run(
        "return document.querySelector('.equations.still [aria-label*=\"h_\"]').getAttribute('aria-label')"
    )
    switch(browser, "update rule: swapped")
    assert browser.run(marked) == 0


def test_equal_numbers_stand_at_equal_places_of_their_sliders(browser, seed_page):
    browser.open(seed_page)
    ranges = browser.run(
        """return [...document.querySelectorAll("#calculator input[type=range]")].map(
            (e) => [e.dataset.name[0], Number(e.min), Number(e.max)])"""
    )
    assert {tuple(r) for r in ranges} == {
        ("x", -20, 20), ("h", -1, 1), *((letter, -5, 5) for letter in "WUbc")
    }  # fmt: skip
    assert browser.texts("#calculator .inputs .ends span") == ["−20", "0", "20"]


def test_the_plot_comes_back_after_a_sequence_of_one_step(browser, empty_page):
    browser.open(empty_page)
    paste(browser, PASTED, "1,2,9,8")
    for paths in (0, 4):
        switch(browser, "sequence: summed into one step")
        assert browser.run("return document.querySelectorAll('svg.plot path').length") == paths


def test_a_number_that_cannot_be_used_is_said_beside_its_field(browser, seed_page):
    browser.open(seed_page)
    before = browser.exact()
    browser.type("x 1", "two")
    assert browser.exact() == before
    assert [text for text in browser.texts("#calculator .error") if text] == ["'two' is not a finite decimal number"]


def test_the_switches_give_what_facts_say(browser, seed_page):
    browser.open(seed_page)
    for name, value in FACTS.items():
        switch(browser, name)
        assert browser.exact()[0] == pytest.approx(value, abs=5.1e-9), name
        switch(browser, name)
    for names, value in TOGETHER.items():
        for name in names:
            switch(browser, name)
        assert browser.exact()[0] == pytest.approx(value, abs=5.1e-9), names
        for name in names:
            switch(browser, name)
    assert browser.exact()[0] == pytest.approx(-0.46279537999927, abs=1e-13)


def test_every_switch_shows_where_it_leads(browser, seed_page):
    browser.open(seed_page)
    browser.run(WAIT)
    shown = browser.run(OFFERED)
    assert {name: float(shown[name]) for name in FACTS} == pytest.approx(FACTS, abs=1.1e-8)


def paste(browser, weights, x, digits="6", cell=""):
    browser.run(
        """for (const [id, text] of arguments[0]) {
            const field = document.getElementById(id); field.value = text;
            field.dispatchEvent(new Event("change")) }
            document.querySelector("#paste button").click()""",
        [["pasted", weights], ["pasted-input", x], ["pasted-digits", digits], ["pasted-cell", cell]],
    )


def test_the_seed_pasted_gives_the_text_document_s_lines(browser, empty_page):
    browser.open(empty_page)
    paste(browser, PASTED, "1,2,9,8")
    text = (ROOT / "generated" / "seed" / "seed.txt").read_text()
    lines = re.findall(r"^ +(\w+_\d) += (.*(?:\n +(?:=|[-+]) .*)?)$", text, re.MULTILINE)
    wanted = [
        f"{name} = {' '.join(rest.split())}" for name, rest in lines if re.fullmatch(r"(a_)?[zrn]_\d|u_n_\d|h_\d", name)
    ]
    wanted = [line for line in wanted if line.count("=") == 3]
    assert len(wanted) == 32
    assert [" ".join(line.split()) for line in browser.texts(".line")] == wanted
    assert browser.complaints() == []


OFFERED = """return Object.fromEntries([...document.querySelectorAll("#calculator .choice:not([hidden])")].map(
    (row) => [row.querySelector("input").dataset.mistake, row.querySelector(".number").textContent]))"""
WAIT = "return new Promise((done) => setTimeout(done, 400))"


def test_the_empty_page_finds_the_mistake_that_symgru_began_with(browser, empty_page):
    browser.open(empty_page)
    paste(browser, PASTED, "1,2,9,8")
    browser.run(WAIT)
    shown = browser.run(OFFERED)
    assert {name: float(shown[name]) for name in FACTS} == pytest.approx(FACTS, abs=1.1e-8)
    switch(browser, "sequence: summed into one step")
    assert browser.exact()[0] == pytest.approx(FACTS["sequence: summed into one step"], abs=5.1e-9)
    assert next(text.split()[2] for text in browser.texts(".starts") if text) == "20"


@pytest.mark.parametrize("kind", ["gru", "gru_before"])
@pytest.mark.parametrize("steps", [1, 3, 4])
def test_the_empty_page_s_mistakes_lead_where_symgru_says(browser, empty_page, kind, steps):
    """Typed numbers of which sums and means are no doubles, and a step of zeros."""
    network = random_network([(kind, 2, {})], 2, dtype="float64", seed=7)
    x = np.array([["0.1", "0.7"], ["0", "0"], ["-0.3", "1.2"], ["0.2", "-1e-1"]][:steps], dtype=object)
    (layer,) = network.layers.values()
    weights = {name: Tensor.of(np.round(t.value, 4)) for name, t in layer.weights.items()}
    network = replace(network, layers={layer.id: replace(layer, weights=weights)})
    arrays = [np.concatenate([weights[s.name].value.T for s in row], axis=1) for row in kernels(kind)]
    rows = [np.concatenate([weights[s.name].value for s in row]) for row in layout(build(kind, {})).biases]
    browser.open(empty_page)
    paste(browser, repr([*arrays, np.squeeze(rows)]), json.dumps(x.astype(float).tolist()), cell=kind)
    browser.run(WAIT)
    shown = browser.run(OFFERED)
    outcomes = single_mistakes(network, Tensor(x.astype(np.float64)[None], x[None]))
    wanted = {f"{o.hypothesis.kind}: {o.hypothesis.name}": o for o in outcomes if o.distinct}
    assert set(shown) <= set(wanted)
    missing = {name.partition(":")[0] for name in set(wanted) - set(shown)}
    assert missing <= {"arrays"}  # which depend on the numbers of units and features
    for name, text in shown.items():
        assert [float(v) for v in text.split(", ")] == pytest.approx(wanted[name].values, abs=5.1e-5), name


def kernels(kind):
    own = layout(build(kind, {}))
    return own.kernel, own.recurrent


def test_every_change_of_the_sequence_has_a_script():
    script = (directory() / "html" / "sequences.js").read_text()
    known = set(re.findall(r'^  "([a-z ]+)":', script, re.MULTILINE))
    assert known == {entry.name for entry in MISTAKES if entry.inputs}


def test_two_units_pasted(browser, empty_page):
    rng = np.random.default_rng(3)
    arrays = [np.round(rng.uniform(-1, 1, shape), 3) for shape in ((2, 6), (2, 6), (2, 6))]
    x = np.array([[0.5, -1], [2, 0.25], [-0.75, 1]])
    browser.open(empty_page)
    paste(browser, repr(arrays), json.dumps(x.tolist()), digits="4")
    assert browser.exact() == pytest.approx(run(arrays, x[None]), abs=1e-12)


@pytest.mark.parametrize(
    ("weights", "x", "says"),
    [
        ("hello", "1", "'hello' is not part of a printed array"),
        (PASTED, "one", "input: 'one' is not part of a printed array"),
        ("", "1", "there is no array in the text"),
        (PASTED.replace("0., 0., 0.]]", "...]]"), "1,2", "abbreviated"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(browser, empty_page, weights, x, says):
    browser.open(empty_page)
    paste(browser, weights, x)
    errors = [text for text in browser.texts("#paste .error") if text]
    assert len(errors) == 1 and "\n" not in errors[0]
    assert says in errors[0]


def test_a_number_lights_up_where_it_comes_from_and_goes(browser, seed_page):
    browser.open(seed_page)
    browser.run(
        """document.querySelector('.value [data-ref="z[0]@2"]')
            .dispatchEvent(new MouseEvent("mouseover", { bubbles: true }))"""
    )
    lit = browser.run(
        "return [...document.querySelectorAll('.lit')].map((e) => [e.textContent, e.classList.contains('from')])"
    )
    assert ["0.13863575", True] in lit and ["0.13863575", False] in lit
    assert browser.texts(".origin") == ["z_2 = 0.13863575, worked out in step 2, is used in h_2."]


def test_the_keyboard_alone_reaches_every_number(browser, seed_page):
    from selenium.webdriver.common.keys import Keys

    browser.open(seed_page)
    browser.run("document.querySelector(\".line [tabindex='0']\").focus()")
    for key in (Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_LEFT):
        browser.driver.switch_to.active_element.send_keys(key)
    assert browser.run("return document.activeElement.dataset.ref") == "h[0]@0"
    assert browser.texts(".origin")[0].startswith("h_0 = 0, given, is used in")


def test_a_link_holds_the_numbers(browser, seed_page):
    browser.open(seed_page)
    browser.type("x 3", "4.5")
    switch(browser, "update rule: swapped")
    wanted = browser.exact()
    browser.find("#calculator .link").click()
    address = browser.driver.current_url
    browser.open(seed_page)
    assert browser.exact() != wanted
    browser.driver.get(address)
    browser.driver.refresh()
    assert browser.exact() == wanted
    browser.driver.get("about:blank")


def test_a_name_from_a_file_stays_a_name(browser, tmp_path):
    evil = "</script><script>document.title='x'</script><img src=x onerror=alert(1)>"
    network = replace(random_network([("gru", 1, {})], 1, name=evil), origin=evil)
    path = Document(explain(network, random_input(network, 2))).save(tmp_path / "evil.html")
    browser.open(path)
    assert browser.complaints() == [] and len(browser.requests()) == 1
    assert "<img" in browser.driver.title


def axe():
    own = os.environ.get("SYMGRU_AXE")
    if own:
        return Path(own).read_text()
    return (Path(need_package("axe_core_python", "test").__file__).parent / "axe.min.js").read_text()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("page", ["seed_page", "empty_page"])
def test_axe_finds_nothing_serious(browser, request, page, dark):
    source = axe()
    browser.open(request.getfixturevalue(page), dark=dark)
    if page == "empty_page":
        paste(browser, PASTED, "1,2,9,8")
    browser.run("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    browser.driver.execute_script(source)
    found = browser.driver.execute_async_script("axe.run().then(arguments[0])")
    serious = [
        (v["id"], [n["html"][:120] for n in v["nodes"][:3]])
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
    ]
    assert serious == []
    assert len(found["passes"]) > 15


@pytest.mark.parametrize("name", ["mgu", "gru_before", "ligru", "fully_gated", "simple", "mgu_after", "type3"])
def test_every_cell_can_be_pasted(browser, empty_page, name):
    """Against the cell itself, run by the reference in double precision."""
    network = random_network([(name, 2, {})], 2, dtype="float64", seed=5)
    x = random_input(network, 3)
    (layer,) = network.layers.values()
    own = layout(build(name, {}))
    arrays = [
        np.concatenate([np.atleast_2d(layer.weights[s.name].value.T) for s in rows[0]], axis=1)
        if array not in ("bias", "recurrent_bias")
        else np.stack([np.concatenate([layer.weights[s.name].value for s in row]) for row in rows]).squeeze()
        for array, rows in own.arrays.items()
    ]
    with np.printoptions(precision=17):
        pasted = repr(arrays)
    browser.open(empty_page)
    paste(browser, pasted, json.dumps(x.value[0].tolist()), cell=name)
    assert [text for text in browser.texts("#paste .error") if text] == []
    wanted = np.ravel(Model(network)(x.value)).tolist()
    assert browser.exact() == pytest.approx(wanted, abs=1e-12)
    assert browser.complaints() == []


SPECS = {
    "two units": ([("gru", 2, {})], 2, 3),
    "stack": ([("gru", 2, {"return_sequences": True}), ("gru", 1, {}), ("dense", 1, {"activation": "sigmoid"})], 1, 3),
    "relu": ([("gru", 1, {"activation": "relu"})], 1, 3),
}


@pytest.mark.parametrize("name", SPECS)
def test_other_networks_move_too(browser, tmp_path, name):
    specs, features, steps = SPECS[name]
    network = random_network(specs, features, dtype="float64")
    x = random_input(network, steps)
    path = Document(explain(network, x)).save(tmp_path / "page.html")
    browser.open(path, PHONE)
    assert browser.run("return document.documentElement.scrollWidth") <= PHONE[0]
    static, heads, starts = browser.run(LINES), browser.run(HEADS), browser.texts(".starts")
    field = "x 2" if features == 1 else "x 2 1"
    moved = float(browser.slide(field, 0.75))
    assert browser.run(HEADS) == heads != []
    if name == "stack":  # the second layer starts from what the first one has just printed
        printed = browser.texts('.lines[data-layer="1"][data-step="2"] .line .value')[-2:]
        (begun,) = browser.texts('.step:has(.lines[data-layer="2"][data-step="2"]) .starts')
        assert ", ".join(printed) in begun
    value = x.text.astype(np.float64)  # the page has what is typed
    value[0, 1, 0] = moved
    wanted = np.ravel(Model(network)(value)).tolist()
    assert browser.exact() == pytest.approx(wanted, abs=1e-12)
    assert browser.run(LINES) != static
    browser.find("#calculator .back").click()
    assert browser.run(LINES) == static
    assert browser.texts(".starts") == starts
    assert browser.complaints() == []


def test_a_large_network_has_no_fields_and_no_engine(browser, tmp_path):
    network = random_network([("gru", 24, {})], 3)
    path = Document(explain(network, random_input(network, 30))).save(tmp_path / "large.html")
    assert "function work(" not in path.read_text()
    browser.open(path, PHONE)
    assert browser.complaints() == [] and not browser.run("return document.querySelector('#calculator')")
    assert browser.run("return document.documentElement.scrollWidth") <= PHONE[0]


def test_the_colours_can_be_switched(browser, seed_page):
    browser.open(seed_page)
    paper = "return getComputedStyle(document.body).backgroundColor"
    light = browser.run(paper)
    browser.find(".theme").click()
    browser.find(".theme").click()
    assert browser.run(paper) != light
    browser.run("localStorage.clear()")


def test_symgru_page_writes_the_empty_page(tmp_path):
    with pytest.raises(SystemExit) as done:
        main(["page", "-o", str(tmp_path / "a.html")])
    assert done.value.code == 0
    text = (tmp_path / "a.html").read_text()
    assert text.startswith("<!DOCTYPE html>") and 'id="paste"' in text
    with pytest.raises(SystemExit) as stopped:
        main(["page", "-o", str(tmp_path / "a.txt")])
    assert stopped.value.code == 2


def test_only_the_page_s_own_script_can_run(seed_page):
    text = seed_page.read_text()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    script = text.rpartition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy and f"script-src 'sha256-{digest}'" in policy[1] and "default-src 'none'" in policy[1]
    assert not re.search(r'(?:src|href)="(?!#)(?!https://pypi\.org/)', text)


def test_a_decimal_comma_reaches_every_number(browser, tmp_path, seed_network, seed_input):
    notation = tmp_path / "comma.toml"
    notation.write_text('title = "Comma"\ndecimal = ","\ntime = "h^{<t>}"\nsymbols.h = "c"\n', encoding="utf-8")
    worked = explain(seed_network, seed_input, style=read_style(notation))
    path = Document(worked).save(tmp_path / "comma.html")
    browser.open(path)
    static = browser.run(LINES)
    browser.type("x 1", "1.5")
    assert "1,5" in browser.texts(".starts")[0] and "1.5" not in browser.texts(".starts")[0]
    browser.run(WAIT)
    places = ".line, .chapter table.weights td, #calculator output, #calculator .choice .number"
    assert all("." not in text for text in browser.texts(places))
    assert browser.texts("#calculator .start label") == ["c^<0>"]
    assert browser.texts("#calculator .inputs label")[1] == "x^<2>"
    browser.type("x 1", "2,5")
    assert browser.texts(".starts")[0].startswith("x^<1> = 2,5")
    assert browser.run("return document.querySelector('#calculator .weights input').value") == "-0,90954137"
    browser.find("#calculator .back").click()
    assert browser.run(LINES) == static


@pytest.mark.parametrize("name", ["wikipedia", "cho", "d2l", "pytorch"])
def test_the_calculator_keeps_to_the_style(browser, tmp_path, seed_network, seed_input, name):
    """The other update rule with its negated weights too: x and h keep their numbers."""
    path = Document(explain(seed_network, seed_input, style=style(name))).save(tmp_path / f"{name}.html")
    browser.open(path)
    static, heads = browser.run(LINES), browser.run(HEADS)
    assert browser.exact()[0] == pytest.approx(-0.46279537999927, abs=1e-13)
    moved = float(browser.slide("x 2", 3))
    assert browser.run(HEADS) == heads != []
    assert browser.exact()[0] == pytest.approx(reference(x=[1, moved, 9, 8]), abs=1e-12)
    browser.find("#calculator .back").click()
    assert browser.run(LINES) == static
    browser.run(WAIT)
    shown = browser.run(OFFERED)
    assert "reset gate: before the product" not in shown and "reset gate: after the product" not in shown
    for mistake in ("update rule: swapped", "gate order: r | z | n", "gate order: n | r | z"):
        assert float(shown[mistake]) == pytest.approx(FACTS[mistake], abs=1.1e-8)
        switch(browser, mistake)
        assert browser.exact()[0] == pytest.approx(FACTS[mistake], abs=5.1e-9)
        switch(browser, mistake)
