// Pan and zoom of a drawing: pointer, wheel, two fingers, keys.

const [LEAST, READABLE, MOST] = [0.15, 0.62, 4];
const KEYS = { ArrowLeft: [48, 0], ArrowRight: [-48, 0], ArrowUp: [0, 48], ArrowDown: [0, -48] };

export class Camera {
  // bounds(): the rectangle that `fit` brings into view.
  constructor(svg, world, bounds) {
    Object.assign(this, { svg, world, bounds, x: 0, y: 0, scale: 1, dragged: false, pointers: new Map() });
    svg.addEventListener("pointerdown", (event) => this.#down(event));
    svg.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    svg.addEventListener("keydown", (event) => this.#key(event));
  }

  // Bring everything into view; where it would be too small to read, what lies around `centre`, if one is given.
  fit(centre) {
    const [box, width, height] = [this.bounds(), this.svg.clientWidth, this.svg.clientHeight];
    if (!width || !height) return;
    this.scale = Math.max(LEAST, Math.min(1.15, width / box.width, height / box.height));
    let middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    if (centre && this.scale < READABLE) [this.scale, middle] = [READABLE, centre];
    this.x = width / 2 - middle.x * this.scale;
    this.y = height / 2 - middle.y * this.scale;
    this.#apply();
  }

  // Zoom about a point of the screen, the middle where none is given.
  zoom(factor, at) {
    const room = this.svg.getBoundingClientRect();
    const [px, py] = at ? [at.x - room.left, at.y - room.top] : [room.width / 2, room.height / 2];
    const scale = Math.max(LEAST, Math.min(MOST, this.scale * factor));
    this.x = px - ((px - this.x) / this.scale) * scale;
    this.y = py - ((py - this.y) / this.scale) * scale;
    this.scale = scale;
    this.#apply();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.#apply();
  }

  // Bring an element that lies outside into view.
  reveal(element) {
    const [room, box] = [this.svg.getBoundingClientRect(), element.getBoundingClientRect()];
    const aside = (low, high, least, most) => (low < least ? least - low + 12 : high > most ? most - high - 12 : 0);
    const [dx, dy] = [aside(box.left, box.right, room.left, room.right), aside(box.top, box.bottom, room.top, room.bottom)];
    if (dx || dy) this.pan(dx, dy);
  }

  #apply() {
    this.world.setAttribute("transform", `translate(${this.x} ${this.y}) scale(${this.scale})`);
  }

  #down(event) {
    if (event.button) return;
    this.dragged = false;
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, from: [event.clientX, event.clientY] });
    if (this.pointers.size > 1) return;
    const held = new AbortController(); // a drag goes on where it leaves the drawing
    const end = ({ pointerId }) => this.pointers.delete(pointerId) && !this.pointers.size && held.abort();
    window.addEventListener("pointermove", (moved) => this.#move(moved), { signal: held.signal });
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, end, { signal: held.signal });
  }

  #move(event) {
    const held = this.pointers.get(event.pointerId);
    if (!held) return;
    const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, pointer]) => pointer);
    if (!this.dragged && Math.hypot(event.clientX - held.from[0], event.clientY - held.from[1]) < 4) return;
    this.dragged = true;
    if (other) {
      const apart = (x, y) => Math.hypot(x - other.x, y - other.y) || 1;
      this.zoom(apart(event.clientX, event.clientY) / apart(held.x, held.y), { x: other.x, y: other.y });
    } else {
      this.pan(event.clientX - held.x, event.clientY - held.y);
    }
    [held.x, held.y] = [event.clientX, event.clientY];
  }

  // A wheel over the drawing scrolls the page, until the drawing was clicked or Ctrl is held.
  #wheel(event) {
    if (!event.ctrlKey && !event.metaKey && !this.svg.contains(document.activeElement)) return;
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY * 0.0015), { x: event.clientX, y: event.clientY });
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (KEYS[event.key]) this.pan(...KEYS[event.key]);
    else if (event.key === "+" || event.key === "=") this.zoom(1.25);
    else if (event.key === "-") this.zoom(0.8);
    else if (event.key === "0") this.fit();
    else return;
    event.preventDefault();
  }
}
