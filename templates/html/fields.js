// Number fields and sliders ---------------------------------------------------------------------------------------------

let fieldCount = 0;

/** A labelled number, beside it a slider where there is a `scale`; `put(text)` is told of every number that can be used. */
function numberField({ label, name, text, colour, scale, put }) {
  const id = `field-${++fieldCount}`;
  const field = document.createElement("div");
  field.className = `field ${colour ?? ""} ${scale ? "" : "plain"}`;
  field.innerHTML =
    `<label for="${id}">${label}</label>` +
    `<input type="text" inputmode="decimal" autocomplete="off" spellcheck="false" id="${id}" aria-describedby="${id}-error">` +
    (scale ? `<input type="range">` : "") +
    `<p class="error" id="${id}-error"></p>`;
  const [typed, slid] = field.querySelectorAll("input");
  const error = field.querySelector(".error");
  const put_ = (value) => {
    try {
      const known = canonical(value.replace(page.decimal, "."));
      typed.removeAttribute("aria-invalid");
      error.textContent = "";
      put(known);
      return known;
    } catch (problem) {
      typed.setAttribute("aria-invalid", "true");
      error.textContent = problem.message;
      return null;
    }
  };
  typed.value = shown(text);
  typed.dataset.name = name;
  typed.addEventListener("input", () => {
    const known = put_(typed.value);
    if (slid && known !== null) slid.value = known;
  });
  if (slid) {
    const { bound, step, digits } = scale;
    Object.assign(slid, { min: -bound, max: bound, step, value: text });
    slid.dataset.name = name;
    slid.setAttribute("aria-label", `${name}, slider`);
    slid.addEventListener("input", () => {
      typed.value = shown(Number(slid.value).toFixed(digits));
      put_(typed.value);
    });
  }
  return field;
}

/** For all numbers that one kind of field holds, so that equal numbers stand at equal places: to 1, 2, 5, 10, 20, ..., the
 * first that leaves room above twice the largest; some hundred steps on either side. */
function scaleOf(numbers) {
  const wanted = Math.max(1, ...numbers.map((value) => 2 * Math.abs(value)));
  const power = 10 ** Math.floor(Math.log10(wanted));
  const bound = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= wanted * (1 - 1e-9));
  const digits = Math.max(0, 2 - Math.floor(Math.log10(bound)));
  return { bound, step: 10 ** -digits, digits };
}

/** What a slider reaches to the left and to the right, above all that share it. */
function ends(scale) {
  if (!scale) return [];
  const row = document.createElement("div");
  row.className = "ends";
  row.innerHTML = `<div><span>−${shown(scale.bound)}</span><span>0</span><span>${shown(scale.bound)}</span></div>`;
  return [row];
}
