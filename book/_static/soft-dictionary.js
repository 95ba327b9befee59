// A soft dictionary to play with: five keys, five values, one query, one temperature.
//
// Put <div class="soft-dictionary">…</div> in a page. What stands inside is shown without scripts and on paper.
// The numbers are those of attnlstm_ref.numpy: dot_scores, softmax(scores, temperature), weights @ values.
(function () {
  "use strict";

  const NAMES = ["A", "B", "C", "D", "E"];
  const KEYS = [[0.9, 0.25], [0.3, 0.85], [-0.6, 0.65], [-0.75, -0.45], [0.35, -0.8]];
  const VALUES = [[0.8, -0.6], [0.9, 0.5], [0.05, 0.9], [-0.85, 0.35], [-0.55, -0.75]];
  const REACH = 1.2; // the planes go from -REACH to REACH
  const STEP = 0.05; // an arrow key moves the query by this much, with Shift by five times as much

  // --- the idea ---------------------------------------------------------------------------------------------
  const dot = (a, b) => a.reduce((sum, each, i) => sum + each * b[i], 0);

  function softmax(scores, temperature = 1) {
    const most = Math.max(...scores); // taken away, it changes no weight and keeps exp from overflowing
    const e = scores.map((score) => Math.exp((score - most) / temperature));
    const total = e.reduce((a, b) => a + b, 0);
    return e.map((each) => each / total);
  }

  function attend(query, keys, values, temperature = 1) {
    const weights = softmax(keys.map((key) => dot(query, key)), temperature);
    const context = values[0].map((_, i) => dot(weights, values.map((value) => value[i])));
    return { context, weights };
  }

  window.softDictionary = { attend, softmax, keys: KEYS, values: VALUES };

  // --- the drawing ------------------------------------------------------------------------------------------
  const SVG = "http://www.w3.org/2000/svg";

  function make(name, attributes = {}, children = []) {
    const svg = ["svg", "g", "line", "circle", "rect", "polygon", "text"].includes(name);
    const node = svg ? document.createElementNS(SVG, name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  const x = (point) => (100 * point[0]).toFixed(2);
  const y = (point) => (-100 * point[1]).toFixed(2);
  const two = (number) => (Math.abs(number) < 0.005 ? 0 : number).toFixed(2).replace("-", "−");
  const pair = (point) => `(${two(point[0])}, ${two(point[1])})`;
  const clip = (number) => Math.min(REACH, Math.max(-REACH, number));

  function plane(title) {
    const edge = 100 * REACH + 12;
    const axes = [[-edge, 0, edge, 0], [0, -edge, 0, edge]].map(([x1, y1, x2, y2]) =>
      make("line", { x1, y1, x2, y2, class: "sd-axis" }));
    const box = [-edge, -edge, 2 * edge, 2 * edge].join(" ");
    const svg = make("svg", { viewBox: box, "aria-hidden": "true", focusable: "false" }, axes);
    return { svg, figure: make("div", { class: "sd-plane" }, [make("p", { class: "sd-title" }, [title]), svg]) };
  }

  function label(point, text, push = 13) {
    const length = Math.hypot(...point) || 1;
    const at = point.map((each) => each + (push / 100) * (each / length));
    return make("text", { x: x(at), y: y(at), class: "sd-label" }, [text]);
  }

  function build(host) {
    const fallback = make("div", { class: "sd-fallback" }, [...host.childNodes]);
    let query = [0.55, 0.5];
    const id = `soft-dictionary-${[...document.querySelectorAll(".soft-dictionary")].indexOf(host)}`;

    // left: the keys, and the query among them
    const left = plane("Keys, and your query");
    KEYS.forEach((key, i) => {
      left.svg.append(make("line", { x1: 0, y1: 0, x2: x(key), y2: y(key), class: `sd-key sd-v${i}` }),
        make("circle", { cx: x(key), cy: y(key), r: 5, class: `sd-dot sd-v${i}` }), label(key, NAMES[i]));
    });
    const arrow = make("line", { x1: 0, y1: 0, class: "sd-query-line" });
    const knob = make("circle", { r: 9, class: "sd-query" });
    const ring = make("circle", { r: 15, class: "sd-ring" });
    left.svg.append(arrow, ring, knob);
    // The handle lies over the drawing as an ordinary element, so that focus and screen readers find it.
    const handle = make("div", { class: "sd-handle", tabindex: 0, role: "slider", "aria-orientation": "horizontal",
      "aria-label": "Query; the four arrow keys move it", "aria-valuemin": -REACH, "aria-valuemax": REACH });
    const stage = make("div", { class: "sd-stage" }, [left.svg, handle]);
    left.figure.append(stage);

    // right: the values, what they span, and the context inside
    const right = plane("Values, and the context");
    right.svg.append(make("polygon", { points: VALUES.map((v) => `${x(v)},${y(v)}`).join(" "), class: "sd-hull" }));
    const pulls = VALUES.map((v, i) => make("line", { x1: x(v), y1: y(v), class: `sd-pull sd-v${i}` }));
    right.svg.append(...pulls);
    VALUES.forEach((v, i) =>
      right.svg.append(make("circle", { cx: x(v), cy: y(v), r: 6, class: `sd-dot sd-v${i}` }), label(v, NAMES[i], 16)));
    const context = make("circle", { r: 8, class: "sd-context" });
    right.svg.append(context);

    // below: the temperature and the weights
    const slider = make("input", { type: "range", id: `${id}-tau`, min: -3, max: 1.6, step: 0.05, value: -0.7 });
    const tau = make("output", { for: `${id}-tau`, class: "sd-number" });
    const control = make("div", { class: "sd-control" }, [make("label", { for: `${id}-tau` }, ["Temperature τ "]), tau, slider,
      make("span", { class: "sd-ends", "aria-hidden": "true" }, [make("span", {}, ["sharp"]), make("span", {}, ["flat"])])]);
    const rows = NAMES.map((name, i) => {
      const bar = make("span", { class: `sd-bar sd-v${i}` });
      const number = make("span", { class: "sd-number" });
      const row = make("li", {}, [make("span", { class: "sd-name" }, [name]), make("span", { class: "sd-track" }, [bar]), number]);
      return { row, bar, number };
    });
    const bars = make("div", { class: "sd-weights" }, [make("p", { class: "sd-title" }, ["Weights α"]), make("ul", {}, rows.map((r) => r.row))]);
    const said = make("p", { class: "sd-said", "aria-live": "polite" });

    function draw() {
      const temperature = Math.exp(Number(slider.value));
      const now = attend(query, KEYS, VALUES, temperature);
      for (const node of [knob, ring]) { node.setAttribute("cx", x(query)); node.setAttribute("cy", y(query)); }
      arrow.setAttribute("x2", x(query)); arrow.setAttribute("y2", y(query));
      context.setAttribute("cx", x(now.context)); context.setAttribute("cy", y(now.context));
      pulls.forEach((pull, i) => {
        pull.setAttribute("x2", x(now.context)); pull.setAttribute("y2", y(now.context));
        pull.setAttribute("stroke-width", (0.5 + 9 * now.weights[i]).toFixed(2));
      });
      rows.forEach((row, i) => {
        row.bar.style.width = `${(100 * now.weights[i]).toFixed(2)}%`;
        row.number.textContent = two(now.weights[i]);
      });
      tau.textContent = two(temperature);
      slider.setAttribute("aria-valuetext", two(temperature));
      handle.style.left = `${50 + (50 * 100 * query[0]) / (100 * REACH + 12)}%`;
      handle.style.top = `${50 - (50 * 100 * query[1]) / (100 * REACH + 12)}%`;
      handle.setAttribute("aria-valuenow", query[0].toFixed(2));
      handle.setAttribute("aria-valuetext", `${two(query[0])} across, ${two(query[1])} up`);
      const first = now.weights.indexOf(Math.max(...now.weights));
      said.textContent = `Query ${pair(query)}: most weight on ${NAMES[first]}, ${two(now.weights[first])}; context ${pair(now.context)}.`;
      host.dataset.weights = JSON.stringify(now.weights);
      host.dataset.query = JSON.stringify(query);
    }

    function moveTo(px, py) { query = [clip(px), clip(py)].map((each) => Math.round(each * 1000) / 1000); draw(); }

    function follow(event) {
      const box = left.svg.getBoundingClientRect();
      const reach = (100 * REACH + 12) / 50;
      moveTo(((event.clientX - box.left) / box.width - 0.5) * reach, (0.5 - (event.clientY - box.top) / box.height) * reach);
    }

    stage.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      stage.setPointerCapture(event.pointerId);
      handle.focus({ preventScroll: true });
      follow(event);
    });
    stage.addEventListener("pointermove", (event) => stage.hasPointerCapture(event.pointerId) && follow(event));
    handle.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (event.key === "Home") moveTo(0, 0);
      else if (to) moveTo(query[0] + to[0] * STEP * (event.shiftKey ? 5 : 1), query[1] + to[1] * STEP * (event.shiftKey ? 5 : 1));
      else return;
      event.preventDefault();
    });
    slider.addEventListener("input", draw);

    const group = make("div", { class: "sd-live", role: "group", "aria-label": "Soft dictionary: move the query, change the temperature" },
      [make("div", { class: "sd-planes" }, [left.figure, right.figure]), make("div", { class: "sd-below" }, [bars, control]), said]);
    host.replaceChildren(fallback, group);
    host.classList.add("sd-ready");
    draw();
  }

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".soft-dictionary").forEach(build));
})();
