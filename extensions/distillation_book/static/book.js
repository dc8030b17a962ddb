// What is too wide for the page scrolls in its box, and a keyboard must reach the box to scroll it.
(() => {
  "use strict";
  const boxes = ".formula, pre, .pst-scrollable-table-container, .cell_output .output";
  const mark = () =>
    document.querySelectorAll(boxes).forEach((box) => {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    });
  document.addEventListener("DOMContentLoaded", mark);
  document.fonts.ready.then(mark);
  let waiting;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(mark, 200);
  });
  // A box in a closed solution has no width before it is opened.
  document.addEventListener("click", () => setTimeout(mark, 400));
})();
