// Brings each <figure class="explorer"> to life: controls, tools, the numbers of the shown frame.
//
// All frames of a figure share one table of pieces of SVG: a frame is a list of numbers of pieces.
// Frames stand in the order of the controls' places, the last control moving first; those of a
// figure with several pictures stand side by side.
(() => {
  "use strict";
  const { dataset } = document.documentElement;
  if (dataset.livefigures) return; // another output has brought the script before
  dataset.livefigures = "here";
  const explorers = new Map(); // by name

  const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const name in attributes) element.setAttribute(name, attributes[name]);
    element.append(...children);
    return element;
  };
  const button = (text, does, attributes) => {
    const made = make("button", { type: "button", ...attributes }, text);
    made.onclick = does;
    return made;
  };
  const save = (download, type, text) => {
    const href = URL.createObjectURL(new Blob([text], { type }));
    make("a", { href, download }).click();
    setTimeout(() => URL.revokeObjectURL(href), 1000);
  };

  // A native control; its place is the number of the value at which it stands.
  const control = ([name, title, kind, labels, start], id) => {
    const words = kind === "words" || kind === "bool";
    const radios = kind === "words" && labels.length <= 6; // more are a list
    const input = (type, more) => make("input", { type, id, autocomplete: "off", ...more });
    const options = labels.map((text, value) =>
      radios ? input("radio", { name: id, id: `${id}-${value}` }) : make("option", { value }, text));
    const slider = { max: labels.length - 1, "data-lm-suppress-shortcuts": "true" };
    const body = radios ? make("div", { role: "radiogroup", "aria-labelledby": id })
      : kind === "words" ? make("select", { id, autocomplete: "off" }, ...options)
      : input(words ? "checkbox" : "range", words ? {} : slider);
    if (radios) body.append(...options.map((one, n) => make("label", {}, one, labels[n])));
    body.disabled = kind === "one";
    const widest = labels.reduce((a, b) => (b.length > a.length ? b : a));
    const output = make("output", { for: id, "aria-live": "off", "data-widest": widest });
    const heading = make(radios ? "span" : "label", radios ? { id } : { for: id }, title);
    const place = () => radios ? options.findIndex((one) => one.checked)
      : kind === "bool" ? labels.indexOf(body.checked ? "yes" : "no") : Number(body.value);
    const label = () => labels[place()];
    const says = () => title + (words ? ": " : " = ") + label();
    const show = () => {
      output.textContent = label();
      if (!words) body.setAttribute("aria-valuetext", says());
    };
    const put = (n) => {
      if (radios) options[n].checked = true;
      else if (kind === "bool") body.checked = labels[n] === "yes";
      else body.value = n; // a slider keeps to its ends
      show();
    };
    put(start);
    const element = make("div", {}, heading, body, ...(words ? [] : [output]));
    const last = labels.length - 1;
    return { name, labels, last, start, slides: !words && last > 1, body, element, place, label, says, show, put };
  };

  const bring = (figure, n) => {
    const source = figure.querySelector(":scope > script[type='application/json']");
    if (!source) return; // a still figure
    const data = JSON.parse(source.textContent);
    let name = data.name;
    for (let k = 2; explorers.has(name); k += 1) name = `${data.name}-${k}`;
    const controls = data.parameters.map((one, k) => control(one, `lf-${n}-${k}`));
    const pictures = [...figure.querySelectorAll("svg[role=img]")];
    const captions = [...figure.querySelectorAll("figcaption")];
    const values = figure.querySelector(".explorer-values");
    const status = make("div", { class: "explorer-status", role: "status" });
    const panel = make("div", { class: "explorer-numbers", id: `lf-${n}-numbers`, hidden: "" });
    const number = () => controls.reduce((sum, one) => sum * (one.last + 1) + one.place(), 0);
    const of = (list) => pictures.map((_, d) => list[shown * pictures.length + d]);
    let shown = number(); // the frame that came with the page
    let slider = controls.find((one) => one.slides); // what the tools move: the one last used
    let silence, playing;

    const say = (text) => {
      status.textContent = text; // announced once, then taken away
      clearTimeout(silence);
      silence = setTimeout(() => (status.textContent = "", link.textContent = "Copy link"), 4000);
    };
    // The numbers of each picture: columns, each under its name; and rows for the eye and for CSV.
    const columns = () => of(data.tables).map((pieces) =>
      pieces.map((piece) => data.columns[piece]).join("").split("\n").slice(1)
        .map((line) => line.split("\t")));
    const rows = () => columns().map((all) => {
      const length = Math.max(...all.map((column) => column.length));
      if (length < 3) return all; // one number each: names stand beside them
      return Array.from({ length }, (_, r) => all.map((column) => column[r] ?? ""));
    });
    const fill = () => {
      const cell = (r) => (text, k) => make(k && r ? "td" : "th", {}, text);
      const tables = rows().map((lines) => make("table", {},
        make("caption", {}, values.textContent),
        ...lines.map((line, r) => make("tr", {}, ...line.map(cell(r))))));
      const room = { role: "region", "aria-label": "Numbers", tabindex: 0 };
      panel.replaceChildren(make("div", room, ...tables), button("Save as CSV", csv), data.note);
    };
    const csv = () => {
      const quoted = (text) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
      const lines = rows().flat().map((line) => `${line.map(quoted).join(",")}\n`);
      save(`${name}.csv`, "text/csv", lines.join(""));
    };
    const svg = (picture, d) => {
      const style = getComputedStyle(figure), alone = picture.cloneNode(true);
      const paper = "<rect width='100%' height='100%' fill='var(--lf-paper,#fff)'/>";
      alone.setAttribute("font-family", getComputedStyle(picture).fontFamily);
      alone.insertAdjacentHTML("afterbegin", paper);
      const text = new XMLSerializer().serializeToString(alone);
      const value = (_, variable, other) => style.getPropertyValue(variable) || other;
      const plain = text.replace(/var\((--[\w-]+),([^)]*)\)/g, value);
      save(`${name}${d ? `-${d + 1}` : ""}.svg`, "image/svg+xml", plain);
    };

    // Numbers in the prose follow, with as many decimals as they have there.
    const followers = [...document.querySelectorAll("[data-follow]")].flatMap((span) => {
      const [whose, what] = span.dataset.follow.split(":");
      const decimals = (span.textContent.split(".")[1] ?? "").length;
      return whose === name ? [[span, what, decimals]] : [];
    });
    const follow = ([span, what, decimals]) => {
      const own = controls.find((one) => one.name === what);
      const [, text] = columns().flat().find(([head]) => head === what) ?? [];
      const figure = isNaN(text) ? text : Number(text).toFixed(decimals).replace("-", "−");
      span.textContent = own?.label() ?? figure ?? span.textContent;
    };

    const move = () => {
      if (number() === shown) return false;
      shown = number();
      const [frames, words] = [of(data.frames), of(data.captions)];
      pictures.forEach((picture, d) => {
        picture.innerHTML = frames[d].map((piece) => data.chunks[piece]).join("");
        picture.setAttribute("aria-label", words[d]);
        captions[d].textContent = words[d];
      });
      controls.forEach((one) => one.show());
      values.textContent = controls.map((one) => one.says()).join(", ");
      followers.forEach(follow);
      if (!panel.hidden) fill();
      return true;
    };
    // A move of this figure, said in words; those that are linked with it follow in silence.
    const moved = () => {
      if (move() && !playing) say(of(data.captions).join(" "));
      for (const one of controls.filter((one) => data.link.includes(one.name)))
        explorers.forEach((other) => other.join(one.name, one.label()));
    };
    const put = (what, label) => {
      const one = controls.find((one) => one.name === what);
      const place = one?.labels.findIndex((l) => l.replace("−", "-") === label.replace("−", "-"));
      if (place >= 0) one.put(place);
    };
    const join = (what, label) => {
      if (data.link.includes(what)) put(what, label);
      move();
    };
    const go = (pairs) => {
      stop();
      pairs.forEach(([what, label = ""]) => put(what, label));
      moved();
      figure.scrollIntoView();
      figure.querySelector("input, select").focus({ preventScroll: true });
    };
    explorers.set(name, { join, go });

    const step = (by) => {
      slider.put(slider.place() + by);
      moved();
    };
    const stop = () => {
      clearInterval(playing);
      playing = undefined;
      play.textContent = "Play";
    };
    const play = button("Play", () => {
      if (playing) return stop();
      if (slider.place() === slider.last) step(-slider.last);
      const pace = Math.min(Math.max(6000 / slider.last, 350), 1000); // ms
      playing = setInterval(() => {
        if (slider.place() >= slider.last - 1) stop();
        step(1);
      }, pace);
      play.textContent = "Stop";
    }, { class: "explorer-play" });
    const link = button("Copy link", async () => {
      const state = controls.map((one) => `${one.name}=${encodeURIComponent(one.label())}`);
      const address = `${location.href.split("#")[0]}#${name}:${state}`;
      try {
        await navigator.clipboard.writeText(address);
        say(link.textContent = "Copied");
      } catch {
        history.replaceState(history.state, "", address);
        say(link.textContent = "It is in the address bar");
      }
    });
    const unfold = button("Numbers", () => {
      panel.hidden = !panel.hidden;
      unfold.setAttribute("aria-expanded", !panel.hidden);
      fill();
    }, { "aria-expanded": "false", "aria-controls": panel.id });
    const back = button("‹", () => step(-1), { "aria-label": "One step back" });
    const forth = button("›", () => step(1), { "aria-label": "One step forward" });
    const start = button("Start", () => {
      stop();
      controls.forEach((one) => one.put(one.start));
      moved();
    });
    const svgs = button("Save as SVG", () => pictures.forEach(svg));
    const tools = make("div", { class: "explorer-tools", role: "group", "aria-label": "Tools" });
    tools.append(...(slider ? [back, play, forth] : []), start, link, svgs);
    if (data.columns.length) tools.append(unfold);
    // Every caption stands unseen in its place: the tallest keeps its height, at any width.
    captions.forEach((caption, d) => {
      const texts = new Set(data.captions.filter((_, k) => k % captions.length === d));
      const lines = [...texts].map((text) => make("span", {}, text));
      caption.before(make("div", { class: "explorer-room", "aria-hidden": "true" }, ...lines));
    });
    values.before(make("div", { class: "explorer-controls" }, ...controls.map((c) => c.element)));
    figure.append(tools, panel, status);
    figure.addEventListener("input", ({ target }) => {
      stop();
      slider = controls.find((one) => one.slides && one.body === target) ?? slider;
      moved();
    });
  };

  const find = () => {
    const [name, state] = location.hash.slice(1).split(":");
    const pairs = state?.split(",").map((pair) => pair.split("=").map(decodeURIComponent));
    if (pairs) explorers.get(decodeURIComponent(name))?.go(pairs);
  };
  const bringAll = () => {
    document.querySelectorAll("figure.explorer").forEach(bring);
    find();
  };
  addEventListener("hashchange", find);
  document.addEventListener("click", ({ target }) => {
    if (target.closest("a")?.href === location.href) find(); // the same link again
  });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", bringAll);
  else bringAll();
})();
