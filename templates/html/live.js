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
  markEquations();
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

/** The equations of the first layer do not follow a mistake in them. */
function markEquations() {
  const other = [...live.chosen.values()].some((mistake) => mistake.cell);
  const chapter = document.querySelector('.lines[data-layer="1"]')?.closest(".chapter");
  chapter?.querySelectorAll(".equations.own").forEach((part) => part.classList.toggle("still", other));
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
    if (starts && lines.length) starts.innerHTML = startHtml(layer, worked[k], t);
    stepOf(box).hidden = !lines.length;
  }
  model.layers.forEach((layer, k) => {
    const numbers = numbersOf(layer, worked[k]);
    for (const place of document.querySelectorAll(".number[data-ref]")) {
      const number = Number(place.closest("[data-layer]")?.dataset.layer ?? 1) - 1 === k && numbers.get(place.dataset.ref);
      if (number) place.textContent = shown(number);
    }
    if (model.layers.length === 1) showPictures(layer, numbers);
    const plot = document.querySelector(`.chapter[data-layer="${k + 1}"] svg.plot`);
    if (plot) plot.outerHTML = plotHtml(layer, worked[k]);
    const table = summaryOf(k);
    if (table) table.outerHTML = summaryHtml(layer, worked[k]);
  });
  if (!moved || !document.querySelector(".line [tabindex='0']")) firstStop();
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

/** Every number by its reference. */
function numbersOf(layer, worked) {
  const { x, start } = worked;
  const found = new Map();
  const put = (name, numbers, ...at) => {
    if (Array.isArray(numbers)) numbers.forEach((inner, k) => put(name, inner, ...at, k));
    else found.set(`${name}[${at.join(",")}]`, numbers);
  };
  Object.entries(layer.weights).forEach(([name, numbers]) => put(name, numbers));
  const cell = CELLS[layer.cell];
  x.forEach((row, t) => row.forEach((text, k) => found.set(`${cell.input}[${k}]@${t + 1}`, text)));
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
  const fieldOn = (scale) => (label, name, row, k, colour) =>
    numberField({ label, name, text: row[k], colour, scale, put: put(row, k) });
  const scaleFor = (numbers) => (few ? scaleOf(numbers.flat(Infinity).map(Number)) : null);
  const ofInputs = scaleFor([live.original.x, model.x]);
  const ofWeights = scaleFor([live.original, model].flatMap(({ layers }) => layers.map(({ weights }) => Object.values(weights))));

  fill(".inputs", [...ends(ofInputs), ...model.x.flatMap((row, t) =>
    row.map((_, k) => {
      const name = [cell.input, t + 1, ...(row.length > 1 ? [k + 1] : [])].join(" ");
      return fieldOn(ofInputs)(spelledIn(first, cell.input, [k], t + 1), name, row, k, coloured(first, cell.input));
    })
  )]);
  $("#calculator .start").hidden = cell.state === null;
  if (cell.state !== null) {
    model.start ??= Array(units).fill("0");
    live.original.start ??= Array(units).fill("0");
    const scale = scaleFor([live.original.start, model.start]);
    fill(".start", [...ends(scale), ...model.start.map((_, k) => {
      const name = [cell.state, 0, ...(units > 1 ? [k + 1] : [])].join(" ");
      return fieldOn(scale)(spelledIn(first, cell.state, [k]), name, model.start, k, coloured(first, cell.state));
    })]);
  }
  fill(".weights", [...ends(ofWeights), ...model.layers.flatMap((layer, place) =>
    Object.keys(CELLS[layer.cell].params).flatMap((name) => weightFields(layer, name, place, fieldOn(ofWeights)))
  )]);
  fillMistakes(first);
}

const unitsOf = (layer) => Object.values(layer.weights)[0].length;

/** A component's symbol as the lines have it; the state before the first step at t = 1. */
function spelledIn(layer, name, index, t = 1) {
  const cell = CELLS[layer.cell];
  const sizes = Object.fromEntries(Object.entries(cell.params).flatMap(([of, letters]) => {
    const rows = layer.weights[of];
    return letters.map((letter, axis) => [letter, axis ? rows[0].length : rows.length]);
  }));
  return spelled({ cell, sizes, timed: layer.timed, t }, name, index);
}

function weightFields(layer, name, place, field) {
  const rows = layer.weights[name];
  const before = place ? `layer ${place + 1} ` : "";
  const one = (row, k, index, shown) =>
    field(spelledIn(layer, name, index), before + [name, ...shown].join(" "), row, k, coloured(layer, name));
  const many = rows.length > 1;
  if (!Array.isArray(rows[0])) return rows.map((_, i) => one(rows, i, [i], many ? [i + 1] : []));
  return rows.flatMap((row, i) =>
    row.map((_, j) => one(row, j, [i, j], [...(row.length > 1 ? [j + 1] : []), ...(many ? [i + 1] : [])]))
  );
}

function fill(selector, fields) {
  const box = $(`#calculator ${selector}`);
  box.querySelectorAll(":scope > .field, :scope > .ends, :scope > .choice, :scope > fieldset").forEach((old) => old.remove());
  box.append(...fields);
}
