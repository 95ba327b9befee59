// Scores in, weights out, with a temperature between them: the slider of chapter 7.
//
// Put <div class="temperature-slider">…</div> in a page. What stands inside is shown without scripts and on paper, and so
// is the cell tagged `temperature-still`, a picture of the same: on a screen with scripts the slider takes their place.
// The numbers are those of attnlstm_ref.numpy: softmax(scores, temperature), entropy(weights), effective_length(weights).
(function () {
  "use strict";

  const WORDS = ["slow", "at", "first", "but", "the", "end", "is", "magic"];
  const SCORES = [1.1, -0.9, -0.2, 0.6, -1.2, 0.3, -0.7, 1.5];
  const REACH = 4; // scores go from -REACH to REACH
  const COLDEST = 0.05, HOTTEST = 20;
  const PAUSE = 700; // ms without a move before the sentence below is read out

  // --- the idea ---------------------------------------------------------------------------------------------
  const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

  function softmax(scores, temperature = 1) {
    const most = Math.max(...scores); // taken away, it changes no weight and keeps exp from overflowing
    const e = scores.map((score) => Math.exp((score - most) / temperature));
    const total = sum(e);
    return e.map((each) => each / total);
  }

  // Math.abs turns the -0 of a single step into 0
  const entropy = (weights) => Math.abs(sum(weights.map((w) => (w > 0 ? w * Math.log(w) : 0))));
  const effectiveLength = (weights) => (Math.max(...weights) > 0 ? Math.exp(entropy(weights)) : 0);

  // Size of the matrix ∂α_t/∂e_s = α_t (δ_ts − α_s)/τ: how much of any complaint about the weights reaches the scores
  function passes(weights, temperature = 1) {
    const squares = sum(weights.map((w) => w * w)), cubes = sum(weights.map((w) => w * w * w));
    return Math.sqrt(Math.max(0, squares - 2 * cubes + squares * squares)) / temperature;
  }

  window.temperatureSlider = { softmax, entropy, effectiveLength, passes, scores: SCORES };

  // --- the drawing ------------------------------------------------------------------------------------------
  const SVG = "http://www.w3.org/2000/svg";

  function make(name, attributes = {}, children = []) {
    const svg = ["svg", "g", "line", "circle", "path", "text"].includes(name);
    const node = svg ? document.createElementNS(SVG, name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  const fixed = (number, digits) => number.toFixed(digits).replace(/^-(0\.?0*)$/, "$1").replace("-", "−");
  const asTau = (number) => fixed(number, number < 1 ? 2 : 1);

  // the plot: temperature across (by its logarithm), effective length and gradient up, each between 0 and 1
  const WIDE = 300, HIGH = 120, POINTS = 121;
  const at = (temperature) => (WIDE * Math.log(temperature / COLDEST)) / Math.log(HOTTEST / COLDEST);
  const grid = Array.from({ length: POINTS }, (_, i) => COLDEST * (HOTTEST / COLDEST) ** (i / (POINTS - 1)));
  const curve = (heights) => "M" + grid.map((t, i) => `${at(t).toFixed(1)},${(HIGH * (1 - heights[i])).toFixed(1)}`).join("L");

  function build(host, number) {
    const fallback = make("div", { class: "ts-fallback" }, [...host.childNodes]);
    const id = `temperature-slider-${number}`;
    let scores = [...SCORES];

    // one row a word: its score, which can be moved, and its weight
    const rows = WORDS.map((word, i) => {
      const slider = make("input", { type: "range", min: -REACH, max: REACH, step: 0.1, "aria-label": `Score of “${word}”` });
      const score = make("span", { class: "ts-number", "aria-hidden": "true" });
      const bar = make("span", { class: "ts-bar" });
      const weight = make("span", { class: "ts-number ts-weight" });
      slider.addEventListener("input", () => { scores[i] = Number(slider.value); draw(); });
      const row = make("li", {}, [make("span", { class: "ts-word" }, [word]), slider, score,
        make("span", { class: "ts-track", "aria-hidden": "true" }, [bar]), weight]);
      return { row, slider, score, bar, weight, word };
    });
    const head = make("p", { class: "ts-head", "aria-hidden": "true" },
      ["word", "score e", "", "weight α", ""].map((text) => make("span", {}, [text])));
    const list = make("ul", { "aria-label": "Words, their scores and their weights" }, rows.map((each) => each.row));

    // the temperature, by its logarithm
    const tau = make("input", { type: "range", id: `${id}-tau`, class: "ts-tau", min: Math.log(COLDEST), max: Math.log(HOTTEST),
      step: "any", value: 0 });
    tau.addEventListener("keydown", (event) => { // "any" leaves the size of a step to the browser: say it
      const way = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -5, PageUp: 5 }[event.key];
      if (!way || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      tau.value = Number(tau.value) + way * Math.log(1.1) * (event.shiftKey ? 5 : 1);
      draw();
    });
    tau.addEventListener("input", () => draw());
    const shown = make("span", { class: "ts-number ts-shown" });
    const control = make("div", { class: "ts-control" }, [make("label", { for: `${id}-tau` }, ["Temperature τ"]), shown, tau,
      make("span", { class: "ts-ends", "aria-hidden": "true" }, [make("span", {}, ["sharp"]), make("span", {}, ["flat"])])]);

    // what comes out of it
    const readings = Object.fromEntries(["entropy", "length", "gradient"].map((name) => [name, make("dd", { class: "ts-number" })]));
    const results = make("dl", {}, [
      make("div", {}, [make("dt", {}, ["Entropy H, nats"]), readings.entropy]),
      make("div", {}, [make("dt", {}, [`Effective length, of ${WORDS.length}`]), readings.length]),
      make("div", {}, [make("dt", {}, ["Gradient passed on"]), readings.gradient]),
    ]);
    const long = make("path", { class: "ts-long" }), slope = make("path", { class: "ts-slope" });
    const here = make("line", { y1: 0, y2: HIGH, class: "ts-here" });
    const dots = [make("circle", { r: 5, class: "ts-long-dot" }), make("circle", { r: 5, class: "ts-slope-dot" })];
    const marks = [0.1, 1, 10].map((t) => make("text", { x: at(t), y: HIGH + 17, class: "ts-mark" }, [`τ = ${t}`]));
    const names = [make("text", { class: "ts-name ts-long-name" }, ["effective length"]),
      make("text", { class: "ts-name ts-slope-name" }, ["gradient"])];
    const plot = make("svg", { viewBox: `-8 -22 ${WIDE + 16} ${HIGH + 44}`, "aria-hidden": "true", focusable: "false" },
      [make("line", { x1: 0, x2: WIDE, y1: HIGH, y2: HIGH, class: "ts-axis" }), here, long, slope, ...dots, ...marks, ...names]);

    const level = make("button", { type: "button" }, ["Level the scores"]);
    const back = make("button", { type: "button" }, ["Back to the start"]);
    level.addEventListener("click", () => { scores = SCORES.map(() => 0); draw(true); });
    back.addEventListener("click", () => { scores = [...SCORES]; tau.value = 0; draw(true); });
    const said = make("p", { class: "ts-said", "aria-live": "polite" });
    let waiting = 0;

    function draw() {
      const temperature = Math.exp(Number(tau.value));
      const weights = softmax(scores, temperature);
      const h = entropy(weights), n = effectiveLength(weights), g = passes(weights, temperature);
      rows.forEach((each, i) => {
        each.slider.value = scores[i];
        each.score.textContent = fixed(scores[i], 1);
        each.slider.setAttribute("aria-valuetext", `${fixed(scores[i], 1)}, weight ${fixed(weights[i], 2)}`);
        each.bar.style.width = `${(100 * weights[i]).toFixed(2)}%`;
        each.weight.textContent = fixed(weights[i], 2);
      });
      shown.textContent = asTau(temperature);
      tau.setAttribute("aria-valuetext", `${asTau(temperature)}, effective length ${fixed(n, 1)} of ${WORDS.length}`);
      readings.entropy.textContent = fixed(h, 2);
      readings.length.textContent = fixed(n, 2);
      readings.gradient.textContent = g < 0.0005 && g > 0 ? "< 0.001" : fixed(g, 3);

      const all = grid.map((t) => softmax(scores, t));
      const lengths = all.map((w) => effectiveLength(w) / WORDS.length);
      const slopes = all.map((w, i) => passes(w, grid[i]));
      const top = Math.max(...slopes, 1e-9);
      long.setAttribute("d", curve(lengths));
      slope.setAttribute("d", curve(slopes.map((each) => each / top)));
      const x = at(temperature).toFixed(1);
      here.setAttribute("x1", x); here.setAttribute("x2", x);
      [n / WORDS.length, Math.min(1, g / top)].forEach((height, i) => {
        dots[i].setAttribute("cx", x); dots[i].setAttribute("cy", (HIGH * (1 - height)).toFixed(1));
      });
      const peak = at(grid[slopes.indexOf(Math.max(...slopes))]);
      const flat = lengths[0] > 0.9; // equal scores: the line is at the top all along
      names[0].setAttribute("x", WIDE); names[0].setAttribute("y", -8); names[0].setAttribute("text-anchor", "end");
      names[1].setAttribute("x", flat ? 26 : Math.max(28, Math.min(120, peak))); names[1].setAttribute("y", flat ? 44 : -8);
      names[1].setAttribute("text-anchor", flat ? "start" : "middle");

      Object.assign(host.dataset, { weights: JSON.stringify(weights), scores: JSON.stringify(scores), temperature,
        entropy: h, length: n, gradient: g });
      clearTimeout(waiting); // said once the reader stops, not at every step
      waiting = setTimeout(() => {
        const first = weights.indexOf(Math.max(...weights));
        const equal = Math.max(...weights) - Math.min(...weights) < 1e-9;
        said.textContent = equal ? "All scores are equal: no temperature makes one weight larger than another."
          : `At τ = ${asTau(temperature)} the weights are worth ${fixed(n, 1)} of ${WORDS.length} words; “${WORDS[first]}” has ${fixed(weights[first], 2)}.`;
      }, PAUSE);
    }

    const group = make("div", { class: "ts-live", role: "group", "aria-label": "Temperature: change it, and the scores" },
      [make("div", { class: "ts-columns" }, [control, make("div", { class: "ts-words" }, [head, list]),
        make("div", { class: "ts-results" }, [results, plot, make("div", { class: "ts-buttons" }, [level, back])])]), said]);
    host.replaceChildren(fallback, group);
    host.classList.add("ts-ready");
    document.querySelectorAll(".tag_temperature-still").forEach((still) => still.classList.add("ts-replaced"));
    draw();
  }

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".temperature-slider").forEach(build));
})();
