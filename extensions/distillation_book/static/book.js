// What is too wide for the page scrolls in its box, and a keyboard must reach the box to scroll it.
(() => {
  "use strict";
  const boxes = ".formula, pre, .pst-scrollable-table-container, .cell_output .output";
  const mark = (box) => {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  };
  // A box in a solution gets its width when the solution is opened.
  const sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => mark(target)));
  const all = () => document.querySelectorAll(boxes).forEach(mark);
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(boxes).forEach((box) => sizes.observe(box));
    document.fonts.ready.then(all); // what is in the box has another width, the box has not
  });
})();
