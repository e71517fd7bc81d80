// Where the boxes of a drawing go. Deterministic: the same graph is drawn the same way every time.

export const HEIGHT = 34; // of a box

const [ROW, STEP, GAP] = [30, 58, 24]; // between boxes: in a column, down a column of steps, at each side of a relation
const [LEVEL, REACH] = [72, 420]; // of boxes around another: from row to row, and how far a row goes to each side

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
  return Math.max(40, ...widths) + GAP;
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

// Place new boxes around `hub`, each in the nearest free slot: rows above and below it, or columns beside it where the paths
// run downwards; `fixed` boxes stay where they are.
export function around(hub, fresh, fixed, down) {
  const taken = [...fixed];
  for (const box of fresh) {
    [box.x, box.y] = down ? beside(hub, box, taken) : aboveOrBelow(hub, box, taken);
    taken.push(box);
  }
}

function aboveOrBelow(hub, box, taken) {
  for (let row = 0; ; row += 1) {
    for (const y of [hub.y + 100 + row * LEVEL, hub.y - 100 - row * LEVEL]) {
      for (let aside = 0; aside <= REACH; aside += 20) {
        for (const x of [hub.x + aside, hub.x - aside]) if (isFree(x, y, box, taken)) return [x, y];
      }
    }
  }
}

function beside(hub, box, taken) {
  for (let row = 0; ; row += 1) {
    for (const y of [hub.y + row * 26, hub.y - row * 26]) {
      for (const side of [1, -1]) {
        const x = hub.x + side * (hub.width / 2 + 130 + box.width / 2);
        if (isFree(x, y, box, taken)) return [x, y];
      }
    }
  }
}

function isFree(x, y, box, taken) {
  return taken.every((other) => Math.abs(x - other.x) >= (box.width + other.width) / 2 + 18 || Math.abs(y - other.y) >= HEIGHT + 16);
}

// The line of an edge between two boxes: from border to border, bent aside by `bend` where several edges join the same two.
// `share` of the way along it is where its label goes.
export function line(from, to, bend, share) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy) || 1;
  const control = { x: (from.x + to.x) / 2 - (dy / length) * bend * 2, y: (from.y + to.y) / 2 + (dx / length) * bend * 2 };
  const [start, end] = [border(from, control), border(to, control)];
  const along = (side) => (1 - share) ** 2 * start[side] + 2 * share * (1 - share) * control[side] + share ** 2 * end[side];
  return { start, control, end, label: { x: along("x"), y: along("y") }, angle: (Math.atan2(end.y - control.y, end.x - control.x) * 180) / Math.PI };
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
