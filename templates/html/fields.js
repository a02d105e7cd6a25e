// Number fields and sliders ---------------------------------------------------------------------------------------------

let fieldCount = 0;

/** A labelled number with a slider beside it; `put(text)` is told of every number that can be used. */
function numberField({ label, name, text, colour, slider, put }) {
  const id = `field-${++fieldCount}`;
  const field = document.createElement("div");
  field.className = `field ${colour ?? ""} ${slider ? "" : "plain"}`;
  field.innerHTML =
    `<label for="${id}">${label}</label>` +
    `<input type="text" inputmode="decimal" autocomplete="off" spellcheck="false" id="${id}" aria-describedby="${id}-error">` +
    (slider ? `<input type="range">` : "") +
    `<p class="error" id="${id}-error"></p>`;
  const [typed, slid] = field.querySelectorAll("input");
  const error = field.querySelector(".error");
  const put_ = (value) => {
    try {
      const known = canonical(value);
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
  typed.value = text;
  typed.dataset.name = name;
  typed.addEventListener("input", () => {
    const known = put_(typed.value);
    if (slid && known !== null) slid.value = known;
  });
  if (slid) {
    const { bound, step, digits } = scaleOf(Number(text));
    Object.assign(slid, { min: -bound, max: bound, step, value: text });
    slid.dataset.name = name;
    slid.setAttribute("aria-label", `${name}, slider`);
    slid.addEventListener("input", () => {
      typed.value = Number(slid.value).toFixed(digits);
      put_(typed.value);
    });
  }
  return field;
}

/** 1, 2, 5, 10, 20, ...: the first that leaves room above twice the number; some hundred steps on either side. */
function scaleOf(value) {
  const wanted = Math.max(1, 2 * Math.abs(value));
  const power = 10 ** Math.floor(Math.log10(wanted));
  const bound = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= wanted * (1 - 1e-9));
  const digits = Math.max(0, 2 - Math.floor(Math.log10(bound)));
  return { bound, step: 10 ** -digits, digits };
}
