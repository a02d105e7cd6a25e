// The live page: what changes when a number or a mistake does -----------------------------------------------------------

/** The model shown, the one to go back to, and the mistakes made, one of a kind. */
const live = { model: null, original: null, chosen: new Map() };
const $ = (selector) => document.querySelector(selector);
const copyOf = (value) => JSON.parse(JSON.stringify(value));

function startLive(model) {
  live.original = copyOf(model);
  live.model = copyOf(model);
  live.chosen.clear();
  takeLink();
  fillCalculator();
  show();
  $("#calculator .mistakes").open = matchMedia("(min-width: 64rem)").matches;
  $("#calculator").hidden = false;
}

const isMoved = () => live.chosen.size > 0 || JSON.stringify(live.model) !== JSON.stringify(live.original);

/** Everything that a change reaches. */
function show() {
  const error = $("#calculator > .error");
  let model, worked;
  try {
    model = mistaken(live.model, [...live.chosen.values()]);
    worked = workThrough(model);
    error.textContent = "";
  } catch (problem) {
    error.textContent = problem.message;
    return;
  }
  document.body.classList.toggle("moved", isMoved());
  $("#calculator .back").disabled = !isMoved();
  showResult(model, worked);
  if (isMoved() || live.shown) showDocument(model, worked);
  live.shown = true;
  clearTimeout(live.later);
  live.later = setTimeout(showMistakes, 30);
}

function showResult(model, worked) {
  const lines = results(model, worked);
  const [text, exact] = [(line) => line.value, (line) => line.exact];
  const all = (of) => lines.map((line) => `${line.left} = ${shown(of(line))}`).join(page.separator);
  $("#calculator output").innerHTML = all(text);
  $("#calculator .exact").innerHTML = `in double precision ${all(exact)}`;
  $("#calculator .exact").dataset.exact = JSON.stringify(lines.map(exact));
  const names = [...live.chosen.values()].map((mistake) => mistake.cell).filter(Boolean);
  $("#calculator .worked-now").innerHTML = names.map((name) => page.equations[name] ?? "").join("");
}

function showDocument(model, worked) {
  const moved = document.activeElement?.closest?.(".line") !== null;
  for (const box of document.querySelectorAll(".lines")) {
    const [k, t] = [Number(box.dataset.layer) - 1, Number(box.dataset.step)];
    const layer = model.layers[k];
    const lines = worked[k].steps[t - 1]?.lines ?? [];
    const own = lines.filter((line) => box.dataset.unit === undefined || line.index === Number(box.dataset.unit));
    box.innerHTML = own.map((line) => lineHtml(layer, line)).join("");
    const starts = stepOf(box).querySelector(".starts");
    const x = k === 0 ? model.x : null;
    if (starts && x && lines.length) starts.innerHTML = startHtml(layer, worked[k], x, model.start, t);
    stepOf(box).hidden = !lines.length;
  }
  model.layers.forEach((layer, k) => {
    const numbers = numbersOf(layer, worked[k], k === 0 ? model.x : null, k === 0 ? model.start : null);
    for (const place of document.querySelectorAll(".number[data-ref]")) {
      const number = Number(place.closest("[data-layer]")?.dataset.layer ?? 1) - 1 === k && numbers.get(place.dataset.ref);
      if (number) place.textContent = shown(number);
    }
    if (model.layers.length === 1) showPictures(layer, numbers);
    const plot = document.querySelector(`.chapter[data-layer="${k + 1}"] svg.plot`);
    if (plot) plot.outerHTML = plotHtml(layer, worked[k]);
    const table = summaryOf(k);
    if (table) table.outerHTML = summaryHtml(layer, worked[k], k === 0 ? model.x : inputsOf(worked[k]));
  });
  if (!moved || !document.querySelector(".line [tabindex='0']")) firstStop();
}

/** The pictures of one unit whose numbers all have a name; with other equations a picture of them is another one. */
function showPictures(layer, numbers) {
  const same = ![...live.chosen.values()].some((mistake) => mistake.cell);
  for (const figure of document.querySelectorAll("figure")) {
    const keyed = [...figure.querySelectorAll("[data-key]")];
    const groups = keyed.map((group) => [numberIn(group), numberOf(group, layer, numbers)]);
    const isWire = (k) => groups[k][0] === null && keyed[k].dataset.key.includes(" to ");
    const follows = same && groups.length > 0 && groups.every(([, number], k) => number !== undefined || isWire(k));
    figure.classList.toggle("still", !follows);
    if (!follows) continue;
    for (const [text, number] of groups) if (text) text.data = text.data.replace(NUMBER, shown(number).replace("-", "−"));
  }
}

const NUMBER = /[-−]?\d[\d.,]*$/;

/** The text that a group of shapes ends in, where it is a number. */
function numberIn(group) {
  const texts = document.createTreeWalker(group, NodeFilter.SHOW_TEXT);
  let last = null;
  while (texts.nextNode()) if (texts.currentNode.data.trim()) last = texts.currentNode;
  return last && NUMBER.test(last.data) ? last : null;
}

/** What "z 3" and "x to z: W_z" stand for, of a single unit with a single feature. */
function numberOf(group, layer, numbers) {
  const cell = CELLS[layer.cell];
  const [, weight] = /: (\w+)$/.exec(group.dataset.key) ?? [];
  if (weight) return numbers.has(`${weight}[1,0]`) || numbers.has(`${weight}[0,1]`) ? undefined : numbers.get(`${weight}[0,0]`);
  const [, symbol, t] = /^(\w+) (\d+)$/.exec(group.dataset.key) ?? [];
  const name = symbol === cell.lines.at(-1).symbol ? cell.state : symbol;
  return numbers.has(`${name}[1]@${t}`) ? undefined : numbers.get(`${name}[0]@${t}`);
}

const stepOf = (box) => box.closest(".step") ?? box;

/** The table under a layer's heading "Summary". */
function summaryOf(k) {
  const part = document.querySelector(`.lines[data-layer="${k + 1}"]`)?.closest(".chapter");
  const heading = [...(part?.querySelectorAll("h3") ?? [])].find((h) => h.textContent === "Summary");
  for (let next = heading?.nextElementSibling; next; next = next.nextElementSibling) {
    if (next.matches(".scroll")) return next;
    if (next.matches("h3")) return null;
  }
  return null;
}

const inputsOf = (worked) => worked.steps.map(() => []);

/** Every number by its reference. */
function numbersOf(layer, worked, x, start) {
  const found = new Map();
  const put = (name, numbers, ...at) => {
    if (Array.isArray(numbers)) numbers.forEach((inner, k) => put(name, inner, ...at, k));
    else found.set(`${name}[${at.join(",")}]`, numbers);
  };
  Object.entries(layer.weights).forEach(([name, numbers]) => put(name, numbers));
  const cell = CELLS[layer.cell];
  x?.forEach((row, t) => row.forEach((text, k) => found.set(`${cell.input}[${k}]@${t + 1}`, text)));
  each(worked.sizes.H, (k) => found.set(`${cell.state}[${k}]@0`, start?.[k] ?? "0"));
  worked.steps.forEach((step) => step.lines.forEach((line) => found.set(line.ref, line.value)));
  return found;
}

/** The calculator's fields: inputs, the state before the first step, weights, mistakes. */
function fillCalculator() {
  const { model } = live;
  const [first] = model.layers;
  const cell = CELLS[first.cell];
  const units = unitsOf(first);
  const put = (row, k) => (text) => {
    row[k] = text;
    show();
  };
  const few = units <= 2 && model.x[0].length <= 2;
  const field = (label, name, row, k, colour) =>
    numberField({ label, name, text: row[k], colour, slider: few, put: put(row, k) });
  const low = (parts) => (parts.length ? `<sub>${parts.join(",")}</sub>` : "");

  fill(".inputs", model.x.flatMap((row, t) =>
    row.map((_, k) => {
      const parts = [t + 1, ...(row.length > 1 ? [k + 1] : [])];
      return field(`<var>${cell.input}</var>${low(parts)}`, `${cell.input} ${parts.join(" ")}`, row, k, coloured(first, cell.input));
    })
  ));
  $("#calculator .start").hidden = cell.state === null;
  if (cell.state !== null) {
    model.start ??= Array(units).fill("0");
    live.original.start ??= Array(units).fill("0");
    fill(".start", model.start.map((_, k) => {
      const parts = [0, ...(units > 1 ? [k + 1] : [])];
      return field(`<var>${cell.state}</var>${low(parts)}`, `${cell.state} ${parts.join(" ")}`, model.start, k, coloured(first, cell.state));
    }));
  }
  fill(".weights", model.layers.flatMap((layer, place) =>
    Object.keys(CELLS[layer.cell].params).flatMap((name) => weightFields(layer, name, place, field, low))
  ));
  fillMistakes(first);
}

const unitsOf = (layer) => Object.values(layer.weights)[0].length;

function weightFields(layer, name, place, field, low) {
  const [letter, gate] = name.split("_");
  const rows = layer.weights[name];
  const before = place ? `layer ${place + 1} ` : "";
  const one = (row, k, index) => {
    const parts = [...(gate ? [gate] : []), ...index];
    return field(`<var>${letter}</var>${low(parts)}`, before + [name, ...index].join(" "), row, k, coloured(layer, name));
  };
  const many = rows.length > 1;
  if (!Array.isArray(rows[0])) return rows.map((_, i) => one(rows, i, many ? [i + 1] : []));
  return rows.flatMap((row, i) =>
    row.map((_, j) => one(row, j, [...(row.length > 1 ? [j + 1] : []), ...(many ? [i + 1] : [])]))
  );
}

function fill(selector, fields) {
  const box = $(`#calculator ${selector}`);
  box.querySelectorAll(":scope > .field, :scope > .choice, :scope > fieldset").forEach((old) => old.remove());
  box.append(...fields);
}

// Mistakes --------------------------------------------------------------------------------------------------------------

function fillMistakes(layer) {
  const known = page.mistakes[layer.cell] ?? [];
  const kinds = [...new Set(known.map((mistake) => mistake.kind))];
  $("#calculator .mistakes").hidden = !known.length;
  fill(".mistakes", kinds.map((kind, k) => {
    const set = document.createElement("fieldset");
    const own = known.filter((mistake) => mistake.kind === kind);
    set.innerHTML = `<legend>${kind}</legend>`;
    set.append(...own.map((mistake, m) => choice(mistake, `mistake-${k}-${m}`)));
    return set;
  }));
}

/** One mistake of a kind at a time, and one that changes the equations; what is switched off is right again. */
function choice(mistake, id) {
  const row = document.createElement("div");
  row.className = "choice";
  row.innerHTML =
    `<input type="checkbox" id="${id}"><label for="${id}">${mistake.says}</label><span class="number"></span>`;
  const box = row.querySelector("input");
  box.checked = live.chosen.get(mistake.kind) === mistake;
  box.dataset.mistake = `${mistake.kind}: ${mistake.name}`;
  row.mistake = mistake;
  box.addEventListener("change", () => {
    if (box.checked) {
      for (const [kind, other] of live.chosen) if (mistake.cell && other.cell) live.chosen.delete(kind);
      live.chosen.set(mistake.kind, mistake);
    } else live.chosen.delete(mistake.kind);
    checkChosen();
    show();
  });
  return row;
}

function checkChosen() {
  for (const row of document.querySelectorAll("#calculator .choice")) {
    row.querySelector("input").checked = live.chosen.get(row.mistake.kind) === row.mistake;
  }
}

/** What each mistake alone leads to; one that makes no difference with these numbers is not offered. */
function showMistakes() {
  const right = outcome({});
  for (const row of document.querySelectorAll("#calculator .choice")) {
    const found = outcome(row.mistake);
    row.querySelector(".number").textContent = found === null || found.length > 2 ? "" : found.map((v) => v.toFixed(found.length > 1 ? 4 : 8)).join(", ");
    const same = found !== null && right !== null && found.every((v, k) => v === right[k]);
    row.hidden = same && !row.querySelector("input").checked;
  }
  for (const set of document.querySelectorAll("#calculator .mistakes fieldset")) {
    set.hidden = !set.querySelector(".choice:not([hidden])");
  }
}

function outcome(mistake) {
  try {
    return inDoubles(mistaken(live.model, [mistake]));
  } catch {
    return null;
  }
}

/** The output in double precision alone. */
function inDoubles(model) {
  let x = model.x;
  model.layers.forEach((layer, k) => {
    const cell = CELLS[layer.cell];
    const sizes = sizesOf(cell, layer.weights, x, null);
    const start = (k === 0 && model.start) || Array(sizes.H).fill("0");
    const rows = run(cell, DOUBLES, sizes, layer.weights, x, start, (a) => a).map((v) => v[cell.lines.at(-1).symbol]);
    x = cell.state === null || layer.sequences ? rows : rows.slice(-1);
  });
  return x.at(-1);
}

// Back, and a link that holds the numbers -------------------------------------------------------------------------------

function startButtons() {
  $("#calculator .back").addEventListener("click", () => {
    live.model = copyOf(live.original);
    live.chosen.clear();
    history.replaceState(null, "", location.pathname);
    fillCalculator();
    show();
  });
  $("#calculator .link").addEventListener("click", async () => {
    const chosen = [...live.chosen.values()].map(({ kind, name }) => [kind, name]);
    const held = encodeURIComponent(JSON.stringify({ model: live.model, chosen }));
    history.replaceState(null, "", `#${held}`);
    const said = $("#calculator .copied");
    try {
      await navigator.clipboard.writeText(location.href);
      said.textContent = "The link is copied; it holds all numbers.";
    } catch {
      said.textContent = "The address of this page now holds all numbers.";
    }
  });
}

/** What the address holds, if it fits this page: the same layers with the same numbers of weights. */
function takeLink() {
  if (location.hash.length < 3) return;
  try {
    const { model, chosen } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
    const shape = (value) => (Array.isArray(value) ? value.map(shape) : value && typeof value === "object"
      ? Object.entries(value).map(([k, v]) => [k, k === "cell" ? v : shape(v)]) : typeof value);
    const fits = (a, b) => JSON.stringify(shape(a.layers)) === JSON.stringify(shape(b.layers));
    if (!fits(model, live.original) || !JSON.stringify(model).length) return;
    const texts = (value) => (Array.isArray(value) ? value.map(texts) : canonical(String(value)));
    live.model = copyOf(live.original);
    live.model.x = texts(model.x);
    live.model.start = model.start && texts(model.start);
    live.model.layers.forEach((layer, k) => {
      for (const name of Object.keys(layer.weights)) layer.weights[name] = texts(model.layers[k].weights[name]);
    });
    const known = page.mistakes[live.model.layers[0].cell] ?? [];
    chosen.forEach(([kind, name]) => {
      const mistake = known.find((one) => one.kind === kind && one.name === name);
      if (mistake) live.chosen.set(kind, mistake);
    });
  } catch {
    live.model = copyOf(live.original); // an address that somebody changed by hand
  }
}
