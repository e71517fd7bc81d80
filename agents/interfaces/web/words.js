// What the server's values are called on the page.

import { cut, oneLine } from "./dom.js";

const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

// A step of the stream as [what happened, the details]; null where there is nothing to say.
export function step(event) {
  switch (event.step) {
    case "linked":
      return ["Linked", linked(event)];
    case "understood":
      return ["Understood", understood(event)];
    case "gated":
      return event.route ? ["Route", `${event.route.action} (${event.route.mode}): ${event.route.reason}`] : null;
    case "retrieved":
      return ["Found", retrieved(event)];
    case "composed":
      return ["Drafted", cut(oneLine(event.text), 240)];
    case "verified":
      return ["Verified", verified(event)];
    case "answered":
      return null;
    default:
      return [event.step, ""];
  }
}

function linked(event) {
  const names = [...new Set(event.seeds.map((seed) => seed.label))];
  const read = event.rewrite ? `read as “${event.rewrite.text}”; ` : "";
  return read + (names.join(", ") || "no name of the question is in the graph");
}

function understood(event) {
  const parts = [event.operation, event.answer_type && `asks for ${event.answer_type}`, event.as_of && `as of ${event.as_of}`];
  const words = event.words.length ? `; words to explain: ${event.words.join(", ")}` : "";
  return parts.filter(Boolean).join(", ") + words;
}

function retrieved(event) {
  const cutOff = event.truncated.length ? `; cut by ${event.truncated.join(", ")}` : "";
  return `${count(event.paths.length, "path")}, ${count(event.hits.length, "passage")}${cutOff}`;
}

function verified(event) {
  const parts = [`${count(event.citations, "citation")} read again`, `${event.failed} failed`];
  if (event.dropped) parts.push(`${count(event.dropped, "claim")} dropped`);
  return parts.join(", ");
}

// What an answer cost, in words.
export function price(record) {
  const { usage, timings_ms: times } = record;
  const parts = [count(usage.evidence_tokens, "evidence token"), count(usage.model_calls, "model call")];
  if (usage.prompt_tokens) parts.push(`${usage.prompt_tokens} + ${usage.completion_tokens} model tokens`);
  if (times.total != null) parts.push(`${Math.round(times.total)} ms`);
  return parts.join(" · ");
}

// A path as a line: A —relation→ B ←relation— C.
export function chain(path) {
  return path.hops
    .map((hop, i) => {
      const [first, last] = hop.direction === 1 ? [hop.subject, hop.object] : [hop.object, hop.subject];
      const arrow = hop.direction === 1 ? `—${hop.relation}→` : `←${hop.relation}—`;
      return `${i ? "" : `${oneLine(first)} `}${oneLine(arrow)} ${oneLine(last)}`;
    })
    .join(" ");
}

// The last two parts of a source's address, which is enough to know it by.
export const shortSource = (source) => oneLine(source).split(/[\\/]/u).filter(Boolean).slice(-2).join("/");

export const place = (at) => `${shortSource(at.source)}:${at.start}-${at.end}`;

export function validity(fact) {
  if (!fact.valid_from && !fact.valid_to) return "";
  return `${fact.valid_from ?? "…"} to ${fact.valid_to ?? "…"}`;
}

// The day an answer was asked about, from its trace; "" where it is today's.
export const dayOf = (record) => record.trace?.find((event) => event.step === "understood")?.as_of ?? "";
