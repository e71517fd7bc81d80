// How an answer came about, and why something else is not the answer.

import { call } from "./api.js";
import { entityField } from "./complete.js";
import { button, el, oneLine } from "./dom.js";
import * as panel from "./panel.js";
import { asked, record as recordOf } from "./sitting.js";
import { step as stepInWords } from "./words.js";

const SHOWN = 6; // candidate paths before "show all"

export function openWhy(number, from) {
  return panel.load("Why this answer", async () => [`Why answer ${number}`, why(await recordOf(number))], from);
}

export async function openWhyNot(record, from) {
  panel.open("Why not …", whyNot(record), from);
  document.getElementById("rival").focus();
}

function why(record) {
  const { route, trace } = record;
  const steps = trace.map((event) => stepInWords(event.step === "gated" ? { ...event, route } : event)).filter(Boolean);
  const found = trace.filter((event) => event.step === "retrieved").flatMap((event) => event.paths);
  return [
    el("h3", null, "Steps"),
    el("ol", { class: "steps" }, steps.map(([name, details]) => el("li", null, el("b", null, name), " ", details))),
    el("h3", null, "What the gate saw"),
    table(["feature", "value"], Object.entries(route.scores)),
    el("h3", null, `Candidate paths (${found.length})`),
    ...candidates(record, found),
    el("h3", null, "Time spent"),
    table(["step", "ms"], Object.entries(record.timings_ms)),
  ];
}

function candidates(record, found) {
  const taken = new Set(record.paths.map((path) => path.hops.map((hop) => hop.triple_id).join(" ")));
  const items = found.map((path) => {
    const isTaken = taken.has(path.triples.join(" "));
    return el(
      "li",
      { class: isTaken ? "taken" : null },
      el("p", null, oneLine(path.text)),
      el("details", null, el("summary", null, `score ${path.score.toFixed(3)}${isTaken ? ", taken" : ""}`), table(["part", "value"], Object.entries(path.parts))),
    );
  });
  const list = el("ol", { class: "candidates" }, items.slice(0, SHOWN));
  const rest = items.slice(SHOWN);
  const all = button(`Show all ${items.length}`, () => {
    list.append(...rest);
    all.remove();
  });
  return items.length ? [list, rest.length > 0 && all].filter(Boolean) : [el("p", { class: "quiet" }, "No path was looked at.")];
}

function whyNot(record) {
  const said = el("div", { "aria-live": "polite" });
  const field = entityField("rival", "Entity that you expected");
  const submit = async (event) => {
    event.preventDefault();
    const entity = field.input.value.trim();
    if (!entity) return;
    const as_of = asked().find((one) => one.number === record.number)?.as_of;
    said.replaceChildren(el("p", { class: "quiet" }, "Looking …"));
    try {
      said.replaceChildren(...verdict(await call("why-not", { question: [record.question], entity, as_of })));
    } catch (error) {
      said.replaceChildren(el("p", { class: "problem" }, error.message));
    }
  };
  const form = el("form", { submit, autocomplete: "off" }, field.element, el("div", { class: "buttons" }, el("button", { type: "submit", class: "main" }, "Explain")));
  return [el("p", { class: "quiet" }, oneLine(record.question)), form, said];
}

function verdict(found) {
  const steps = found.steps.map((step, i) => {
    const explains = step.explains ? `explains “${step.explains}” (${step.gain.toFixed(2)})` : "explains nothing";
    return el("li", null, el("p", null, oneLine(step.text)), el("p", { class: "quiet" }, explains, i + 1 === found.hop && el("b", null, " · left here")));
  });
  return [
    el("p", null, el("b", null, oneLine(found.entity)), `: ${oneLine(found.text)}`),
    ...(steps.length ? [el("h3", null, `Best path to it${found.rank ? `, rank ${found.rank}` : ""}`), el("ol", { class: "candidates" }, steps)] : []),
    ...(Object.keys(found.parts ?? {}).length ? [table(["part", "value"], Object.entries(found.parts), found.lost)] : []),
  ];
}

function table(columns, rows, marked) {
  const shown = (value) => (typeof value === "number" ? Number(value.toFixed(3)).toString() : String(value));
  return el(
    "table",
    { class: "numbers" },
    el("thead", null, el("tr", null, columns.map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", null, rows.map(([name, value]) => el("tr", { class: name === marked ? "marked" : null }, el("th", { scope: "row" }, name), el("td", null, shown(value))))),
  );
}
