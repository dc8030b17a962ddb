// Brings each <figure class="explorer"> to life: controls, tools, the numbers of the shown frame.
// A frame: pieces of SVG, or the numbers of shared ones.  The last control's places move first.
(() => {
  "use strict";
  if (document.documentElement.dataset.explorers) return; // an output has brought it before
  document.documentElement.dataset.explorers = "alive";
  const explorers = new Map(); // by name
  const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const name in attributes) element.setAttribute(name, attributes[name]);
    element.append(...children);
    return element;
  };
  const button = (text, onclick, attributes) =>
    Object.assign(make("button", { type: "button", ...attributes }, text), { onclick });
  const save = (download, text) =>
    make("a", { download, href: URL.createObjectURL(new Blob([text])) }).click();

  // A native control; its place is the number of the value at which it stands.
  const control = ([name, title, kind, labels, start], id) => {
    const slides = !["radio", "select", "checkbox"].includes(kind), radio = kind === "radio";
    const options = labels.map((text, value) =>
      radio ? make("input", { type: kind, name: id }) : make("option", { value }, text));
    const body = radio ? make("div", { role: "radiogroup", "aria-labelledby": id })
      : kind === "select" ? make(kind, { id }, ...options)
      : make("input", { id, type: slides ? "range" : kind, max: labels.length - 1 });
    if (radio) body.append(...options.map((one, n) => make("label", {}, one, labels[n])));
    body.disabled = kind === "one";
    body.dataset.lmSuppressShortcuts = true; // JupyterLab would take the arrow keys
    const widest = labels.reduce((a, b) => (b.length > a.length ? b : a));
    const output = make("output", { for: id, "aria-live": "off", "data-widest": widest });
    const heading = make(radio ? "span" : "label", radio ? { id } : { for: id }, title);
    const place = () => radio ? options.findIndex((one) => one.checked)
      : kind === "checkbox" ? labels.indexOf(body.checked ? "yes" : "no") : Number(body.value);
    const label = () => labels[place()], says = () => title + (slides ? " = " : ": ") + label();
    const show = () => {
      output.textContent = label();
      if (slides) body.setAttribute("aria-valuetext", says());
    };
    const put = (place = start) => {
      if (radio) options[place].checked = true;
      body.checked = labels[place] === "yes";
      body.value = place; // a slider keeps to its ends
    };
    put(), show();
    const element = make("div", {}, heading, body, ...(slides ? [output] : []));
    const last = labels.length - 1, steps = slides && last > 1;
    return { name, labels, last, steps, body, element, place, label, says, show, put };
  };

  const bring = ({ parentElement: figure, textContent }, n) => {
    const { name: own, link, parameters, captions, chunks, frames, columns, tables, note } =
      JSON.parse(textContent);
    let name = own;
    for (let k = 2; explorers.has(name); k += 1) name = `${own}-${k}`;
    const controls = parameters.map((one, k) => control(one, `lf-${n}-${k}`));
    const pictures = [...figure.querySelectorAll("svg[role=img]")];
    const lines = [...figure.querySelectorAll("figcaption")];
    const values = figure.querySelector(".explorer-values");
    const status = make("div", { class: "explorer-status", role: "status" });
    const panel = make("div", { class: "explorer-numbers", id: `lf-${n}`, hidden: "" });
    const number = () => controls.reduce((sum, one) => sum * (one.last + 1) + one.place(), 0);
    const of = (list) => pictures.map((_, d) => list[shown * pictures.length + d]);
    const named = (what) => controls.find((one) => one.name === what);
    let shown = number(); // the frame that came with the page
    let silence, playing, slider = controls.find((one) => one.steps); // the one last used
    const say = (text, told = "Copy link") => {
      status.textContent = text; // announced once, then taken away
      copy.textContent = told;
      clearTimeout(silence);
      if (text) silence = setTimeout(say, 4000, "");
    };
    // The numbers of each picture: columns, each under its name; rows for the eye and for CSV.
    const whole = (pieces, shared) => pieces.map((piece) => shared[piece] ?? piece).join("");
    const numbers = () => of(tables).map((pieces) =>
      whole(pieces, columns).split("\n").slice(1).map((line) => line.split("\t")));
    const rows = () => numbers().map((all) => {
      const length = Math.max(...all.map((column) => column.length));
      if (length < 3) return [["name", "value"], ...all];
      return Array.from({ length }, (_, r) => all.map((column) => column[r] ?? ""));
    });
    const fill = () => {
      const cells = (row, r) => row.map((text, k) => make(r && k ? "td" : "th", {}, text));
      const all = rows().map((body) => make("table", {}, make("caption", {}, values.textContent),
        ...body.map((row, r) => make("tr", {}, ...cells(row, r)))));
      const room = make("div", { role: "group", "aria-label": "Numbers", tabindex: 0 }, ...all);
      panel.replaceChildren(room, button("Save CSV", csv), note);
    };
    const quoted = (text) => (/[\x22,]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const csv = () =>
      save(`${name}.csv`, rows().flat().map((row) => row.map(quoted) + "\n").join(""));
    const svg = (picture, d) => {
      const style = getComputedStyle(picture), alone = picture.cloneNode(true);
      alone.setAttribute("font-family", style.fontFamily);
      const paper = "<rect width='100%' height='100%' fill='var(--lf-paper,#fff)'/>";
      alone.innerHTML = paper + alone.innerHTML;
      const text = new XMLSerializer().serializeToString(alone);
      const value = (_, variable, other) => style.getPropertyValue(variable) || other;
      save(`${name}${d || ""}.svg`, text.replace(/var\((--[\w-]+),([^)]*)\)/g, value));
    };
    // Numbers in the prose follow, with as many decimals as they have there.
    const followers = [...document.querySelectorAll(`[data-follow^="${name}:"]`)].map((span) =>
      [span, span.dataset.follow.split(":")[1], (span.textContent.split(".")[1] ?? "").length]);
    const follow = ([span, what, decimals]) => {
      const [, text] = numbers().flat().find(([head]) => head === what) ?? [];
      const plain = isNaN(text) ? text : Number(text).toFixed(decimals).replace("-", "−");
      span.textContent = named(what)?.label() ?? plain ?? span.textContent;
    };
    const move = () => {
      if (number() === shown) return false;
      shown = number();
      pictures.forEach((picture, d) => {
        picture.innerHTML = whole(of(frames)[d], chunks);
        lines[d].textContent = of(captions)[d];
        picture.setAttribute("aria-label", of(captions)[d]);
      });
      controls.forEach((one) => one.show());
      values.textContent = controls.map((one) => one.says()).join(", ");
      followers.forEach(follow);
      if (!panel.hidden) fill();
      return true;
    };
    // A move of this figure, said in words; those that are linked with it follow in silence.
    const moved = () => {
      if (move() && !playing) say(of(captions).join(" "));
      for (const what of link) explorers.forEach((other) => other.join(what, named(what).label()));
    };
    const change = (does = () => {}) => {
      playing = clearInterval(playing);
      play.textContent = "Play";
      does();
      moved();
    };
    const put = (what, label = "") => {
      const place = named(what)?.labels.indexOf(label.replace(/^-(?=[\d.])/, "−"));
      if (place >= 0) named(what).put(place);
    };
    const join = (what, label) => link.includes(what) && (put(what, label), move());
    const go = (pairs) => {
      change(() => pairs.forEach((pair) => put(...pair)));
      figure.scrollIntoView();
      figure.querySelector("input, select").focus({ preventScroll: true });
    };
    explorers.set(name, { join, go });
    const step = (by) => slider.put(slider.place() + by);
    const tool = (text, does, attributes) => button(text, () => change(does), attributes);
    const back = tool("‹", () => step(-1), { "aria-label": "Step back" });
    const forward = tool("›", () => step(1), { "aria-label": "Step forward" });
    const start = tool("Start", () => controls.forEach((one) => one.put()));
    const run = () => {
      step(slider.place() === slider.last ? -slider.last : 1);
      slider.place() < slider.last ? moved() : change(); // the last step is said in words
    };
    const play = button("Play", () => {
      if (playing) return change();
      playing = setInterval(run, Math.min(Math.max(6000 / slider.last, 350), 1000));
      play.textContent = "Stop";
      run();
    }, { class: "explorer-play" });
    const copy = button("Copy link", () => {
      const state = controls.map((one) => `${one.name}=${encodeURIComponent(one.label())}`);
      history.replaceState(history.state, "", `#${name}:${state}`); // where it can be copied, too
      const [done, not] = ["Copied", "See the address"].map((text) => () => say(text, text));
      (navigator.clipboard?.writeText(location.href) ?? Promise.reject()).then(done, not);
    });
    const unfold = button("Numbers", () => {
      unfold.ariaExpanded = !(panel.hidden = !panel.hidden);
      fill();
    }, { "aria-expanded": false, "aria-controls": panel.id });
    const saves = button("Save SVG", () => pictures.forEach(svg));
    const tools = make("div", { class: "explorer-tools", role: "group", "aria-label": "Tools" },
      ...(slider ? [back, play, forward] : []), start, copy, saves,
      ...(tables[0].length ? [unfold] : []));
    // Every caption stands unseen in its place: the tallest keeps its height, at any width.
    lines.forEach((line, d) => {
      const all = new Set(captions.filter((_, k) => k % lines.length === d));
      const spans = [...all].map((text) => make("span", {}, text));
      line.before(make("div", { class: "explorer-room", "aria-hidden": true }, ...spans));
    });
    values.before(make("div", { class: "explorer-controls" }, ...controls.map((c) => c.element)));
    figure.append(tools, panel, status);
    figure.oninput = ({ target }) =>
      change(() => (slider = controls.find((one) => one.steps && one.body === target) ?? slider));
  };
  const find = () => {
    const [name, state] = location.hash.slice(1).split(":");
    const pairs = state?.split(",").map((pair) => pair.split("=").map(decodeURIComponent));
    if (pairs) explorers.get(decodeURIComponent(name))?.go(pairs);
  };
  const bringAll = () => document.querySelectorAll(".explorer > script").forEach(bring) ?? find();
  addEventListener("hashchange", find);
  // The same link again changes no address.
  addEventListener("click", ({ target }) => target.closest("a")?.href === location.href && find());
  document.readyState === "loading" ? addEventListener("DOMContentLoaded", bringAll) : bringAll();
})();
