// Light or dark ---------------------------------------------------------------------------------------------------------

const THEMES = { auto: "as the system", light: "light", dark: "dark" };

function startTheme() {
  const button = document.querySelector(".theme");
  const root = document.documentElement;
  const show = (theme) => {
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
    button.textContent = `Colours: ${THEMES[theme]}`;
  };
  const names = Object.keys(THEMES);
  let theme = remembered();
  button.addEventListener("click", () => {
    theme = names[(names.indexOf(theme) + 1) % names.length];
    show(theme);
    remember(theme);
  });
  button.hidden = false;
  show(theme);
}

/** A page from a file may have no storage. */
function remembered() {
  try {
    const theme = localStorage.getItem("symgru-theme");
    return theme in THEMES ? theme : "auto";
  } catch {
    return "auto";
  }
}

function remember(theme) {
  try {
    localStorage.setItem("symgru-theme", theme);
  } catch {
    // then it holds until the page is closed
  }
}
