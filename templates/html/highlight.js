// Where a number comes from, and where it goes --------------------------------------------------------------------------

/** Every place in the page that shows the same quantity of the same layer. */
function places(element) {
  const layerOf = (e) => e.closest("[data-layer]")?.dataset.layer ?? "1";
  const same = document.querySelectorAll(`[data-ref="${CSS.escape(element.dataset.ref)}"]`);
  return [...same].filter((other) => layerOf(other) === layerOf(element));
}

const isOrigin = (element) => element.closest(".value") !== null;
const nameOf = (line) => line.querySelector(".name").textContent;

function light(element) {
  clear();
  const same = places(element);
  same.forEach((place) => place.classList.add("lit", isOrigin(place) ? "from" : "to"));
  document.querySelector(".origin").textContent = told(element, same);
}

function clear() {
  document.querySelectorAll(".lit").forEach((place) => place.classList.remove("lit", "from", "to"));
  document.querySelector(".origin").textContent = "";
}

/** z_1 = 0.28709370, worked out in step 1, is used in h_1. */
function told(element, same) {
  const origin = same.find(isOrigin);
  const lines = new Set(same.filter((place) => !isOrigin(place) && !place.closest(".name")).map((place) => place.closest(".line")));
  const used = [...lines].filter((line) => line !== null).map(nameOf);
  const symbol = same.find((place) => place.querySelector("var"))?.textContent ?? element.dataset.ref;
  const number = same.find((place) => !place.querySelector("var"))?.textContent ?? "";
  const from = origin ? `worked out in step ${origin.closest(".line").dataset.step}` : "given";
  const shown = used.length > 8 ? [...used.slice(0, 8), `${used.length - 8} more`] : used;
  return `${symbol} = ${number}, ${from}, is used in ${shown.length ? shown.join(", ") : "no later line"}.`;
}

/** One stop of the tab key for all lines; arrows lead on from there, Enter to where a number comes from. */
function stop(element) {
  document.querySelectorAll(".line [tabindex='0']").forEach((old) => (old.tabIndex = -1));
  if (element) element.tabIndex = 0;
  return element;
}

const firstStop = () => stop(document.querySelector(".line .value [data-ref]"));

function move(element, key) {
  const line = element.closest(".line");
  const lines = [...document.querySelectorAll(".line")];
  const own = [...line.querySelectorAll("[data-ref]")];
  const along = { ArrowLeft: -1, ArrowRight: 1 }[key];
  const down = { ArrowUp: -1, ArrowDown: 1 }[key];
  if (along) return own[own.indexOf(element) + along];
  if (down) return lines[lines.indexOf(line) + down]?.querySelector(".value [data-ref]");
  if (key === "Enter") return places(element).find(isOrigin);
  return undefined;
}

function startHighlight() {
  const over = (event) => {
    const element = event.target.closest?.("[data-ref]");
    if (element) light(element);
    else if (event.type === "mouseover") clear();
  };
  document.addEventListener("mouseover", over);
  document.addEventListener("focusin", over);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") clear();
    const element = event.target.closest?.(".line [data-ref]");
    const next = element && move(element, event.key);
    if (!next) return;
    event.preventDefault();
    stop(next).focus();
  });
  firstStop();
}
