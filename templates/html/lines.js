// Lines and tables as the page has them ---------------------------------------------------------------------------------

const coloured = (layer, name) => `c-${layer.colours[letterOf(layer, name)]}`;

/** Whose colour a symbol has: a_z and W_z are z's. */
function letterOf(layer, name) {
  const part = name.split("_")[1] ?? name;
  return part in layer.colours ? part : CELLS[layer.cell].output;
}

/** A number with the page's decimal sign. */
const shown = (text) => String(text).replace(".", page.decimal);

function lineHtml(layer, line) {
  const more = line.more ? `<span class="more"> † ${shown(line.more)}</span>` : "";
  const since = line.since ? `<span class="since">, since ${line.since}</span>` : "";
  return (
    `<p class="line ${coloured(layer, line.name)}" data-step="${line.t}"><span class="name">${line.left}</span> ` +
    `<span class="part">= ${line.symbols}</span> <span class="part">= ${line.numbers}</span> ` +
    `<span class="part">= <b class="value">${line.result}</b>${more}${since}</span></p>`
  );
}

/** x_1 = 1, h_0 = 0: what a step starts from. */
function startHtml(layer, worked, t) {
  const cell = CELLS[layer.cell];
  const { sizes, x, start } = worked;
  const row = (texts) => (texts.length > 1 ? `[${texts.map(shown).join(page.separator)}]` : shown(texts[0]));
  const spell = (symbol, time, many) => {
    const names = cell.names[symbol];
    const name = names[`0${layer.timed ? "t" : ""}`].replace(page.timeMark, time);
    return many ? `<b>${name}</b>` : name;
  };
  const items = [`${spell(cell.input, t, sizes.D > 1)} = ${row(x[t - 1])}`];
  if (cell.state !== null) {
    const before = t > 1 ? valuesOf(worked, cell.state, t - 1) : start ?? Array(sizes.H).fill("0");
    items.push(`${spell(cell.state, t - 1, sizes.H > 1)} = ${row(before)}`);
  }
  return items.map((item) => `<span class="item">${item}</span>`).join(" ");
}

const valuesOf = (worked, name, t) =>
  worked.steps[t - 1].lines.filter((line) => line.name === name).map((line) => line.value);

/** What the cell's own equations define: the gates, the candidate, the state. */
function columnsOf(layer) {
  const cell = CELLS[layer.cell];
  return [...new Set(cell.lines.map((line) => line.name))].filter((name) => name in layer.colours);
}

/** The document's own table: inputs that are few and short stand in it too. */
function summaryHtml(layer, worked) {
  const { x } = worked;
  const names = columnsOf(layer);
  const one = { cell: CELLS[layer.cell], sizes: { ...worked.sizes, H: 1 }, timed: false, t: 1 };
  const many = worked.sizes.H > 1;
  const wide = x[0].length <= page.fewInputs && x.flat().every((text) => text.length < page.narrow);
  const inputs = wide ? x[0].map((_, k) => spelled(one, one.cell.input, [k])) : [];
  const heads = ["t", ...(many ? ["unit"] : []), ...inputs, ...names.map((name) => spelled(one, name, [0]))];
  const rows = worked.steps.flatMap((step) =>
    each(worked.sizes.H, (unit) => [
      unit ? "" : step.t,
      ...(many ? [unit + 1] : []),
      ...(wide ? x[step.t - 1].map((text) => (unit ? "" : text)) : []),
      ...names.map((name) => step.lines.find((line) => line.name === name && line.index === unit)?.value ?? ""),
    ])
  );
  const head = heads.map((text) => `<th scope="col">${text}</th>`).join("");
  const body = rows.map((row) => `<tr>${row.map((text) => `<td class="number">${shown(text)}</td>`).join("")}</tr>`).join("");
  return `<div class="scroll" tabindex="0" role="group" aria-label="Summary"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}

/** Every quantity of a few units over time; of a single step there is nothing to see, but a place for what comes back. */
function plotHtml(layer, worked) {
  if (worked.steps.length < 2) return `<svg class="plot"></svg>`;
  const [width, height, left, top] = [600, 220, 40, 12];
  const names = columnsOf(layer);
  const lines = worked.steps.flatMap((step) => step.lines.filter((line) => names.includes(line.name)));
  const high = Math.max(1, ...lines.map((line) => line.exact));
  const low = Math.min(0, ...lines.map((line) => line.exact));
  const x = (t) => left + ((width - left - 50) * (t - 1)) / (worked.steps.length - 1);
  const y = (v) => top + ((height - 2 * top - 14) * (high - v)) / (high - low);
  const units = Math.min(worked.sizes.H, 4);
  const curves = names.flatMap((name) => each(units, (unit) => {
    const own = lines.filter((line) => line.name === name && line.index === unit);
    return { name, own, end: y(own.at(-1).exact) + 4, label: worked.sizes.H > 1 ? `${name}[${unit + 1}]` : name };
  }));
  curves.sort((a, b) => a.end - b.end).forEach((curve, k) => {
    if (k) curve.end = Math.max(curve.end, curves[k - 1].end + 11); // labels stand below each other
  });
  const drawn = curves.map(({ name, own, end, label }) => {
    const path = own.map((line) => `${x(line.t).toFixed(1)} ${y(line.exact).toFixed(1)}`).join(" L");
    return (
      `<g class="${coloured(layer, name)}"><path d="M${path}"/>` +
      `<text class="named" x="${x(own.at(-1).t) + 5}" y="${end.toFixed(1)}">${label}</text></g>`
    );
  });
  const marks = [high, 0, low].filter((v, k, all) => all.indexOf(v) === k);
  const grid = marks.map((v) => `<line x1="${left}" x2="${width - 50}" y1="${y(v)}" y2="${y(v)}"/><text x="2" y="${y(v) + 4}">${Number(v.toPrecision(3))}</text>`);
  const times = worked.steps.map((s) => s.t).filter((t, k, all) => all.length < 13 || t === 1 || t === all.length);
  const axis = times.map((t) => `<text x="${x(t) - 3}" y="${height - 2}">${t}</text>`);
  const tall = Math.max(height, ...curves.map(({ end }) => end + 4));
  return `<svg class="plot" viewBox="0 0 ${width} ${tall}" role="img" aria-label="${names.join(", ")} over time; the numbers are in the summary">${grid.join("")}${axis.join("")}${drawn.join("")}</svg>`;
}
