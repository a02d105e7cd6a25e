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

const valuesText = (found) =>
  found === null || found.length > 2 ? "" : found.map((v) => shown(v.toFixed(found.length > 1 ? 4 : 8))).join(page.separator);

/** Whether two results are one but for the error of doubles. */
const isAlike = (found, right) => right !== null && found.every((v, k) => Math.abs(v - right[k]) <= page.alike);

/** What each mistake alone leads to; one that cannot be made, or makes no difference with these numbers, is not offered. */
function showMistakes() {
  const right = outcome({});
  for (const row of document.querySelectorAll("#calculator .choice")) {
    const found = outcome(row.mistake);
    row.querySelector(".number").textContent = valuesText(found);
    row.hidden = (found === null || isAlike(found, right)) && !row.querySelector("input").checked;
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
