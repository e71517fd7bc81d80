// A drawing of paths: boxes for entities, arrows in the direction of each triple. Pan, zoom, expand a node, see the quote.

import { button, clean, cut, el, oneLine, say, svg } from "./dom.js";
import { HEIGHT, around, bounds, layered, line } from "./layout.js";
import { Camera } from "./camera.js";

const MOST = 300; // nodes
const pen = document.createElement("canvas").getContext("2d");

function measure(text, weight) {
  pen.font = `${weight} 14px system-ui, sans-serif`;
  return pen.measureText(text).width;
}

export class Graph {
  // expand(name): facts about an entity; cite(numbers): open what an edge cites; describe(edge): [heading, lines] of its tip.
  constructor({ label, expand, cite, describe }) {
    Object.assign(this, { expand, cite, describe });
    [this.nodes, this.edges, this.sequences] = [new Map(), new Map(), []];
    this.lines = svg("g");
    this.boxes = svg("g");
    this.world = svg("g", null, this.lines, this.boxes);
    this.svg = svg("svg", { class: "canvas", tabindex: 0, role: "group", "aria-label": label }, this.world);
    this.tip = el("div", { class: "tip", "aria-hidden": "true", hidden: true });
    this.camera = new Camera(this.svg, this.world, () => bounds([...this.nodes.values()]));
    const tools = el(
      "div",
      { class: "tools" },
      el("p", { class: "quiet" }, "Press a box to expand it. Drag or arrow keys: move. + and −, or the wheel after a click: zoom."),
      button("+", () => this.camera.zoom(1.25), { "aria-label": "Zoom in" }),
      button("−", () => this.camera.zoom(0.8), { "aria-label": "Zoom out" }),
      button("Fit", () => this.camera.fit()),
    );
    this.element = el("div", { class: "graph" }, this.svg, tools, this.tip);
    this.svg.addEventListener("keydown", (event) => event.key === "Escape" && this.#hide());
    this.observer = new ResizeObserver(() => this.#fitFirst());
    this.observer.observe(this.element);
  }

  // Draw paths of an answer. `wanted` are the labels of the answers themselves.
  paths(paths, wanted = []) {
    for (const path of paths) {
      const names = path.hops.map((hop) => (hop.direction === 1 ? hop.subject : hop.object));
      const last = path.hops.at(-1);
      this.sequences.push([...names, last.direction === 1 ? last.object : last.subject]);
      for (const hop of path.hops) this.#edge(hop);
    }
    for (const name of this.sequences.flat()) this.#node(name, "");
    for (const names of this.sequences) this.nodes.get(names[0]).kind = "start";
    for (const name of wanted) if (this.nodes.has(name)) this.nodes.get(name).kind = "answer";
    return this;
  }

  // Draw one entity, alone until it is expanded.
  only(name) {
    this.sequences.push([name]);
    this.#node(name, "").kind = "start";
    return this;
  }

  // Show the facts about a node, or hide those that came with it.
  async toggle(name) {
    const hub = this.nodes.get(name);
    if (hub.open) {
      this.#collapse(name);
      this.#draw();
      say(`${name}: closed`);
      return;
    }
    let facts;
    try {
      facts = await this.expand(name);
    } catch (error) {
      say(error.message);
      this.#show(hub.element, [name, [error.message]]);
      return;
    }
    const fixed = [...this.nodes.values()];
    const fresh = [];
    for (const fact of facts) {
      const other = fact.subject === name ? fact.object : fact.subject;
      if (!this.nodes.has(other)) {
        if (this.nodes.size >= MOST) break;
        fresh.push(this.#node(other, name));
      }
      this.#edge(fact);
    }
    hub.open = true;
    around(hub, fresh, fixed, this.down);
    this.#size();
    this.#draw();
    this.camera.fit(hub);
    const full = this.nodes.size >= MOST ? `; the drawing is full at ${MOST}` : "";
    say(`${name}: ${facts.length} facts, ${fresh.length} new entities${full}`);
  }

  // A copy for a file: everything in view, without what only works on the page.
  copy() {
    const copy = this.svg.cloneNode(true);
    const box = bounds([...this.nodes.values()]);
    copy.firstElementChild.removeAttribute("transform");
    for (const part of copy.querySelectorAll("[tabindex]")) for (const name of ["tabindex", "role", "aria-expanded"]) part.removeAttribute(name);
    copy.removeAttribute("tabindex");
    copy.setAttribute("role", "img");
    copy.setAttribute("viewBox", `${box.x} ${box.y} ${box.width} ${box.height}`);
    copy.setAttribute("width", Math.round(box.width));
    copy.setAttribute("height", Math.round(box.height));
    copy.removeAttribute("style");
    return copy;
  }

  #node(name, by) {
    if (!this.nodes.has(name)) {
      const label = cut(oneLine(name), 34);
      this.nodes.set(name, { name, label, by, kind: by ? "near" : "", open: false, width: measure(label, 600) + 24, x: 0, y: 0 });
    }
    return this.nodes.get(name);
  }

  #edge(fact) {
    const key = JSON.stringify([fact.subject, fact.relation, fact.object]);
    if (this.edges.has(key)) return;
    const marks = (fact.citations ?? []).map((number) => `[${number}]`).join("");
    const label = `${cut(oneLine(fact.relation), 28)}${marks && ` ${marks}`}`;
    this.edges.set(key, { from: fact.subject, to: fact.object, fact, label, width: measure(label, 400) });
  }

  #collapse(name) {
    this.nodes.get(name).open = false;
    for (const node of [...this.nodes.values()].filter((one) => one.by === name)) {
      if (node.open) this.#collapse(node.name);
      this.nodes.delete(node.name);
    }
    for (const [key, edge] of this.edges) if (!this.nodes.has(edge.from) || !this.nodes.has(edge.to)) this.edges.delete(key);
  }

  // The layout depends on the room there is, so that it is made once the drawing stands on the page.
  #fitFirst() {
    const room = this.element.clientWidth;
    if (!room || room === this.room) return;
    this.room = room;
    if (![...this.nodes.values()].some((node) => node.open)) {
      const place = (down) => layered(this.nodes, [...this.edges.values()], this.sequences, down);
      place(false);
      this.down = bounds([...this.nodes.values()]).width * 0.75 > room;
      if (this.down) place(true);
      this.#size();
      this.#draw();
    }
    this.camera.fit();
  }

  // As high as what is drawn, within reason.
  #size() {
    const { width, height } = bounds([...this.nodes.values()]);
    this.svg.style.height = `${Math.min(480, Math.max(140, height * Math.min(1, this.element.clientWidth / width) + 24))}px`;
  }

  #draw() {
    const held = [...this.nodes.values()].find((node) => node.element === document.activeElement); // the focus outlives the redrawing
    const pairs = new Map();
    for (const edge of this.edges.values()) {
      const pair = JSON.stringify([edge.from, edge.to].sort());
      pairs.set(pair, [...(pairs.get(pair) ?? []), edge]);
    }
    this.lines.replaceChildren(...[...pairs.values()].flatMap((edges) => edges.map((edge, i) => this.#arrow(edge, i - (edges.length - 1) / 2))));
    this.boxes.replaceChildren(...[...this.nodes.values()].map((node) => this.#box(node)));
    held?.element.focus();
  }

  #box(node) {
    const at = { x: node.x - node.width / 2, y: node.y - HEIGHT / 2, width: node.width, height: HEIGHT, rx: 7 };
    const text = svg("text", { x: node.x, y: node.y + 5, "text-anchor": "middle" }, node.label);
    const whole = oneLine(node.name);
    const name = `${node.label}, ${node.label === whole ? "" : `${whole}, `}${node.open ? "hide" : "show"} what is linked to it`;
    const attributes = { class: `node ${node.kind}${node.open ? " open" : ""}`, tabindex: 0, role: "button", "aria-expanded": String(node.open), "aria-label": name };
    node.element = svg("g", attributes, svg("rect", at), text);
    this.#active(node.element, () => this.toggle(node.name), () => node.label !== whole && [whole, []]);
    return node.element;
  }

  #arrow(edge, aside) {
    const [from, to] = [this.nodes.get(edge.from), this.nodes.get(edge.to)];
    const bend = (edge.from < edge.to ? 1 : -1) * aside * 26;
    const share = to.by && !from.by ? 0.82 : from.by && !to.by ? 0.18 : 0.5; // near the box that came later, where there is room
    const { start, control, end, label, angle } = line(from, to, bend, share);
    const course = `M${start.x} ${start.y} Q${control.x} ${control.y} ${end.x} ${end.y}`;
    const near = from.by || to.by ? " near" : "";
    const [heading, lines] = this.describe(edge.fact);
    const element = svg(
      "g",
      { class: `edge${near}`, tabindex: 0, role: edge.fact.citations?.length ? "button" : "img", "aria-label": [`${edge.label}: ${heading}`, ...lines].map(oneLine).join(". ") },
      svg("path", { class: "reach", d: course }),
      svg("path", { class: "course", d: course }),
      svg("path", { class: "head", d: "M0 0l-9 -4.5v9z", transform: `translate(${end.x} ${end.y}) rotate(${angle})` }),
      svg("text", { x: label.x, y: label.y - (Math.abs(start.y - end.y) < 30 ? 7 : -4), "text-anchor": "middle" }, edge.label),
    );
    this.#active(element, () => edge.fact.citations?.length && this.cite(edge.fact.citations, element), () => [heading, lines]);
    return element;
  }

  // Pointer and keyboard alike: press, and show the tip while under the pointer or in focus.
  #active(element, press, tip) {
    element.addEventListener("click", () => this.camera.dragged || press());
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      press();
    });
    const show = () => tip() && this.#show(element, tip());
    element.addEventListener("pointerenter", show);
    element.addEventListener("pointerleave", () => this.#hide());
    element.addEventListener("blur", () => this.#hide());
    element.addEventListener("focus", () => {
      if (element.matches(":focus-visible")) this.camera.reveal(element);
      show();
    });
  }

  #show(element, [heading, lines]) {
    this.tip.replaceChildren(el("strong", null, clean(heading)), ...lines.map((text) => el("p", null, cut(oneLine(text), 320))));
    this.tip.hidden = false;
    const [room, box] = [this.element.getBoundingClientRect(), element.getBoundingClientRect()];
    const left = Math.min(Math.max(8, box.left + box.width / 2 - room.left - this.tip.offsetWidth / 2), room.width - this.tip.offsetWidth - 8);
    this.tip.style.left = `${Math.max(8, left)}px`;
    this.tip.style.top = `${Math.min(box.bottom, room.bottom) - room.top + 8}px`;
  }

  #hide() {
    this.tip.hidden = true;
  }
}
