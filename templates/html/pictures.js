// Pictures whose numbers follow ----------------------------------------------------------------------------------------

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
