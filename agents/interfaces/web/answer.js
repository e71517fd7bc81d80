// An answer on the page: what it says, how sure it is, what it cost, the paths it took, the quotes it rests on.

import { call } from "./api.js";
import { button, clean, cut, el, oneLine, svg } from "./dom.js";
import { Graph } from "./graph.js";
import * as words from "./words.js";

const FACTS = 40; // loaded when a node is expanded

// Text whose [n] become what `mark(n)` makes, where n is a citation of the record; the point after one stays on its line.
export function marked(text, record, mark) {
  const known = new Set(record.citations.map((citation) => citation.id));
  return clean(text)
    .split(/(\[\d+\][.,;:]?)/u)
    .map((part) => {
      const [, number, point] = /^\[(\d+)\](.?)$/u.exec(part) ?? [];
      return number && known.has(Number(number)) ? el("span", { class: "nowrap" }, mark(Number(number)), point) : part;
    });
}

export const status = (record) => el("span", { class: `status ${record.status}` }, record.status);

export function confidence(value) {
  const bar = svg("svg", { class: "meter", viewBox: "0 0 60 6", width: 60, height: 6, "aria-hidden": "true" }, svg("rect", { class: "room", width: 60, height: 6, rx: 3 }), svg("rect", { class: "share", width: Math.max(0, Math.min(1, value)) * 60, height: 6, rx: 3 }));
  return el("span", { class: "confidence" }, "confidence ", bar, ` ${value.toFixed(2)}`);
}

// The lines under an answer: its state, how it was routed, what it cost.
export function terms(record) {
  const { route } = record;
  const day = words.dayOf(record);
  const rows = [
    ["Route", `${route.action}, ${route.mode === "rule" ? "by rule" : route.mode}: ${route.reason}`],
    ["Price", words.price(record)],
    day && ["As of", day],
  ];
  return el("dl", { class: "terms" }, rows.filter(Boolean).map(([name, value]) => el("div", null, el("dt", null, name), el("dd", null, value))));
}

// The paths of an answer, drawn; null where it has none. cite(numbers, opener) opens what an edge rests on.
export function drawing(record, cite) {
  if (!record.paths.length) return null;
  const quotes = new Map(record.citations.map((citation) => [citation.id, citation]));
  const graph = new Graph({
    label: `Paths of answer ${record.number}: ${record.paths.map(words.chain).join("; ")}. Arrow keys move the drawing, plus and minus zoom.`,
    expand: neighbours,
    cite: (numbers, opener) => cite(numbers[0], opener),
    describe: (fact) => describe(fact, quotes),
  });
  return graph.paths(record.paths, record.answers);
}

export const neighbours = async (name) => (await call("neighbors", { name, limit: FACTS })).facts;

// The tip of an edge: the fact, then its quotes or, where they were not asked for, the places that state it.
export function describe(fact, quotes) {
  const heading = `${fact.subject} ${fact.relation} ${fact.object}`;
  const cited = (fact.citations ?? []).map((number) => `[${number}] “${quotes.get(number)?.quote}”`);
  const places = (fact.sources ?? []).map((source) => `stated in ${words.shortSource(source)}`);
  return [heading, [words.validity(fact), ...cited, ...places.slice(0, 3)].filter(Boolean)];
}

// The whole card. `acts` says what citations and the buttons under the card do.
export function card(record, acts) {
  const mark = (number) => button(`[${number}]`, (event) => acts.cite(number, event.currentTarget), { class: "cite", "aria-label": `Citation ${number}` });
  const graph = drawing(record, acts.cite);
  const element = el(
    "article",
    { class: "card answer", "aria-labelledby": `answer-${record.number}` },
    el("h2", { id: `answer-${record.number}`, class: "asked" }, el("span", { class: "number" }, `[${record.number}]`), ` ${oneLine(record.question)}`),
    el("p", { class: "said" }, marked(record.text, record, mark)),
    el("p", { class: "state" }, status(record), confidence(record.confidence)),
    terms(record),
    graph && el("h3", null, record.paths.length === 1 ? "Path" : "Paths"),
    graph && graph.element,
    record.citations.length > 0 && el("h3", null, "Evidence"),
    record.citations.length > 0 && el("ol", { class: "evidence" }, record.citations.map((citation) => evidence(citation, mark))),
    el(
      "div",
      { class: "buttons acts" },
      button("Why this answer", (event) => acts.why(event.currentTarget)),
      button("Why not …", (event) => acts.whyNot(event.currentTarget)),
      button("Export HTML", () => acts.html(graph)),
      button("Export JSON", acts.json),
    ),
  );
  return { element, graph };
}

function evidence(citation, mark) {
  return el(
    "li",
    null,
    mark(citation.id),
    el("div", null, el("q", null, cut(oneLine(citation.quote), 220)), el("p", { class: "where", title: `${citation.source}:${citation.start}-${citation.end}` }, words.place(citation), " ", verdict(citation.verified))),
  );
}

export const verdict = (verified, problem = "not confirmed") => el("span", { class: verified ? "good" : "bad" }, verified ? "✓ verified" : `✗ ${problem}`);
