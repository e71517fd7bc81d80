// A citation in its source: the text around it, its own characters marked, and whether they still stand there.

import { verdict } from "./answer.js";
import { call } from "./api.js";
import { button, byId, clean, el } from "./dom.js";
import * as panel from "./panel.js";
import { shortSource } from "./words.js";

// Open citation `id` of an answer; the server reads its source again now.
export async function openSource(number, id, from) {
  await panel.load(`Source [${id}]`, async () => {
    const { citations } = await call("sources", { number });
    return [`Source [${id}]`, content(number, citations, citations.findIndex((citation) => citation.id === id))];
  }, from);
  byId("panel-body").querySelector("mark")?.scrollIntoView({ block: "nearest" });
}

function content(number, citations, at) {
  const quote = citations[at];
  const turn = (by, label) => button(label, () => openSource(number, citations[at + by].id), { disabled: !citations[at + by] });
  return [
    el("p", { class: "where", title: quote.source }, shortSource(quote.source)),
    el("p", { class: "quiet" }, `characters ${quote.start} to ${quote.end}, read again now: `, verdict(quote.verified, quote.problem)),
    passage(quote),
    el("div", { class: "buttons" }, turn(-1, "Previous"), turn(1, "Next")),
  ];
}

// The quote between what stands before and after it.
export function passage(quote) {
  const more = quote.before && quote.start > quote.before.length;
  return el("blockquote", { class: "passage", tabindex: 0, "aria-label": "Source text" }, more && "… ", clean(quote.before), el("mark", null, clean(quote.text)), clean(quote.after));
}
