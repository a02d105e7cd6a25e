// Working a model through, as it is or with a mistake -------------------------------------------------------------------

/** Each layer's lines at every step, beside the `x` and the `start` state that they read. A layer reads what the one
 * before it printed; doubles go on as doubles. */
function workThrough(model) {
  let [x, exact] = [model.x, model.x];
  return model.layers.map((layer, k) => {
    const cell = CELLS[layer.cell];
    const h0 = k === 0 ? model.start : null;
    const { decimals } = model;
    const lines = work(cell, layer.weights, x, { h0, decimals, timed: layer.timed, exact: { x: exact, h0 } });
    const worked = { x, start: h0, ...lines };
    const outputs = worked.steps.map((step) => step.lines.filter((line) => line.name === cell.output));
    const kept = cell.state === null || layer.sequences ? outputs : outputs.slice(-1);
    x = kept.map((row) => row.map((line) => line.value));
    exact = kept.map((row) => row.map((line) => line.exact));
    return worked;
  });
}

/** The last lines that give the output, one for each unit. */
function results(model, worked) {
  const { output } = CELLS[model.layers.at(-1).cell];
  return worked.at(-1).steps.at(-1).lines.filter((line) => line.name === output);
}

/** The model as somebody works it who makes these mistakes. */
function mistaken(model, mistakes) {
  return mistakes.reduce((one, mistake) => {
    const [first, ...others] = one.layers;
    const weights = mistake.weights ? gathered(first.weights, mistake.weights) : first.weights;
    const units = Object.values(first.weights)[0].length;
    return {
      ...one,
      layers: [{ ...first, cell: mistake.cell ?? first.cell, weights }, ...others],
      x: mistake.sequence ? SEQUENCES[mistake.sequence](one.x) : one.x,
      start: mistake.start === undefined ? one.start : Array(units).fill(String(mistake.start)),
    };
  }, model);
}

/** Arrays from other places: {W_z: "W_r"} as a whole, {W_z: [[["W_r", 0, 0], ...], ...]} number by number, "-W_r" with
 * the other sign. */
function gathered(weights, from) {
  const at = ([name, ...place]) =>
    name[0] === "-" ? opposite(at([name.slice(1), ...place])) : place.reduce((part, k) => part[k], weights[name]);
  const taken = (place) => (Array.isArray(place[0]) ? place.map(taken) : at(place));
  const array = (places) => (typeof places === "string" ? weights[places] : places.map(taken));
  return { ...weights, ...Object.fromEntries(Object.entries(from).map(([name, places]) => [name, array(places)])) };
}

/** The same digits with the other sign; 0 has none. */
const opposite = (text) => (text[0] === "-" ? text.slice(1) : Number(text) === 0 ? text : `-${text}`);

/** As many decimals as the result needs to come out right, and of these the ones with the fewest doubtful lines. */
function withDecimals(model, digits) {
  const tried = [2, 3, 4].map((more) => digits + more).filter((decimals) => decimals <= page.mostDecimals);
  const found = tried.map((decimals) => {
    const one = { ...model, decimals };
    const worked = workThrough(one);
    const same = results(one, worked).every(
      (line) => rounded(line.value, digits) === rounded(String(line.exact), digits)
    );
    const lines = worked.flatMap((layer) => layer.steps.flatMap((step) => step.lines));
    return { one, same, risky: lines.filter((line) => line.risky).length };
  });
  const good = found.filter(({ same }) => same);
  return (good.length ? good.reduce((a, b) => (b.risky < a.risky ? b : a)) : found.at(-1)).one;
}

function rounded(text, digits) {
  const policy = rounding(digits);
  return policy.text(policy.round(decimalOf(text)));
}
