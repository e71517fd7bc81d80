// Elements made of text. Nothing here, or anywhere on the page, reads text as markup.

// What a terminal or a reader's eye would obey: control characters, bidirectional overrides, lone surrogates.
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]/gu;
const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

export const clean = (text) => String(text ?? "").replace(UNSAFE, "");

export const oneLine = (text) => clean(text).replace(/\s+/gu, " ").trim();

export const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

// An element with attributes; a function is a listener, true an empty attribute, false or null none. Children: nodes, texts.
export const el = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);

export const svg = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : clean(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child != null && child !== false).map(asNode));
  return node;
}

const asNode = (child) => (child instanceof Node ? child : document.createTextNode(clean(child)));

// Tell people who do not see the page.
export function say(text) {
  byId("said").textContent = clean(text);
}

export function button(label, run, attributes) {
  return el("button", { type: "button", click: run, ...attributes }, label);
}
