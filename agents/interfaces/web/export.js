// An answer as files: the JSON object, and a page that stands alone: no script, no address outside, its styles inside.

import { confidence, marked, status, terms, verdict } from "./answer.js";
import { call } from "./api.js";
import { el, oneLine } from "./dom.js";
import { passage } from "./sources.js";
import { chain, place } from "./words.js";

const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

export function saveJson(record) {
  save(`hoptrace-answer-${record.number}.json`, "application/json", `${JSON.stringify(record, null, 2)}\n`);
}

export async function saveHtml(record, graph) {
  const [{ citations }, style] = await Promise.all([call("sources", { number: record.number }), styles()]);
  save(`hoptrace-answer-${record.number}.html`, "text/html", page(record, graph, citations, style));
}

async function styles() {
  return (await fetch("/static/app.css")).text();
}

function page(record, graph, citations, style) {
  const made = document.implementation.createHTMLDocument(oneLine(record.question));
  made.documentElement.lang = "en";
  made.head.prepend(
    el("meta", { charset: "utf-8" }),
    el("meta", { "http-equiv": "Content-Security-Policy", content: POLICY }),
    el("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
    el("meta", { name: "color-scheme", content: "light dark" }),
  );
  made.body.className = "alone";
  made.body.append(article(record, graph, citations));
  const text = made.documentElement.outerHTML.replace("</head>", () => `<style>\n${style}</style></head>`); // this page's own policy forbids the element
  return `<!doctype html>\n${text}\n`;
}

function article(record, graph, citations) {
  const mark = (number) => el("a", { class: "cite", href: `#c${number}` }, `[${number}]`);
  return el(
    "main",
    { class: "card answer" },
    el("h1", { class: "asked" }, oneLine(record.question)),
    el("p", { class: "said" }, marked(record.text, record, mark)),
    el("p", { class: "state" }, status(record), confidence(record.confidence)),
    terms(record),
    graph && el("h2", null, "Paths"),
    graph && el("div", { class: "graph" }, graph.copy()),
    graph && el("ul", { class: "chains" }, record.paths.map((path) => el("li", null, chain(path)))),
    citations.length > 0 && el("h2", null, "Evidence"),
    citations.map((quote) => el("section", { id: `c${quote.id}` }, el("h3", { class: "where" }, `[${quote.id}] ${place(quote)} `, verdict(quote.verified, quote.problem)), passage(quote))),
    el("p", { class: "quiet" }, `Answer ${record.number} of hoptrace. Verified: the marked characters were read again from the source when this page was made.`),
  );
}

function save(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
