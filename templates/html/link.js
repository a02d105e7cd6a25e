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
    if (!fits(model, live.original)) return;
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
