// The panel beside the answer: one thing at a time, opened from the page and closed back to where it was opened.

import { byId, el } from "./dom.js";

let opener = null;

// Show `content` under `title`; closing returns the focus to `from`.
export function open(title, content, from) {
  opener = from ?? opener;
  byId("panel-title").textContent = title;
  byId("panel-body").replaceChildren(...content);
  byId("panel").hidden = false;
  byId("panel").focus({ preventScroll: window.matchMedia("(max-width: 979px)").matches });
}

// Run `work`, which gives [title, content]; what goes wrong is shown in the panel.
export async function load(title, work, from) {
  open(title, [el("p", { class: "quiet" }, "Loading …")], from);
  try {
    open(...(await work()));
  } catch (error) {
    open(title, [el("p", { class: "problem" }, error.message)]);
  }
}

export function close() {
  if (byId("panel").hidden) return;
  byId("panel").hidden = true;
  if (opener?.isConnected) opener.focus();
  opener = null;
}

export function start() {
  byId("panel-close").addEventListener("click", close);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]")) close();
  });
}
