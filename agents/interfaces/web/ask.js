// The first view: a question goes out, its steps come in, the answer stands below.

import { card } from "./answer.js";
import { ask } from "./api.js";
import { byId, el, oneLine, say } from "./dom.js";
import { saveHtml, saveJson } from "./export.js";
import * as panel from "./panel.js";
import { asked, note, record as recordOf } from "./sitting.js";
import { openSource } from "./sources.js";
import { openWhy, openWhyNot } from "./why.js";
import { step as inWords } from "./words.js";

const PATHS = 3; // shown among the steps as soon as they are found
let [running, current] = [null, 0];

export function start() {
  byId("ask-form").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  byId("question").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.defaultPrevented) return;
    event.preventDefault();
    byId("ask-form").requestSubmit();
  });
  byId("stop").addEventListener("click", () => running?.abort());
  listSitting();
}

// Offer the modes of the server's gate, if it has any to choose from.
export function offer(gates) {
  byId("gate").replaceChildren(...gates.map((name) => el("option", { value: name }, name)));
  byId("gate-field").hidden = !gates.length;
}

async function submit() {
  const question = byId("question").value.trim();
  if (!question) return;
  const given = { question, as_of: byId("as-of").value, gate: byId("gate").value };
  running?.abort();
  const mine = new AbortController();
  running = mine;
  begin();
  try {
    const answer = await ask(given, showStep, mine.signal);
    note(answer, given);
    current = 0;
    location.hash = `#ask/${answer.number}`;
    await show(answer.number);
    finish(`${byId("steps").children.length} steps in ${Math.round(answer.timings_ms.total)} ms`);
    say(`Answer ${answer.number}: ${answer.text}`);
  } catch (error) {
    if (mine !== running) return;
    finish(error.name === "AbortError" ? "Stopped" : "Ended early");
    if (error.name !== "AbortError") trouble(error.message);
  }
  if (mine === running) running = null;
}

function begin() {
  panel.close();
  byId("problem").hidden = true;
  byId("answer").replaceChildren();
  byId("steps").replaceChildren();
  byId("live-title").textContent = "Looking …";
  byId("stop").hidden = false;
  byId("live").hidden = false;
  byId("live").open = true;
}

function finish(text) {
  byId("live-title").textContent = text;
  byId("stop").hidden = true;
  byId("live").open = byId("answer").childElementCount === 0;
}

function trouble(text) {
  byId("problem").textContent = text;
  byId("problem").hidden = false;
}

function showStep(event) {
  const said = inWords(event);
  if (!said) return;
  const best = (event.step === "retrieved" ? event.paths : []).slice(0, PATHS).map((path) => el("li", null, oneLine(path.text)));
  byId("steps").append(el("li", null, el("b", null, said[0]), " ", said[1], best.length > 0 && el("ul", null, best)));
}

// Show an answer that was given before, or just now; without a number the view as it is.
export async function show(number) {
  if (!number || Number(number) === current) return;
  try {
    const record = await recordOf(Number(number));
    current = record.number;
    const { element } = card(record, acts(record));
    byId("problem").hidden = true;
    byId("answer").replaceChildren(element);
    byId("question").value = record.question;
    listSitting();
  } catch (error) {
    trouble(error.message);
  }
}

function acts(record) {
  return {
    cite: (number, from) => openSource(record.number, number, from),
    why: (from) => openWhy(record.number, from),
    whyNot: (from) => openWhyNot(record, from),
    html: (graph) => saveHtml(record, graph).catch((error) => trouble(error.message)),
    json: () => saveJson(record),
  };
}

function listSitting() {
  const entries = asked().reverse();
  byId("sitting-empty").hidden = entries.length > 0;
  byId("sitting").replaceChildren(
    ...entries.map((one) => {
      const beside = [one.answers.join("; ") || one.status, one.as_of && `as of ${one.as_of}`, one.gate !== "auto" && one.gate].filter(Boolean);
      const link = el("a", { href: `#ask/${one.number}`, "aria-current": one.number === current ? "true" : null }, el("span", { class: "number" }, `[${one.number}]`), ` ${oneLine(one.question)}`);
      return el("li", null, link, el("p", { class: "quiet" }, oneLine(beside.join(" · "))));
    }),
  );
}
