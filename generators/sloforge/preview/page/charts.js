// Draws what was resolved elsewhere: no unit, threshold or query is known here. Every text from
// outside becomes a text node, never HTML.
"use strict";

const charts = (() => {
  const SPACE = 1.18; // a label's width in pixels, per character and pixel of its height / 2

  function make(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }

  const TAGS = new Set(["a", "blockquote", "code", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p",
    "pre", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"]);

  function built(node) {
    if (typeof node === "string") return document.createTextNode(node);
    const [tag, attributes, ...children] = node;
    const made = make(TAGS.has(tag) ? tag : "span");
    if (tag === "a") Object.assign(made, follow(attributes.href));
    made.append(...children.map(built));
    return made;
  }

  // Only what Python let pass is followed; this is the second lock on the same door.
  function follow(href) {
    const away = /^(https?|mailto):/i.test(href);
    if (!away && !/^[/?#](?!\/)/.test(href)) return {};
    return away ? { href, target: "_blank", rel: "noopener noreferrer" } : { href: page.local(href) };
  }

  function linked(text, links) {
    if (!links || !links.length) return [document.createTextNode(text)];
    return links.map((link, at) => {
      const anchor = make("a", { title: link.title }, at ? ` ${link.title}` : text);
      return Object.assign(anchor, follow(link.href));
    });
  }

  const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  function words(box, text, name = "words") {
    box.replaceChildren(make("div", { class: name }, ...text.split("\n").map((line) => make("p", {}, line))));
  }

  function color(name) {
    return page.color(name);
  }

  function readable(background) {
    const found = /^#(..)(..)(..)/.exec(color(background));
    if (!found) return "";
    const [red, green, blue] = found.slice(1).map((part) => parseInt(part, 16));
    return red * 0.299 + green * 0.587 + blue * 0.114 > 140 ? "#111217" : "#ffffff";
  }

  // Numbers

  function stat(box, view) {
    const items = view.items.map((item) => {
      const value = make("div", { class: "stat-value" }, ...linked(view.valued ? item.text : item.name, item.links));
      const made = make("div", { class: "stat" });
      if (view.named && view.valued && item.name) made.append(make("div", { class: "stat-name", title: item.name }, item.name));
      made.append(value);
      value.style.setProperty("--chars", Math.max(4, (view.valued ? item.text : item.name).length));
      if (view.paint.startsWith("background")) {
        made.style.setProperty("background", color(item.color));
        made.style.setProperty("color", readable(item.color));
      } else if (view.paint === "value") value.style.setProperty("color", color(item.color === "text" ? "weak" : item.color));
      return make("div", { class: "stat-cell" }, made);
    });
    const all = make("div", { class: "stats" }, ...items);
    const [columns] = shape(box, items.length, view.upright);
    all.style.setProperty("--columns", columns);
    box.replaceChildren(all);
  }

  function shape(box, count, upright) {
    const { width, height } = box.getBoundingClientRect();
    let best = [1, 0];
    for (let columns = 1; columns <= (upright ? 1 : count); columns += 1) {
      const across = width / columns, down = height / Math.ceil(count / columns);
      const size = Math.min(across / 4, down / 1.4);
      if (size > best[1]) best = [columns, size];
    }
    return best;
  }

  function bars(box, view) {
    const rows = view.items.map((item) => {
      const bar = make("div", { class: "bar-fill" });
      bar.style.setProperty("width", `${Math.max(item.share || 0, 0) * 100}%`);
      bar.style.setProperty("background", filling(view, item));
      const value = make("div", { class: "bar-value" }, ...linked(item.text, item.links));
      value.style.setProperty("color", color(item.color));
      return make("div", { class: "bar-row" }, make("div", { class: "bar-name", title: item.name }, item.name),
        make("div", { class: "bar-track" }, bar), value);
    });
    box.replaceChildren(make("div", { class: "bars" }, ...rows));
  }

  function gauges(box, view) {
    const art = (tag, attributes) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
      return made;
    };
    const arc = (share) => `M 10 50 A 40 40 0 0 1 ${50 - 40 * Math.cos(Math.PI * share)} ${50 - 40 * Math.sin(Math.PI * share)}`;
    const items = view.items.map((item) => {
      const drawing = art("svg", { viewBox: "0 0 100 56", "aria-hidden": "true" });
      drawing.append(art("path", { d: arc(1), class: "gauge-track" }));
      if (item.share > 0) drawing.append(art("path", { d: arc(Math.min(item.share, 0.9999)), class: "gauge-fill", stroke: color(item.color) }));
      const value = make("div", { class: "gauge-value" }, ...linked(item.text, item.links));
      value.style.setProperty("color", color(item.color === "text" ? "weak" : item.color));
      return make("div", { class: "gauge" }, drawing, value, view.items.length > 1 ? make("div", { class: "gauge-name", title: item.name }, item.name) : null);
    });
    box.replaceChildren(make("div", { class: "gauges" }, ...items));
  }

  function filling(view, item) {
    const stops = item.stops || [];
    if (!view.gradient || stops.length < 2) return color(item.color);
    const parts = stops.map(([place, name]) => `${color(name)} ${Math.round(place * 1000) / 10}%`);
    return `linear-gradient(to right, ${[...parts, `${color(item.color)} 100%`].join(", ")})`;
  }

  // Tables

  function table(box, view) {
    if (view.message && !view.columns.length) return words(box, view.message);
    const state = box.sorting || (box.sorting = { by: null, down: false });
    const body = make("tbody");
    const fill = () => body.replaceChildren(...sorted(view.rows, state).map((row) => make("tr", {}, ...row.map((cell, at) => tableCell(cell, view.columns[at])))));
    const heads = view.columns.map((column, at) => {
      const button = make("button", { type: "button", onclick: () => {
        [state.by, state.down] = state.by === at ? [at, !state.down] : [at, false];
        heads.forEach((head, other) => head.setAttribute("aria-sort", other !== at ? "none" : state.down ? "descending" : "ascending"));
        fill();
      } }, column.title);
      const head = make("th", { class: `to-${column.align}`, scope: "col", "aria-sort": state.by !== at ? "none" : state.down ? "descending" : "ascending" }, button);
      if (column.width) head.style.setProperty("width", `${column.width}px`);
      return head;
    });
    fill();
    const made = make("table", { class: "grid" }, make("thead", {}, make("tr", {}, ...heads)), body);
    box.replaceChildren(make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "table" }, made));
    if (view.message) box.firstChild.append(make("div", { class: "words" }, view.message));
    return undefined;
  }

  function sorted(rows, state) {
    if (state.by === null) return rows;
    const key = (row) => row[state.by].sort;
    const there = rows.filter((row) => key(row) !== null), gone = rows.filter((row) => key(row) === null);
    there.sort((one, other) => (typeof key(one) === "number" ? key(one) - key(other) : String(key(one)).localeCompare(String(key(other)))));
    return [...(state.down ? there.reverse() : there), ...gone];
  }

  function tableCell(cell, column) {
    const made = make("td", { class: `to-${column.align}` });
    const chip = cell.background && cell.background !== "text" && cell.background !== "transparent";
    const inner = chip ? make("span", { class: "chip" }) : made;
    inner.append(...linked(cell.text, cell.links));
    if (chip) {
      inner.style.setProperty("background", color(cell.background));
      inner.style.setProperty("color", readable(cell.background));
      made.append(inner);
    } else if (cell.background) made.classList.add("weak");
    else if (cell.color) made.style.setProperty("color", color(cell.color));
    return made;
  }

  // Charts

  const drawn = new Map(); // box -> what the crosshair needs

  function frame(left, box, bottom = 22) {
    return { l: left, r: 14, t: 8, b: bottom, pad: 0, width: box.clientWidth, height: box.clientHeight };
  }

  function layout(view, margin, shapes) {
    const faint = color("grid");
    const axis = { zeroline: false, showline: false, gridcolor: faint, ticks: "", fixedrange: true, tickfont: { size: 11, color: color("weak") }, tickmode: "array" };
    return {
      width: margin.width, height: margin.height, margin, shapes, showlegend: false, barmode: "stack", bargap: 0,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: page.font(), size: 11 },
      xaxis: { ...axis, range: [view.time.from, view.time.to], tickvals: view.time.ticks.map(([at]) => at), ticktext: view.time.ticks.map(([, text]) => text) },
      yaxis: { ...axis },
    };
  }

  const CONFIG = { staticPlot: true, displayModeBar: false, displaylogo: false };

  function gutter(texts, most) {
    return Math.min(most, Math.max(30, ...texts.map((text) => text.length * 5.4 * SPACE + 12)));
  }

  async function graph(box, view, marks) {
    if (view.message) return words(box, view.message);
    const hidden = box.hiddenSeries || (box.hiddenSeries = new Set());
    const plot = make("div", { class: "plot" }), legend = view.legend ? legendOf(box, view, marks, hidden) : null;
    box.replaceChildren(make("div", { class: "chart" }, plot), ...(legend ? [legend] : []));
    const margin = frame(gutter(view.y.ticks.map(([, text]) => text), 110), plot.parentNode);
    const times = Array.from({ length: view.x.count }, (_, at) => view.x.start + at * view.x.step);
    const traces = view.series.map((one, at) => trace(one, times, view, hidden.has(at)));
    const asked = layout(view, margin, [...thresholds(view), ...bandsOf(view, marks)]);
    const log = (value) => (view.y.log ? Math.log10(value) : value);
    asked.yaxis.type = view.y.log ? "log" : "linear";
    asked.yaxis.range = view.y.range.map(log);
    asked.yaxis.tickvals = view.y.ticks.map(([at]) => at);
    asked.yaxis.ticktext = view.y.ticks.map(([, text]) => escaped(text));
    await Plotly.newPlot(plot, traces, asked, CONFIG);
    watched(box, plot, { view, margin, times, tell: (at, time) => lines(view, at, time, marks, hidden) });
    return undefined;
  }

  function trace(one, times, view, hidden) {
    const hue = color(one.color);
    const common = { x: times, y: one.values, hoverinfo: "skip", visible: !hidden };
    if (one.bars) return { ...common, type: "bar", marker: { color: hue, opacity: Math.max(one.fill, 0.5) }, width: view.x.step * 0.9 };
    const lone = one.points || one.values.every((value, at) => value === null || (one.values[at - 1] ?? null) === null && (one.values[at + 1] ?? null) === null);
    const made = { ...common, type: "scatter", mode: lone ? "lines+markers" : "lines", connectgaps: one.connect, marker: { size: 4, color: hue }, line: { color: hue, width: Math.max(one.width, 1) * 1.35, dash: one.dash ? "7px,6px" : "solid" } };
    if (view.stacked) Object.assign(made, { stackgroup: "all", stackgaps: "infer zero", fillcolor: faded(hue, one.fill || 0.2) });
    else if (one.fill) Object.assign(made, { fill: "tozeroy", fillcolor: faded(hue, one.fill * 0.8) });
    return made;
  }

  function faded(hue, share) {
    const found = /^#(..)(..)(..)/.exec(hue);
    return found ? `rgba(${found.slice(1).map((part) => parseInt(part, 16)).join(",")},${share})` : hue;
  }

  function thresholds(view) {
    const across = { xref: "paper", x0: 0, x1: 1, yref: "y" };
    return view.thresholds.flatMap((one) => {
      const hue = color(one.color), found = [];
      if (one.area) found.push({ ...across, type: "rect", y0: one.from, y1: one.to, fillcolor: hue, opacity: 0.09, line: { width: 0 }, layer: "below" });
      if (one.line) found.push({ ...across, type: "line", y0: one.from, y1: one.from, opacity: 0.8, line: { color: hue, width: 1.2, dash: one.dash ? "6px,5px" : "solid" }, layer: "below" });
      return found;
    });
  }

  function bandsOf(view, marks) {
    const tall = { yref: "paper", y0: 0, y1: 1, xref: "x", layer: "below" };
    return marks.fills.flatMap((band) => {
      const hue = color(band.color);
      const start = Math.max(band.from, view.time.from), end = Math.min(band.to, view.time.to);
      if (start > end) return [];
      return [
        { ...tall, type: "rect", x0: start, x1: end, fillcolor: hue, opacity: 0.08, line: { width: 0 } },
        { ...tall, type: "line", x0: start, x1: start, opacity: 0.7, line: { color: hue, width: 1, dash: "3px,3px" } },
        { ...tall, type: "rect", x0: start, x1: end, y0: -0.012, y1: 0.006, fillcolor: hue, opacity: 0.9, line: { width: 0 }, layer: "above" },
      ];
    });
  }

  function legendOf(box, view, marks, hidden) {
    const redraw = () => graph(box, view, marks);
    const only = (at) => hidden.size === view.series.length - 1 && !hidden.has(at);
    const rows = view.series.map((one, at) => {
      const swatch = make("span", { class: one.dash ? "swatch dash" : "swatch" });
      swatch.style.setProperty("--hue", color(one.color));
      const name = make("button", { type: "button", class: "legend-name", title: `${one.name} (click: only this, with Ctrl: hide or show)`, "aria-pressed": String(!hidden.has(at)), onclick: (event) => {
        if (event.ctrlKey || event.metaKey) hidden.has(at) ? hidden.delete(at) : hidden.add(at);
        else if (only(at)) hidden.clear();
        else view.series.forEach((_, other) => (other === at ? hidden.delete(other) : hidden.add(other)));
        redraw();
      } }, swatch, make("span", {}, one.name || "value"));
      return make("tr", { class: hidden.has(at) ? "off" : null }, make("td", {}, name), ...one.legend.map((text) => make("td", { class: "to-right" }, text)));
    });
    const head = make("tr", {}, make("th", {}, "Name"), ...view.columns.map((name) => make("th", { class: "to-right" }, name)));
    const made = make("div", { class: "legend" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
    // Whole lines only, and a word about those that are below.
    const fit = Math.max(1, Math.floor((box.clientHeight * 0.42 - 19) / 20));
    if (rows.length > fit) {
      made.style.setProperty("max-height", `${19 + fit * 20}px`);
      head.firstChild.append(make("span", { class: "weak" }, ` ${fit} of ${rows.length}, scroll for more`));
    }
    return made;
  }

  function lines(view, at, time, marks, hidden) {
    const found = view.series.map((one, index) => ({ color: one.color, name: one.name, text: one.texts[at], value: one.values[at], index }))
      .filter((one) => one.value !== null && one.value !== undefined && !hidden.has(one.index))
      .sort((one, other) => other.value - one.value);
    const step = view.x.step;
    const over = marks.bands.filter((band) => band.from - step / 2 <= time && time <= band.to + step / 2)
      .map((band) => ({ color: band.color, name: `${band.kind}: ${band.title}`, text: band.text }));
    return [...found, ...over];
  }

  async function timeline(box, view) {
    if (view.message) return words(box, view.message);
    const plot = make("div", { class: "plot" });
    box.replaceChildren(make("div", { class: "chart" }, plot));
    const most = box.clientWidth * 0.34;
    const fit = Math.floor((most - 12) / (5.4 * SPACE));
    const short = view.rows.map((row) => (row.name.length > fit ? `${row.name.slice(0, fit - 1)}…` : row.name));
    const margin = frame(gutter(short, most), plot.parentNode);
    const traces = [{ type: "bar", orientation: "h", hoverinfo: "skip", width: 0.82, base: [], x: [], y: [], marker: { color: [], opacity: 0.85, line: { width: 0 } } }];
    view.rows.forEach((row, at) => row.bands.forEach((band) => {
      traces[0].base.push(band.from);
      traces[0].x.push(band.to - band.from);
      traces[0].y.push(view.rows.length - 1 - at);
      traces[0].marker.color.push(color(band.color));
    }));
    const asked = layout(view, margin, []);
    Object.assign(asked.yaxis, { range: [-0.5, view.rows.length - 0.5], tickvals: view.rows.map((_, at) => view.rows.length - 1 - at), ticktext: short.map(escaped), showgrid: false });
    asked.barmode = "overlay";
    if (view.valued) asked.annotations = view.rows.flatMap((row, at) => row.bands.filter((band) => (band.to - band.from) / (view.time.to - view.time.from) * margin.width > band.text.length * 8).map((band) => ({ x: Math.max(band.from, view.time.from), y: view.rows.length - 1 - at, text: escaped(band.text), xanchor: "left", showarrow: false, font: { color: readable(band.color), size: 11 } })));
    await Plotly.newPlot(plot, traces, asked, CONFIG);
    const at = (time) => view.rows.flatMap((row) => row.bands.filter((band) => band.from <= time && time <= band.to).map((band) => ({ color: band.color, name: row.name, text: band.text })));
    watched(box, plot, { view, margin, times: null, tell: (_, time) => at(time) });
    return undefined;
  }

  // The crosshair, its words, and a range that is drawn with the mouse or chosen with the keys.

  function watched(box, plot, about) {
    const line = make("div", { class: "cross", hidden: true }), area = make("div", { class: "area", hidden: true });
    const sheet = make("div", { class: "sheet", tabindex: "0", role: "img", "aria-label": "chart; arrow keys move along the time" }, area, line);
    plot.parentNode.append(sheet);
    Object.assign(about, { line, sheet, plot });
    drawn.set(box, about);
    const { margin, view } = about;
    const inner = margin.width - margin.l - margin.r;
    const timeAt = (x) => view.time.from + Math.min(Math.max((x - margin.l) / inner, 0), 1) * (view.time.to - view.time.from);
    let begun = null, key = view.time.to;
    sheet.addEventListener("pointermove", (event) => {
      const x = event.clientX - sheet.getBoundingClientRect().left;
      show(about, timeAt(x), event);
      if (begun !== null) {
        area.hidden = false;
        area.style.setProperty("left", `${Math.min(begun, x)}px`);
        area.style.setProperty("width", `${Math.abs(x - begun)}px`);
      }
    });
    sheet.addEventListener("pointerleave", () => { hide(); begun = null; area.hidden = true; });
    sheet.addEventListener("pointerdown", (event) => { begun = event.clientX - sheet.getBoundingClientRect().left; });
    sheet.addEventListener("pointerup", (event) => {
      const x = event.clientX - sheet.getBoundingClientRect().left;
      const ends = begun === null ? [] : [timeAt(begun), timeAt(x)].map(Math.round).sort((one, other) => one - other);
      const far = begun !== null && Math.abs(x - begun) > 8;
      begun = null;
      area.hidden = true;
      if (far) page.zoom(...ends);
    });
    sheet.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!move) return;
      event.preventDefault();
      const step = about.times ? view.x.step : (view.time.to - view.time.from) / 100;
      key = Math.min(Math.max(key + move * step, view.time.from), view.time.to);
      show(about, key, null);
    });
    sheet.addEventListener("blur", hide);
  }

  const tip = make("div", { class: "tip", hidden: true, role: "status" });

  function show(about, time, event) {
    const at = about.times ? Math.round((time - about.view.x.start) / about.view.x.step) : 0;
    const near = about.times ? about.view.x.start + at * about.view.x.step : time;
    for (const other of page.crosshair() ? drawn.values() : [about]) place(other, near);
    const rows = about.tell(at, near).slice(0, 14).map((one) => {
      const swatch = make("span", { class: "swatch" });
      swatch.style.setProperty("--hue", color(one.color));
      return make("div", { class: "tip-row" }, swatch, make("span", { class: "tip-name" }, one.name || "value"), make("b", {}, one.text));
    });
    tip.replaceChildren(make("div", { class: "tip-time" }, page.clock(near)), ...rows);
    if (!tip.isConnected) document.body.append(tip);
    tip.hidden = false;
    const box = about.sheet.getBoundingClientRect(), size = tip.getBoundingClientRect();
    const x = event ? event.clientX : box.left + xOf(about, near), y = event ? event.clientY : box.top + 20;
    tip.style.setProperty("left", `${x + size.width + 24 > innerWidth ? x - size.width - 14 : x + 14}px`);
    tip.style.setProperty("top", `${Math.max(4, Math.min(y + 12, innerHeight - size.height - 8))}px`);
  }

  function xOf(about, time) {
    const { margin, view } = about;
    return margin.l + (time - view.time.from) / (view.time.to - view.time.from) * (margin.width - margin.l - margin.r);
  }

  function place(about, time) {
    const inside = time >= about.view.time.from && time <= about.view.time.to;
    about.line.hidden = !inside;
    about.line.style.setProperty("left", `${xOf(about, time)}px`);
  }

  function hide() {
    tip.hidden = true;
    for (const about of drawn.values()) about.line.hidden = true;
  }

  function forget(box) {
    const about = drawn.get(box);
    if (about) Plotly.purge(about.plot);
    drawn.delete(box);
  }

  const DRAW = {
    bars, gauges, graph, stat, table, timeline,
    text: (box, view) => {
      const prose = make("div", { class: "prose", tabindex: "0" }, ...view.nodes.map(built));
      box.replaceChildren(prose);
      prose.classList.toggle("cut", prose.scrollHeight > prose.clientHeight + 2);
    },
    words: (box, view) => words(box, view.message),
    failed: (box, view) => words(box, view.message, "words failed"),
    unknown: (box, view) => words(box, view.message, "words unknown"),
  };

  async function draw(box, view, marks) {
    forget(box);
    box.dataset.kind = view.kind;
    await (DRAW[view.kind] || DRAW.unknown)(box, view, marks);
  }

  return { draw, make, built, follow, forget, words };
})();
