// What was asked in this tab, and the records of answers by their number.

import { call } from "./api.js";

const KEY = "hoptrace.sitting";
const records = new Map();

export function asked() {
  return JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
}

// Note an answer with what was given beside its question.
export function note(answer, given) {
  const { number, question, answers, status } = answer;
  const entry = { number, question, status, answers: answers.slice(0, 3), as_of: given.as_of ?? "", gate: given.gate ?? "" };
  sessionStorage.setItem(KEY, JSON.stringify([...asked().filter((one) => one.number !== number), entry].slice(-100)));
}

// An answer with its trace, as the server's log holds it.
export async function record(number) {
  if (!records.has(number)) records.set(number, await call("why", { number }));
  return records.get(number);
}
