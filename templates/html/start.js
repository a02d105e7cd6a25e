// ----------------------------------------------------------------------------------------------------------------------

const page = JSON.parse(document.getElementById("data").textContent);

startTheme();
startHighlight();
document.querySelectorAll(".chapter:not([data-layer])").forEach((part) => {
  if (!part.querySelector(".lines")) part.classList.add("still");
});
if (page.live) {
  startButtons();
  if (page.model) startLive(page.model);
  else startPaste();
}
