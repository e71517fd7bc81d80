// Completion of entity names while they are typed.

import { call } from "./api.js";
import { byId, el } from "./dom.js";

const [MOST, WAIT] = [8, 120]; // names offered; milliseconds without a key before they are asked for

export const entities = async (prefix, limit) => (await call("entities", { prefix, limit })).entities;

// A labelled field for one entity.
export function entityField(id, label) {
  const input = el("input", { id, type: "text", required: true, spellcheck: "false" });
  const element = el("div", { class: "field" }, el("label", { for: id }, label), input);
  complete(input, wholeName);
  return { element, input };
}

// The completions of a whole field.
const wholeName = async (text) => (text.trim() ? { from: 0, found: await entities(text.trim(), MOST) } : null);

// The completions of the name at the end of a question: its last words, from a capital on; as many of them as some name has.
export async function nameAtEnd(text) {
  const starts = [...text.matchAll(/(?<![^\s"“'(])[\p{Lu}\p{N}]\S*/gu)].map((match) => match.index).filter((index) => index > 0);
  for (const from of starts.slice(-3)) {
    const prefix = text.slice(from);
    if (prefix.length < 2) continue;
    const found = await entities(prefix, MOST);
    if (found.length) return { from, found };
  }
  return null;
}

// Offer completions of `input` in a list under it. find(text before the caret) gives {from, found} or null.
export function complete(input, find) {
  const list = el("ul", { class: "completions", role: "listbox", id: `${input.id}-names`, "aria-label": "Names", hidden: true });
  const attributes = { "aria-autocomplete": "list", "aria-controls": list.id, ...(isField(input) && { role: "combobox", "aria-expanded": "false" }) };
  for (const [name, value] of Object.entries(attributes)) input.setAttribute(name, value);
  input.after(list);
  let [from, chosen, timer, turn] = [0, -1, 0, 0];

  const show = (options) => {
    list.replaceChildren(...options);
    list.hidden = !options.length;
    if (isField(input)) input.setAttribute("aria-expanded", String(options.length > 0));
    choose(-1);
  };
  const choose = (index) => {
    chosen = index;
    [...list.children].forEach((option, i) => option.setAttribute("aria-selected", String(i === index)));
    if (index < 0) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", list.children[index].id);
    list.children[index]?.scrollIntoView({ block: "nearest" });
  };
  const hide = () => {
    clearTimeout(timer);
    turn += 1; // an answer still on its way comes too late
    show([]);
  };
  const take = (label) => {
    const after = input.value.slice(input.selectionStart);
    input.value = input.value.slice(0, from) + label + after;
    input.setSelectionRange(from + label.length, from + label.length);
    hide();
    input.focus();
  };
  const look = async () => {
    const mine = ++turn;
    const text = input.value.slice(0, input.selectionStart);
    const answer = await find(text).catch(() => null); // a completion is never worth an error
    if (mine !== turn || document.activeElement !== input) return;
    const found = (answer?.found ?? []).filter((one) => one.label !== text.slice(answer.from));
    from = answer?.from ?? 0;
    show(found.map((one, i) => el("li", { role: "option", id: `${list.id}-${i}`, "aria-selected": "false", pointerdown: (event) => event.preventDefault(), click: () => take(one.label) }, el("span", null, one.label), el("span", { class: "quiet" }, one.type))));
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, WAIT);
  });
  input.addEventListener("blur", hide);
  input.addEventListener("keydown", (event) => {
    const most = list.children.length;
    if (event.key === "Enter" && chosen < 0) hide(); // the form is sent
    if (list.hidden) return;
    if (event.key === "ArrowDown") choose((chosen + 1) % most);
    else if (event.key === "ArrowUp") choose((chosen - 1 + most) % most);
    else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0) take(list.children[chosen].firstChild.textContent);
    else if (event.key === "Escape") hide();
    else return;
    event.preventDefault();
  });
}

const isField = (input) => input.localName === "input"; // a text of several lines cannot be called a combobox

export const completeQuestion = () => complete(byId("question"), nameAtEnd);
