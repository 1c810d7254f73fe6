// Sorting, filtering and charts. Every page can be read without this script.
"use strict";

// --- grids ---------------------------------------------------------------------------------------

function equip(grid) {
  const table = grid.querySelector("table");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  if (rows.length < 2) return;
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => makeSortable(head, column, heads, body, rows));
  const tools = grid.querySelector("[data-tools]");
  const told = element("output", {});
  const filters = [search(tools), ...heads.map((head, i) => choice(tools, head, i, rows))].filter(Boolean);
  const apply = () => {
    let kept = 0;
    for (const row of rows) {
      row.hidden = !filters.every((keeps) => keeps(row));
      kept += row.hidden ? 0 : 1;
    }
    told.textContent = `${kept} of ${rows.length} rows`;
  };
  tools.addEventListener("input", apply);
  if (grid.querySelector(".interval")) tools.append(intervals(grid));
  tools.append(told);
  apply();
}

function makeSortable(head, column, heads, body, rows) {
  const button = element("button", { type: "button", title: "Sort by this column" });
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => {
    const ascending = head.getAttribute("aria-sort") !== "ascending";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const numeric = head.classList.contains("figure");
    const sorted = [...rows].sort((a, b) => order(keyOf(a, column, numeric), keyOf(b, column, numeric), ascending));
    body.append(...sorted);
  });
}

function keyOf(row, column, numeric) {
  const key = row.cells[column].dataset.key;
  if (key === undefined) return undefined;
  return numeric || isNumber(key) ? Number(key) : key;
}

function isNumber(text) {
  return text.trim() !== "" && Number.isFinite(Number(text));
}

// What has nothing to sort by comes last, whichever way.
function order(a, b, ascending) {
  if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
  const sign = ascending ? 1 : -1;
  if (typeof a === "number" && typeof b === "number") return sign * (a - b);
  return sign * String(a).localeCompare(String(b), "en", { numeric: true });
}

function search(tools) {
  const input = element("input", { type: "search" });
  tools.append(labelled("filter", input));
  return (row) => row.textContent.toLowerCase().includes(input.value.trim().toLowerCase());
}

function choice(tools, head, column, rows) {
  const values = [...new Set(rows.map((row) => row.cells[column].dataset.value))];
  if (!("choice" in head.dataset) || values.length < 2) return null;
  const select = element("select", {});
  select.append(new Option("all", ""), ...values.map((value) => new Option(value, `=${value}`)));
  tools.append(labelled(head.textContent, select));
  return (row) => select.value === "" || `=${row.cells[column].dataset.value}` === select.value;
}

function intervals(grid) {
  const box = element("input", { type: "checkbox" });
  box.checked = true;
  box.addEventListener("change", () => grid.classList.toggle("no-intervals", !box.checked));
  return labelled("95 % intervals of means", box);
}

let controls = 0;

function labelled(text, control) {
  control.id = `control-${(controls += 1)}`;
  const label = element("label", { for: control.id });
  label.append(text);
  const both = element("span", {});
  both.append(label, control);
  return both;
}

// --- charts --------------------------------------------------------------------------------------

const ROW = 26;
const FOOT = 44;
const SVG = "http://www.w3.org/2000/svg";

function draw(figure) {
  const data = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
  const tools = element("div", { class: "tools" });
  const group = pick(data.groups.map((one) => one.name), 0);
  const first = Math.max(0, data.metrics.findIndex((one) => one.name === data.first));
  const metric = pick(data.metrics.map((one) => one.label), first);
  if (data.groups.length > 1) tools.append(labelled(data.group, group));
  tools.append(labelled("metric", metric));
  const tip = element("div", { class: "tip", hidden: "" });
  const place = element("div", {});
  const redraw = () => {
    tip.hidden = true;
    const drawn = plot(data.groups[group.value], data.metrics[metric.value], tip, figure);
    place.replaceChildren(drawn);
  };
  tools.addEventListener("input", redraw);
  figure.prepend(tools, place);
  figure.append(tip);
  redraw();
}

function pick(names, chosen) {
  const select = element("select", {});
  names.forEach((name, place) => select.append(new Option(name, place, false, place === chosen)));
  return select;
}

function plot(group, metric, tip, figure) {
  const rows = group.rows;
  const width = 1000;
  const longest = Math.max(...rows.map((row) => row.name.length));
  const left = Math.min(420, 24 + 7.2 * longest);
  const height = rows.length * ROW + FOOT;
  const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `${group.name}: ${metric.label}` });
  const seen = rows.map((row) => row.marks[metric.name]).filter(Boolean);
  const scale = scaled(seen, left, width - 30);
  const bottom = rows.length * ROW + 4;
  for (const tick of scale.ticks) {
    const x = scale.at(tick);
    svg.append(shape("line", { class: "rule", x1: x, x2: x, y1: 0, y2: bottom }));
    svg.append(words("tick", x, bottom + 16, "middle", format(tick)));
  }
  svg.append(words("tick", (left + width - 30) / 2, bottom + 36, "middle", metric.label + (scale.log ? " (log scale)" : "")));
  rows.forEach((row, place) => svg.append(mark(row, place, metric, scale, left, width, tip, figure)));
  return svg;
}

function mark(row, place, metric, scale, left, width, tip, figure) {
  const y = place * ROW + ROW / 2;
  const name = words("name", left - 12, y + 4, "end", shortened(row.name));
  const found = row.marks[metric.name];
  if (!found) {
    const none = shape("g", {});
    none.append(name, words("none", left + 8, y + 4, "start", "not known"));
    return none;
  }
  const [mean, low, high, n] = found;
  const trials = `${n} trial${n === 1 ? "" : "s"}`;
  const interval = low === null ? "" : `, 95 % interval ${format(low)} to ${format(high)}`;
  const told = `${row.name}: ${format(mean)} (${metric.label})${interval}, ${trials}${row.hollow ? ", hollow" : ""}`;
  const one = shape("g", { class: row.hollow ? "hollow" : "", tabindex: 0, role: "img", "aria-label": told });
  one.append(shape("rect", { class: "hit", x: 2, y: y - ROW / 2 + 1, width: width - 4, height: ROW - 2 }), name);
  if (low !== null) {
    const [from, to] = [scale.at(low), scale.at(high)];
    one.append(shape("line", { class: "bar", x1: from, x2: to, y1: y, y2: y }));
    for (const x of [from, to]) one.append(shape("line", { class: "bar", x1: x, x2: x, y1: y - 4, y2: y + 4 }));
  }
  one.append(shape("circle", { class: "dot", cx: scale.at(mean), cy: y, r: 4.5 }));
  const show = () => point(tip, told, one.querySelector(".dot"), figure);
  const hide = () => { tip.hidden = true; };
  one.addEventListener("mouseenter", show);
  one.addEventListener("focus", show);
  one.addEventListener("mouseleave", hide);
  one.addEventListener("blur", hide);
  return one;
}

function point(tip, told, dot, figure) {
  tip.textContent = told;
  tip.hidden = false;
  const [box, around] = [dot.getBoundingClientRect(), figure.getBoundingClientRect()];
  const x = box.left - around.left + 14;
  tip.style.left = `${Math.max(4, Math.min(x, around.width - tip.offsetWidth - 8))}px`;
  tip.style.top = `${box.top - around.top - tip.offsetHeight - 6}px`;
}

// Linear from zero, or by decades where the highest is more than ten times the lowest.
function scaled(seen, from, to) {
  const lows = seen.map(([mean, low]) => low ?? mean);
  const highs = seen.map(([mean, , high]) => high ?? mean);
  const [lowest, highest] = [Math.min(...lows), Math.max(...highs)];
  if (lowest > 0 && highest / lowest > 10) {
    const [a, b] = [Math.log10(lowest / 1.3), Math.log10(highest * 1.3)];
    const at = (value) => from + ((Math.log10(value) - a) / (b - a)) * (to - from);
    return { at, log: true, ticks: decades(lowest / 1.3, highest * 1.3) };
  }
  const bottom = Math.min(0, lowest);
  const top = Math.max(highest, bottom) * 1.05 || 1;
  const at = (value) => from + ((value - bottom) / (top - bottom)) * (to - from);
  return { at, log: false, ticks: steps(bottom, top) };
}

function decades(low, high) {
  const parts = high / low > 500 ? [1] : [1, 2, 5];
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const part of parts) ticks.push(part * 10 ** power);
  }
  return ticks.filter((tick) => tick >= low && tick <= high);
}

function steps(low, high) {
  const rough = (high - low) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((part) => part * power).find((one) => one >= rough);
  const ticks = [];
  for (let place = Math.ceil(low / step); place * step <= high; place++) ticks.push(place * step);
  return ticks;
}

function format(value) {
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}

function shortened(name) {
  return name.length > 56 ? `${name.slice(0, 55)}…` : name;
}

function words(kind, x, y, anchor, text) {
  const found = shape("text", { class: kind, x, y, "text-anchor": anchor });
  found.textContent = text;
  return found;
}

function shape(name, attributes) {
  return withAttributes(document.createElementNS(SVG, name), attributes);
}

// The page is the same on every day; which day it is, only its reader knows.
function remind(review) {
  if (review.dateTime >= new Date().toISOString().slice(0, 10)) return;
  const past = element("span", { class: "status" });
  past.textContent = " (past)";
  review.append(past);
}

function element(name, attributes) {
  return withAttributes(document.createElement(name), attributes);
}

function withAttributes(made, attributes) {
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

for (const grid of document.querySelectorAll("[data-grid]")) equip(grid);
for (const figure of document.querySelectorAll("[data-chart]")) draw(figure);
for (const review of document.querySelectorAll("[data-review]")) remind(review);
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
});
