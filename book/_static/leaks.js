// Five leaks as switches: chapter 11.
//
// A cell of the chapter writes <div class="leak-switches" data-scores="…">…</div> with the score of every subset of the
// switches for every model, {"ridge|shuffle|smooth": [skill, share of directions right], …}; nothing is computed here.
// What stands inside is shown without scripts and on paper, and so is the cell tagged `leaks-still`, a picture of some
// of it: on a screen with scripts the switches take their place.
(function () {
  "use strict";

  const SAID = {
    scaler: "The scaler has seen the test",
    shuffle: "Days are split at random",
    "own day": "The window holds a day of the week to come",
    smooth: "Prices are smoothed, looking both ways",
    backward: "A summary is computed from the series’ end",
  };
  const MODELS = { ridge: "Ridge regression", neighbours: "Nearest neighbours" };
  const LEAST = -2.5; // the left end of the bar
  const PAUSE = 700; // ms without a change before the sentence is read out

  function make(name, attributes = {}, children = []) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  const fixed = (number) => number.toFixed(2).replace(/^-(0\.?0*)$/, "$1").replace("-", "−");
  const across = (skill) => (100 * (Math.max(LEAST, Math.min(1, skill)) - LEAST)) / (1 - LEAST); // %
  const key = (model, on) => [model, ...on].join("|");

  window.leakSwitches = { key };

  function build(host, number) {
    const scores = JSON.parse(host.dataset.scores);
    const fallback = make("div", { class: "ls-fallback" }, [...host.childNodes]);
    const id = `leak-switches-${number}`;

    const switches = Object.entries(SAID).map(([name, said]) => {
      const box = make("input", { type: "checkbox", id: `${id}-${name.replace(" ", "-")}`, value: name });
      box.addEventListener("change", draw);
      return { name, box, row: make("div", { class: "ls-choice" }, [box, make("label", { for: box.id }, [said])]) };
    });
    const models = Object.entries(MODELS).map(([name, said], i) => {
      const box = make("input", { type: "radio", id: `${id}-${name}`, name: `${id}-model`, value: name });
      box.checked = i === 0;
      box.addEventListener("change", draw);
      return { name, box, row: make("div", { class: "ls-choice" }, [box, make("label", { for: box.id }, [said])]) };
    });
    const skill = make("dd"), right = make("dd");
    const bar = make("span", { class: "ls-bar" }), zero = make("span", { class: "ls-zero" });
    zero.style.left = `${across(0)}%`;
    const said = make("p", { class: "ls-said", "aria-live": "polite" });
    const off = make("button", { type: "button" }, ["All switches off"]);
    off.addEventListener("click", () => { switches.forEach((each) => { each.box.checked = false; }); draw(); });
    let waiting = 0;

    function draw() {
      const model = models.find((each) => each.box.checked).name;
      const on = switches.filter((each) => each.box.checked).map((each) => each.name);
      const [s, r] = scores[key(model, on)];
      skill.textContent = fixed(s);
      right.textContent = `${Math.round(100 * r)} %`;
      const [from, to] = [Math.min(across(s), across(0)), Math.max(across(s), across(0))];
      bar.style.left = `${from}%`;
      bar.style.width = `${to - from}%`;
      bar.classList.toggle("ls-harm", s < 0);
      host.dataset.skill = s;
      host.dataset.right = r;
      clearTimeout(waiting); // said once the reader stops
      waiting = setTimeout(() => {
        const leaks = on.length === 0 ? "no leak" : on.length === 1 ? "one leak" : `${on.length} leaks`;
        said.textContent = `${MODELS[model]}, ${leaks}: skill ${fixed(s)}, direction right in ${Math.round(100 * r)} %.`;
      }, PAUSE);
    }

    const live = make("div", { class: "ls-live", role: "group", "aria-label": "Five leaks to turn on" }, [
      make("div", { class: "ls-columns" }, [
        make("fieldset", {}, [make("legend", {}, ["Leaks"]), ...switches.map((each) => each.row)]),
        make("div", {}, [
          make("fieldset", {}, [make("legend", {}, ["Model"]), ...models.map((each) => each.row)]),
          make("dl", {}, [
            make("div", {}, [make("dt", {}, ["Skill over persistence"]), skill]),
            make("div", {}, [make("dt", {}, ["Direction right"]), right]),
          ]),
          make("div", { class: "ls-track", "aria-hidden": "true" }, [bar, zero]),
          make("p", { class: "ls-ends", "aria-hidden": "true" }, [
            make("span", {}, ["harm"]), make("span", {}, ["perfect"])]),
          off,
        ]),
      ]), said]);
    host.replaceChildren(fallback, live);
    host.classList.add("ls-ready");
    document.querySelectorAll(".tag_leaks-still").forEach((still) => still.classList.add("ls-replaced"));
    draw();
  }

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".leak-switches").forEach(build));
})();
