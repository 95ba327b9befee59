// What the pages need beyond the theme. No page depends on it to be read.
(function () {
  "use strict";
  const root = document.documentElement;

  // Settle day or night before the first paint; the theme's own script comes last.
  if (!["light", "dark"].includes(root.dataset.theme)) {
    root.dataset.theme = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }

  // The theme reports each of its steps. A console that is silent shows at once when something goes wrong.
  const log = console.log.bind(console);
  console.log = (...words) => (/^\[(PST|togglebutton)\]/.test(String(words[0])) ? undefined : log(...words));

  // Opened from disk, pages may not fetch each other: show search results without their excerpts.
  if (window.location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
    DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  }

  // A link to something folded unfolds it.
  function unfoldTarget() {
    let target = null;
    try {
      target = document.getElementById(decodeURIComponent(window.location.hash.slice(1)));
    } catch (error) {
      return; // not a valid address of a place in the page
    }
    let folded = target && target.closest("details:not([open])");
    if (!folded) return;
    for (; folded; folded = folded.parentElement.closest("details:not([open])")) folded.open = true;
    target.scrollIntoView();
  }
  window.addEventListener("hashchange", unfoldTarget);
  document.addEventListener("DOMContentLoaded", unfoldTarget);

  // A formula or a table too wide for the screen scrolls by itself; the keyboard must be able to get at it.
  function reachWhatScrolls() {
    document.querySelectorAll("mjx-container[display='true'], article table").forEach((wide) => {
      if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
      else wide.removeAttribute("tabindex");
    });
  }
  window.addEventListener("load", () => {
    reachWhatScrolls();
    if (window.MathJax && window.MathJax.startup) window.MathJax.startup.promise.then(reachWhatScrolls);
  });
  window.addEventListener("resize", reachWhatScrolls);

  // Paper has no folds and no night.
  let unfolded = [];
  let theme = null;
  window.addEventListener("beforeprint", () => {
    unfolded = [...document.querySelectorAll("details:not([open])")];
    unfolded.forEach((each) => (each.open = true));
    theme = root.dataset.theme;
    root.dataset.theme = "light";
  });
  window.addEventListener("afterprint", () => {
    unfolded.splice(0).forEach((each) => (each.open = false));
    if (theme) root.dataset.theme = theme;
  });
})();
