// Search, as Sphinx has it, but: T^2 is T squared, a section goes before pages, no single letter
// counts or is marked, and what is shown of a page is its prose.
(() => {
  "use strict";
  const square = /\b([b-z])(?:\^\{?2\}?|\*\*2|²| squared)(?!\w)/gi; // as in search.py
  const asWord = (text) => text.replace(square, "$1squared");
  const asRead = (text) => text.replace(/\b([b-z])squared/gi, "$1²");
  const noProse =
    "h1, h2, h3, .headerlink, .math, annotation, .cell, pre, details, .solution, script, style";
  const { _parseQuery, _performSearch } = Search;

  const titles = Object.entries(Search._index.alltitles);
  Search._index.alltitles = Object.fromEntries(titles.map(([title, at]) => [asWord(title), at]));
  Scorer.score = ([, , anchor, , score]) => score + (anchor ? 10 : 0);

  const atLeast = (length, words) => new Set([...words].filter((word) => word.length >= length));
  Search._parseQuery = (query) => {
    const [all, terms, excluded, marked, objects] = _parseQuery(asWord(query));
    const words = atLeast(2, terms);
    return [all, words.size ? words : terms, excluded, atLeast(3, marked), objects];
  };
  Search._performSearch = (...query) =>
    _performSearch(...query).map(([page, title, ...rest]) => [page, asRead(title), ...rest]);

  // Some 240 letters, in whole words, from a little before the first word that was looked for.
  Search.makeSearchSummary = (html, terms, anchor) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    page.querySelectorAll(noProse).forEach((element) => element.remove());
    page.querySelectorAll("msup > mn:last-child").forEach((power) => {
      if (power.textContent === "2") power.textContent = "²";
    });
    page.querySelectorAll("dt").forEach((term) => term.append(": "));
    const part = (anchor && page.getElementById(anchor.slice(1))) || page.querySelector("article");
    const meaning = part.matches("dt") ? part.nextElementSibling.textContent : ""; // in the glossary
    const text = asWord(part.textContent + meaning).replace(/\s+/g, " ").trim();
    const words = [...terms].map((term) => `\\b${term}`).join("|");
    const found = anchor ? 0 : text.search(RegExp(words, "i")); // a section is named: its beginning
    const start = found < 120 ? 0 : text.indexOf(" ", found - 120) + 1;
    const end = text.length < start + 240 ? text.length : text.lastIndexOf(" ", start + 240);
    const summary = document.createElement("p");
    summary.className = "context";
    summary.textContent =
      (start ? "… " : "") + asRead(text.slice(start, end)) + (end < text.length ? " …" : "");
    return summary;
  };
})();
