// The empty page: weights as they are pasted ----------------------------------------------------------------------------

function startPaste() {
  const form = $("#paste");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    read();
  });
  const kinds = $("#pasted-cell");
  kinds.addEventListener("change", offerOrders);
  offerOrders();
}

/** The orders in which a cell's gates may lie. */
function offerOrders() {
  const chosen = $("#pasted-cell").value;
  const gates = chosen === "" ? [] : CELLS[chosen].gates;
  const orders = permutations(gates).map((order) => order.join(" | "));
  const box = $("#pasted-order");
  box.innerHTML = "";
  box.append(...(gates.length > 1 ? orders : ["as Keras has them"]).map((order) => new Option(order, gates.length > 1 ? order : "")));
  box.disabled = gates.length < 2;
}

function permutations(letters) {
  if (letters.length < 2) return [letters];
  return letters.flatMap((one) => permutations(letters.filter((other) => other !== one)).map((rest) => [one, ...rest]));
}

/** Says what cannot be used beside the field it stands in; null then. */
function tried(field, take) {
  const [box, error] = [$(field), $(`${field}-error`)];
  try {
    const found = take(box.value);
    box.removeAttribute("aria-invalid");
    error.textContent = "";
    return found;
  } catch (problem) {
    box.setAttribute("aria-invalid", "true");
    error.textContent = problem.message;
    box.focus();
    return null;
  }
}

function read() {
  const chosen = $("#pasted-cell").value;
  const found = tried("#pasted", (text) => layersOf(text, chosen));
  if (found === null) return;
  const features = found.layers[0].features;
  const x = tried("#pasted-input", (text) => parseInput(text, features));
  if (x === null) return;
  const digits = tried("#pasted-digits", wholeDigits);
  if (digits === null) return;
  const model = tried("#pasted-input", () => {
    const made = { layers: found.layers.map((layer, k) => modelLayer(layer, k, chosen)), x, start: null };
    return withDecimals(made, digits);
  });
  if (model === null) return;
  $("#notes").innerHTML = "";
  $("#notes").append(...found.notes.map((note) => Object.assign(document.createElement("p"), { textContent: `Note: ${note}.` })));
  $("#worked").innerHTML = documentHtml(model, workThrough(model));
  live.shown = true; // the first time too, the lines are the script's to write
  startLive(model);
  $("#worked h2").scrollIntoView();
}

function wholeDigits(text) {
  if (!/^[1-6]$/.test(text.trim())) throw new Error("a whole number from 1 to 6 is needed");
  return Number(text);
}

/** Of the cell chosen, else what the shapes say. */
function layersOf(text, chosen) {
  const arrays = parseWeights(text);
  const cells = Object.keys(CELLS).filter((name) => chosen === "" || name === chosen || CELLS[name].state === null);
  return readLayers(arrays, cells);
}

function modelLayer(layer, k, chosen) {
  const order = $("#pasted-order").value;
  const cell = CELLS[layer.cell];
  const ordered = chosen === layer.cell && order !== "" ? order.split(" | ") : cell.gates;
  return {
    cell: layer.cell,
    weights: cutWeights(cell, layer.arrays, ordered),
    timed: cell.state !== null,
    sequences: false,
    colours: page.colours[layer.cell],
    given: layer.arrays.length,
  };
}

function documentHtml(model, worked) {
  return model.layers.map((layer, k) => layerHtml(model, layer, worked[k], k)).join("");
}

function layerHtml(model, layer, worked, k) {
  const cell = CELLS[layer.cell];
  const { H, D } = worked.sizes;
  const title = `${cell.title}, ${H} unit${H > 1 ? "s" : ""}, ${D} ${k ? "input" : "feature"}${D > 1 ? "s" : ""}`;
  const steps = worked.steps.map(
    ({ t }) =>
      `<div class="step"><h4>${layer.timed ? `Step ${t}` : "Output"}</h4><p class="starts results"></p>` +
      `<div class="lines" data-layer="${k + 1}" data-step="${t}"></div></div>`
  );
  const summary = layer.timed ? `<h3>Summary</h3>${summaryHtml(layer, worked)}${plotHtml(layer, worked)}` : "";
  return (
    `<section class="chapter" data-layer="${k + 1}"><h2>${model.layers.length > 1 ? `Layer ${k + 1}: ` : ""}${title}</h2>` +
    `<h3>Weights</h3>${weightTables(model, k)}<h3>Equations</h3>${page.equations[layer.cell] ?? ""}<h3>Step by step</h3>` +
    `${steps.join("")}${summary}</section>`
  );
}

/** Each array of get_weights(), a table for each of its rows of gates. */
function weightTables(model, place) {
  const layer = model.layers[place];
  const before = model.layers.slice(0, place).reduce((count, { given }) => count + given, 0);
  return Object.entries(CELLS[layer.cell].arrays).map(([array, rows], k) => {
    const name = k < layer.given ? `get_weights()[${before + k}]` : "not in get_weights()";
    const zeros = rows.flat().every((symbol) => layer.weights[symbol].flat().every((text) => Number(text) === 0));
    const left = zeros ? "; numbers of 0 are left out in the lines" : "";
    const tables = rows.map((symbols) => weightTable(layer, place, `${name}, ${array}, ${symbols.join(", ")}`, symbols));
    return `<p><code>${name}</code>: ${array}${left}</p>${tables.join("")}`;
  }).join("");
}

function weightTable(layer, place, label, symbols) {
  const grids = symbols.map((name) => layer.weights[name].map((row) => (Array.isArray(row) ? row : [row])));
  const cells = (name, j) =>
    layer.weights[name].map((row, i) => {
      const [text, place] = Array.isArray(row) ? [row[j], `${i},${j}`] : [row, `${i}`];
      return `<td class="number coloured ${coloured(layer, name)}" data-ref="${name}[${place}]">${text}</td>`;
    });
  const head = symbols.map((name) => {
    const [letter, gate] = name.split("_");
    const span = layer.weights[name].length;
    return `<th scope="colgroup" colspan="${span}" class="coloured ${coloured(layer, name)}"><var>${letter}</var>${gate ? `<sub>${gate}</sub>` : ""}</th>`;
  });
  const rows = grids[0][0].map((_, j) => `<tr>${symbols.flatMap((name) => cells(name, j)).join("")}</tr>`);
  return (
    `<div class="scroll" tabindex="0" role="group" aria-label="${label}"><table class="weights" data-layer="${place + 1}">` +
    `<thead><tr>${head.join("")}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`
  );
}
