// Moves the frames of each <figure class="explorer"> with its sliders.
//
// All frames of a figure share one table of pieces of SVG: a frame is a list of numbers of pieces.
// Frames stand in the order of the sliders' places, the last slider moving first.
(() => {
  "use strict";

  const bring = (figure) => {
    const source = figure.querySelector(':scope > script[type="application/json"]');
    if (!source) return; // a still figure
    const { labels, captions, chunks, frames } = JSON.parse(source.textContent);
    const inputs = [...figure.querySelectorAll("input")];
    const outputs = [...figure.querySelectorAll("output")];
    const names = [...figure.querySelectorAll("label")].map((label) => label.textContent);
    const picture = figure.querySelector(":scope > svg");
    const caption = figure.querySelector("figcaption");
    const status = figure.querySelector(".explorer-status");
    const number = (place) =>
      inputs.reduce((sum, input, k) => sum * labels[k].length + Number(input[place]), 0);
    let shown = number("defaultValue"); // the frame that came with the page
    let silence;

    const move = () => {
      const frame = number("value");
      if (frame === shown) return;
      shown = frame;
      picture.innerHTML = frames[frame].map((piece) => chunks[piece]).join("");
      picture.setAttribute("aria-label", captions[frame]);
      caption.textContent = captions[frame];
      inputs.forEach((input, k) => {
        const label = labels[k][input.value];
        input.setAttribute("aria-valuetext", `${names[k]} = ${label}`);
        outputs[k].textContent = label;
      });
      // Announced once, then taken away, for the picture's name has the same words.
      status.textContent = captions[frame];
      clearTimeout(silence);
      silence = setTimeout(() => (status.textContent = ""), 4000);
    };

    // Every caption stands unseen in the caption's place: the tallest keeps its height, at any width.
    const lines = [...new Set(captions)].map((text) => {
      const line = document.createElement("span");
      line.textContent = text;
      return line;
    });
    figure.querySelector(".explorer-room").replaceChildren(...lines);
    figure.addEventListener("input", move);
    move(); // a browser may have kept the sliders of a former visit
  };

  const bringAll = () => document.querySelectorAll("figure.explorer").forEach(bring);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", bringAll);
  else bringAll();
})();
