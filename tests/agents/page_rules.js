// What every view of the page must keep, said in the page itself: a list of sentences about what breaks a rule.
() => {
  const broken = [];
  const seen = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest(".unseen, .skip");
  const what = (element) => `${element.localName}${element.id ? `#${element.id}` : ""}.${element.getAttribute("class") ?? ""}`;
  const all = (selector) => [...document.querySelectorAll(selector)].filter(seen);

  // every control has a name
  const byIds = (ids) => (ids ?? "").split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join("");
  for (const control of all("button, a[href], input, select, textarea, summary, [tabindex='0'], dialog")) {
    const labels = [...(control.labels ?? [])].map((label) => label.textContent).join("");
    const name = control.getAttribute("aria-label") || byIds(control.getAttribute("aria-labelledby")) || labels || (control.matches("input, select, textarea") ? "" : control.textContent);
    if (!name.trim()) broken.push(`${what(control)} has no name`);
  }

  // one main heading, and no level left out
  const levels = all("h1, h2, h3, h4").map((heading) => Number(heading.localName[1]));
  if (levels.filter((level) => level === 1).length !== 1) broken.push(`${levels.filter((level) => level === 1).length} main headings`);
  levels.slice(1).forEach((level, i) => level > levels[i] + 1 && broken.push(`a heading h${level} follows an h${levels[i]}`));

  // no id twice, nothing wider than the window
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of new Set(ids.filter((one, i) => ids.indexOf(one) !== i))) broken.push(`id ${id} is given twice`);
  if (document.documentElement.scrollWidth > window.innerWidth) broken.push(`the page is ${document.documentElement.scrollWidth} wide`);

  // text against what lies behind it
  const parse = (color) => color.match(/[\d.]+/g).map(Number);
  const light = (color) => {
    const [r, g, b] = parse(color).map((value) => value / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      const [, , , alpha = 1] = parse(color);
      if (alpha === 1) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !seen(element) || element.closest("button:disabled, noscript")) continue;
    const style = getComputedStyle(element);
    const box = element.ownerSVGElement && element.parentElement.querySelector("rect");
    const ground = box ? getComputedStyle(box).fill : behind(element.ownerSVGElement?.parentElement ?? element);
    const [a, b] = [light(element.ownerSVGElement ? style.fill : style.color), light(ground)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) broken.push(`${what(element)} “${texts.currentNode.data.trim().slice(0, 30)}”: contrast ${ratio.toFixed(2)}`);
  }
  return [...new Set(broken)];
};
