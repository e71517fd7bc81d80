// Entities of the graph: a list by name, a card with what is known, its drawing, its history, and paths to others.

import { describe, neighbours } from "./answer.js";
import { call } from "./api.js";
import { entities, entityField } from "./complete.js";
import { button, byId, el, oneLine } from "./dom.js";
import { Graph } from "./graph.js";
import { chain, shortSource, validity } from "./words.js";

const PAGE = 50; // entities listed at once, and facts on a card
const NONE = new Map();
let [shown, timer] = [0, 0];

export function start() {
  byId("prefix").addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => list(PAGE), 120);
  });
  byId("more").addEventListener("click", () => list(shown + PAGE));
}

// Show the view; with an entity, its card.
export async function show(name) {
  if (!shown) list(PAGE);
  if (name) await open(name);
  else byId("card").replaceChildren(el("p", { class: "quiet" }, "Pick an entity to see what the graph knows about it."));
}

async function list(limit) {
  const prefix = byId("prefix").value.trim();
  try {
    const found = await entities(prefix, limit);
    if (prefix !== byId("prefix").value.trim()) return;
    shown = limit;
    byId("more").hidden = found.length < limit;
    const items = found.map((one) => el("li", null, el("a", { href: address(one.id) }, oneLine(one.label), el("span", { class: "quiet" }, one.type))));
    byId("found").replaceChildren(...(items.length ? items : [el("li", { class: "quiet" }, "No name begins so.")]));
  } catch (error) {
    byId("found").replaceChildren(el("li", { class: "problem" }, error.message));
  }
}

const address = (name) => `#browse/${encodeURIComponent(name)}`;

async function open(name) {
  const room = byId("card");
  room.setAttribute("aria-busy", "true");
  try {
    const card = await call("entity", { name, limit: PAGE });
    room.replaceChildren(entityCard(card));
    if (window.matchMedia("(max-width: 719px)").matches) room.scrollIntoView();
  } catch (error) {
    room.replaceChildren(el("p", { class: "problem" }, error.message));
  }
  room.removeAttribute("aria-busy");
}

function entityCard(card) {
  const counts = Object.entries(card.support).map(([name, number]) => `${number} ${name}`);
  const room = el("div");
  const draw = (graph) => room.replaceChildren(graph.element);
  const graph = star(card.label);
  draw(graph);
  if (card.facts.length) graph.toggle(card.label);
  const history = el("div");
  return el(
    "article",
    { class: "card", "aria-labelledby": "entity-title" },
    el("h2", { id: "entity-title" }, oneLine(card.label)),
    el("p", { class: "quiet" }, [card.type, ...counts].filter(Boolean).join(" · ")),
    card.aliases.length > 0 && el("p", null, `Also called ${card.aliases.map(oneLine).join(", ")}`),
    card.iri && el("p", { class: "where" }, card.iri),
    room,
    pathForm(card, draw),
    el("h3", null, "Facts"),
    factTable(card.facts, card.label, false),
    el("div", { class: "buttons" }, button("Show history", (event) => showHistory(card.id, card.label, history, event.currentTarget))),
    history,
  );
}

const star = (name) => new Graph({ label: `${name}. Enter on the box shows what is linked to it.`, expand: neighbours, cite: () => {}, describe: (fact) => describe(fact, NONE) }).only(name);

function pathForm(card, draw) {
  const field = entityField("path-end", `Path from ${cutName(card.label)} to`);
  const said = el("p", { class: "quiet", role: "status" });
  const submit = async (event) => {
    event.preventDefault();
    try {
      const { paths, end, max_hops: hops } = await call("path", { start: card.id, end: field.input.value.trim() });
      said.textContent = paths.length ? oneLine(paths.map(chain).join(" · ")) : `no path within ${hops} hops to ${end}`;
      if (paths.length) draw(between(card.label, paths, end));
    } catch (error) {
      said.textContent = error.message;
    }
  };
  return el("form", { submit, class: "row", autocomplete: "off" }, field.element, el("div", { class: "buttons" }, el("button", { type: "submit" }, "Find paths")), said);
}

const cutName = (label) => oneLine(label).slice(0, 40);

function between(name, paths, end) {
  const graph = new Graph({ label: `Paths from ${name} to ${end}`, expand: neighbours, cite: () => {}, describe: (fact) => describe(fact, NONE) });
  return graph.paths(paths, [end]);
}

async function showHistory(id, label, room, opener) {
  opener.disabled = true;
  try {
    const { facts } = await call("history", { name: id });
    room.replaceChildren(el("h3", null, "Every fact ever recorded, oldest first"), factTable(facts, label, true));
  } catch (error) {
    opener.disabled = false;
    room.replaceChildren(el("p", { class: "problem" }, error.message));
  }
}

function factTable(facts, about, past) {
  const columns = ["Fact", "Holds", "Status", ...(past ? ["Recorded", "Retracted"] : ["Source"])];
  const rows = facts.map((fact) => {
    const last = past ? [day(fact.recorded_at), day(fact.retracted_at)] : [source(fact)];
    return el("tr", null, el("td", null, sentence(fact, about)), [validity(fact), fact.status, ...last].map((value, i) => el("td", { "data-name": columns[i + 1] }, value)));
  });
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": past ? "History" : "Facts" }, el("table", { class: "facts" }, el("thead", null, el("tr", null, columns.map((name) => el("th", { scope: "col" }, name)))), el("tbody", null, rows)));
}

// A fact as a sentence in which the other entity is a link.
function sentence(fact, about) {
  const name = (label) => (label === about ? oneLine(label) : el("a", { href: address(label) }, oneLine(label)));
  return [name(fact.subject), ` ${oneLine(fact.relation)} `, name(fact.object)];
}

const day = (at) => (at ? String(at).slice(0, 10) : "");

const source = (fact) => el("span", { title: fact.sources.join("\n") }, fact.sources.length ? shortSource(fact.sources[0]) : "", fact.sources.length > 1 && ` +${fact.sources.length - 1}`);
