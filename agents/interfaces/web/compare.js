// Two answers side by side: what they say, on what terms, and which facts they share.

import { confidence, drawing, marked, status } from "./answer.js";
import { byId, el, oneLine } from "./dom.js";
import { asked, record } from "./sitting.js";
import { openSource } from "./sources.js";
import { dayOf, price } from "./words.js";

const sides = ["left", "right"];

export function start() {
  byId("compare-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const [left, right] = sides.map((side) => byId(side).value);
    if (left && right) location.hash = `#compare/${left}/${right}`;
  });
}

// Show the view, with two numbers where the address has them; else the last two questions are picked.
export async function show(left, right) {
  const known = asked();
  const numbers = [...new Set([...known.map((one) => one.number), ...[left, right].filter(Boolean).map(Number)])].sort((a, b) => b - a);
  const names = new Map(known.map((one) => [one.number, one]));
  sides.forEach((side, i) => {
    byId(side).replaceChildren(...numbers.map((number) => el("option", { value: number }, title(number, names.get(number)))));
    byId(side).value = [left, right][i] ?? numbers[1 - i] ?? numbers[0] ?? "";
  });
  const room = byId("compared");
  if (!left || !right) {
    room.replaceChildren(el("p", { class: "quiet" }, numbers.length < 2 ? "Ask two questions, or the same one as of two days; then they can be compared here." : ""));
    return;
  }
  try {
    room.replaceChildren(...compared(await record(Number(left)), await record(Number(right))));
  } catch (error) {
    room.replaceChildren(el("p", { class: "problem" }, error.message));
  }
}

const title = (number, entry) => `[${number}] ${entry ? oneLine(entry.question) : ""}${entry?.as_of ? ` (as of ${entry.as_of})` : ""}`;

function compared(left, right) {
  const both = [left, right];
  return [differences(both), el("div", { class: "pair" }, both.map(column))];
}

function column(one) {
  const cite = (number, from) => openSource(one.number, number, from);
  const mark = (number) => el("button", { type: "button", class: "cite", "aria-label": `Citation ${number} of answer ${one.number}`, click: (event) => cite(number, event.currentTarget) }, `[${number}]`);
  const graph = drawing(one, cite);
  return el(
    "article",
    { class: "card answer", "aria-labelledby": `compared-${one.number}` },
    el("h2", { id: `compared-${one.number}`, class: "asked" }, el("span", { class: "number" }, `[${one.number}]`), ` ${oneLine(one.question)}`),
    el("p", { class: "said" }, marked(one.text, one, mark)),
    el("p", { class: "state" }, status(one), confidence(one.confidence)),
    graph && graph.element,
  );
}

// A table of the terms of both, rows that differ marked, and the facts of both or of one.
function differences(both) {
  const rows = [
    ["Answer", (one) => one.answers.join("; ") || "none"],
    ["As of", (one) => dayOf(one) || "today"],
    ["Status", (one) => one.status],
    ["Confidence", (one) => one.confidence.toFixed(2)],
    ["Route", (one) => `${one.route.action}, ${one.route.mode}`],
    ["Price", price],
  ].map(([name, value]) => [name, ...both.map(value)]);
  const facts = both.map((one) => new Set(one.paths.flatMap((path) => path.hops.map((hop) => oneLine(`${hop.subject} ${hop.relation} ${hop.object}`)))));
  const shared = [...facts[0]].filter((fact) => facts[1].has(fact));
  const only = (one, other) => [...one].filter((fact) => !other.has(fact));
  const lists = [["In both", shared], [`Only in [${both[0].number}]`, only(facts[0], facts[1])], [`Only in [${both[1].number}]`, only(facts[1], facts[0])]];
  return el(
    "div",
    { class: "card" },
    el(
      "table",
      { class: "compared" },
      el("thead", null, el("tr", null, el("th", { scope: "col" }, el("span", { class: "unseen" }, "What")), both.map((one) => el("th", { scope: "col" }, `[${one.number}]`)))),
      el("tbody", null, rows.map(([name, a, b]) => el("tr", { class: a === b || name === "Price" ? null : "differs" }, el("th", { scope: "row" }, name, a !== b && el("span", { class: "unseen" }, " (differs)")), el("td", null, oneLine(a)), el("td", null, oneLine(b))))),
    ),
    el("div", { class: "lists" }, lists.map(([name, list]) => el("section", null, el("h2", null, `${name} (${list.length})`), list.length > 0 && el("ul", null, list.map((fact) => el("li", null, fact)))))),
  );
}
