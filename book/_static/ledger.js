// The claims ledger can be narrowed to a verdict and a chapter. Without this script the page simply shows every claim.
//
// What a claim is stands in the classes of its first line: .ledger-head.verdict-refuted.chapter-7. A filter is kept in
// the address, ?verdict=refuted&chapter=7, so that it can be sent to somebody; a link to a claim shows that claim.
(function () {
  "use strict";

  const KINDS = { verdict: "Verdict", chapter: "Chapter" };

  function make(name, attributes = {}, children = []) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  function read(head) {
    const claim = { section: head.closest("section"), name: {} };
    for (const kind of Object.keys(KINDS)) {
      claim[kind] = [...head.classList].find((each) => each.startsWith(kind + "-")).slice(kind.length + 1);
    }
    claim.name.verdict = head.querySelector(".ledger-badge").textContent;
    // "Chapter 7 · Temperature" without the word that the label says
    claim.name.chapter = head.textContent.replace(claim.name.verdict, "").replace(/^\s*Chapter\s+/, "").trim();
    return claim;
  }

  function start() {
    const claims = [...document.querySelectorAll(".ledger-head")].map(read);
    if (!claims.length) return;

    const selects = {};
    for (const kind of Object.keys(KINDS)) {
      const names = new Map(claims.map((claim) => [claim[kind], claim.name[kind]]));
      const options = [...names].map(([value, name]) => make("option", { value }, [name]));
      selects[kind] = make("select", { id: `ledger-by-${kind}` }, [make("option", { value: "" }, ["all"]), ...options]);
    }
    const fields = Object.entries(KINDS).map(([kind, label]) =>
      make("div", {}, [make("label", { for: selects[kind].id }, [label]), selects[kind]]));
    const all = make("button", { type: "button" }, ["Show all"]);
    const count = make("p", { role: "status", "aria-live": "polite" });
    const form = make("form", { class: "ledger-filter", "aria-label": "Narrow the claims" }, [...fields, all, count]);
    claims[0].section.before(form);

    function show() {
      const wanted = (claim) => Object.entries(selects).every(([kind, { value }]) => !value || claim[kind] === value);
      for (const claim of claims) claim.section.hidden = !wanted(claim);
      const shown = claims.filter(wanted).length;
      count.textContent = `${shown} of ${claims.length} claims`;
    }

    function choose(chosen) {
      for (const [kind, select] of Object.entries(selects)) {
        select.value = chosen[kind] || "";
        if (select.selectedIndex < 0) select.value = ""; // a value that no claim has
      }
      show();
    }

    function remember() {
      const address = new URL(location);
      for (const [kind, { value }] of Object.entries(selects)) {
        if (value) address.searchParams.set(kind, value);
        else address.searchParams.delete(kind);
      }
      try {
        history.replaceState(null, "", address);
      } catch { /* some browsers forbid it for a page from disk */ }
    }

    function reveal() {
      const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (!target || !target.closest("section[hidden]")) return;
      choose({});
      target.scrollIntoView();
    }

    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", () => { show(); remember(); });
    all.addEventListener("click", () => { choose({}); remember(); });
    addEventListener("hashchange", reveal);
    choose(Object.fromEntries(new URLSearchParams(location.search)));
    reveal();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
