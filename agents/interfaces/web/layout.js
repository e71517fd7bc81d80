// Where the boxes of a drawing go. Deterministic: the same graph is drawn the same way every time.

export const HEIGHT = 34; // of a box

const [ROW, STEP, GAP] = [30, 58, 30]; // between boxes: in a column, down a column of steps, at each side of a relation

// Place the nodes of paths in the order in which they are read: from left to right, or downwards where there is little room.
//   nodes: Map of name to {width, x, y}, changed in place.
//   edges: [{from, to, label width}]; sequences: names in reading order, one list per path.
export function layered(nodes, edges, sequences, down) {
  const column = new Map();
  for (const names of sequences) names.forEach((name, i) => column.set(name, Math.max(column.get(name) ?? 0, i)));
  const columns = [];
  for (const [name, at] of column) (columns[at] ??= []).push(name);
  const parent = new Map(sequences.flatMap((names) => names.slice(1).map((name, i) => [name, names[i]])));
  let [along, before] = [0, []];
  for (const [at, names] of columns.entries()) {
    if (!names) continue;
    names.sort((a, b) => cross(nodes.get(parent.get(a)), down) - cross(nodes.get(parent.get(b)), down));
    const size = down ? HEIGHT : Math.max(...names.map((name) => nodes.get(name).width));
    if (at) along += (down ? STEP : between(edges, before, names)) + size / 2;
    spread(names.map((name) => nodes.get(name)), along, down);
    along += size / 2;
    before = names;
  }
}

const cross = (node, down) => (node ? (down ? node.x : node.y) : 0);

function between(edges, before, names) {
  const joins = (one, other) => before.includes(one) && names.includes(other);
  const widths = edges.filter((edge) => joins(edge.from, edge.to) || joins(edge.to, edge.from)).map((edge) => edge.width);
  return Math.max(60, ...widths) + GAP;
}

// Put boxes beside one another across the reading direction, centred.
function spread(boxes, along, down) {
  const sizes = boxes.map((box) => (down ? box.width : HEIGHT) + ROW);
  let at = -sizes.reduce((sum, size) => sum + size, 0) / 2;
  boxes.forEach((box, i) => {
    const middle = at + sizes[i] / 2;
    [box.x, box.y] = down ? [middle, along] : [along, middle];
    at += sizes[i];
  });
}

// Place new boxes around `hub`: in rings, then moved apart until nothing lies on anything; `fixed` boxes stay where they are.
export function around(hub, fresh, fixed) {
  const each = 11; // boxes in the first ring; every further one holds as many more
  let [ring, left, start] = [1, fresh.length, 0];
  while (left > 0) {
    const held = Math.min(left, each * ring);
    for (let i = 0; i < held; i += 1) {
      const angle = ((i + 0.5) / held) * 2 * Math.PI + ring * 0.4 - Math.PI / 2;
      fresh[start + i].x = hub.x + Math.cos(angle) * (hub.width / 2 + 170) * ring;
      fresh[start + i].y = hub.y + Math.sin(angle) * 130 * ring;
    }
    [ring, left, start] = [ring + 1, left - held, start + held];
  }
  for (let turn = 0; turn < 120; turn += 1) if (!separate(fresh, fixed)) return;
}

// Push overlapping boxes apart a little; says whether any were.
function separate(fresh, fixed) {
  let moved = false;
  fresh.forEach((box, i) => {
    for (const other of fixed) moved = push(box, other, 1) || moved;
    for (const other of fresh.slice(i + 1)) moved = push(box, other, 0.5) || moved;
  });
  return moved;
}

function push(box, other, share) {
  const [dx, dy] = [box.x - other.x, box.y - other.y];
  const overX = (box.width + other.width) / 2 + 24 - Math.abs(dx);
  const overY = HEIGHT + 22 - Math.abs(dy);
  if (overX <= 0 || overY <= 0) return false;
  const sign = dy === 0 ? 1 : Math.sign(dy);
  box.y += sign * overY * share;
  if (share < 1) other.y -= sign * overY * share;
  return true;
}

// The line of an edge between two boxes: from border to border, bent aside by `bend` where several edges join the same two.
export function line(from, to, bend) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy) || 1;
  const control = { x: (from.x + to.x) / 2 - (dy / length) * bend * 2, y: (from.y + to.y) / 2 + (dx / length) * bend * 2 };
  const [start, end] = [border(from, control), border(to, control)];
  const middle = { x: (start.x + 2 * control.x + end.x) / 4, y: (start.y + 2 * control.y + end.y) / 4 };
  return { start, control, end, middle, angle: (Math.atan2(end.y - control.y, end.x - control.x) * 180) / Math.PI };
}

// Where the line from a box's middle to a point leaves the box.
function border(box, point) {
  const [dx, dy] = [point.x - box.x, point.y - box.y];
  if (!dx && !dy) return { x: box.x, y: box.y };
  const share = Math.min(dx ? box.width / 2 / Math.abs(dx) : Infinity, dy ? HEIGHT / 2 / Math.abs(dy) : Infinity);
  return { x: box.x + dx * share, y: box.y + dy * share };
}

// The rectangle around all boxes, with room for labels.
export function bounds(boxes) {
  const edge = (side, by) => boxes.map((box) => box[side] + by(box));
  const [left, right] = [Math.min(...edge("x", (b) => -b.width / 2)), Math.max(...edge("x", (b) => b.width / 2))];
  const [top, bottom] = [Math.min(...edge("y", () => -HEIGHT / 2)), Math.max(...edge("y", () => HEIGHT / 2))];
  return { x: left - 16, y: top - 24, width: right - left + 32, height: bottom - top + 48 };
}
