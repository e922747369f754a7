// The page around the charts: dashboards, time, variables, themes. It keeps its state in the
// address, so that what is seen can be sent to somebody else.
"use strict";

const page = (() => {
  const AT_ONCE = 6;
  const state = { board: null, marks: null, views: new Map(), round: 0, timer: 0, theme: "dark", kept: 0 };
  const recorded = (() => {
    const found = document.getElementById("recorded");
    return found ? JSON.parse(found.textContent) : null;
  })();
  const { make, built, follow } = charts;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

  // Where we are: the path and query of the address, or of its hash in a file.

  function here() {
    const text = recorded ? location.hash.slice(1) || "/" : location.pathname + location.search;
    const url = new URL(text, "http://here");
    const found = /^\/d\/([^/]+)/.exec(url.pathname);
    return { uid: found ? decodeURIComponent(found[1]) : "", query: url.searchParams };
  }

  const local = (href) => (recorded && href.startsWith("/") ? `#${href}` : href);

  function go(uid, query, replace = false) {
    const text = uid ? `/d/${encodeURIComponent(uid)}${String(query) ? `?${query}` : ""}` : "/";
    history[replace ? "replaceState" : "pushState"](null, "", local(text));
    return open();
  }

  function changed(change) {
    const { uid, query } = here();
    change(query);
    return go(uid, query);
  }

  // What is asked for

  async function ask(path, query) {
    if (recorded) return fromFile(path, query);
    let answer;
    try {
      answer = await fetch(`/api/${path}?${query}`, { headers: { accept: "application/json" } });
    } catch {
      throw new Error("the preview's server does not answer; is it still running?");
    }
    const text = await answer.text();
    let found;
    try {
      found = JSON.parse(text);
    } catch {
      throw new Error(text.trim() || `the preview's server said ${answer.status}`);
    }
    if (found.error) throw new Error(found.error);
    return found;
  }

  function fromFile(path, query) {
    const [what, uid, key] = path.split("/").map(decodeURIComponent);
    if (what === "boards") return recorded.listed;
    const wanted = [...query].filter(([name]) => name.startsWith("var-"));
    const pages = recorded.pages.filter((one) => one.uid === uid);
    const fits = (one) => wanted.every(([name, value]) => (one.chosen[name] || []).includes(value) || !(name in one.chosen));
    const found = pages.find(fits);
    if (!found) throw new Error(pages.length ? "this choice was not recorded into this file" : `there is no dashboard ${uid} in this file`);
    return { board: found.board, marks: found.marks, panel: found.panels[key] }[what];
  }

  // Opening a dashboard, and drawing it again

  async function open() {
    const round = ++state.round;
    clearTimeout(state.timer);
    delete document.documentElement.dataset.drawn;
    const { uid, query } = here();
    try {
      if (!uid) {
        await start(round);
        if (round === state.round) finished();
        return undefined;
      }
      const board = await ask(`board/${encodeURIComponent(uid)}`, measured(query));
      if (round !== state.round) return undefined;
      const fresh = !state.board || state.board.uid !== board.uid || shapeOf(state.board) !== shapeOf(board);
      state.board = board;
      repaint();
      if (fresh) build(board);
      head(board, query);
      await fill(round);
    } catch (error) {
      if (round === state.round) broken(error);
    }
    if (round === state.round) finished();
    return undefined;
  }

  const shapeOf = (board) => JSON.stringify(board.rows);

  function measured(query) {
    const found = new URLSearchParams(query);
    found.set("tz", zone);
    found.set("width", String(Math.round(document.documentElement.clientWidth / 100) * 100));
    return found;
  }

  function finished() {
    document.documentElement.dataset.drawn = "yes";
    document.dispatchEvent(new Event("sloforge:drawn"));
    const every = seconds(here().query.get("refresh") ?? (state.board ? state.board.refresh : ""));
    if (every && state.board && !recorded) state.timer = setTimeout(again, every * 1000);
  }

  function again() {
    // Nobody loses what is being read or typed in a menu.
    if (document.hidden || document.querySelector("details.menu[open]")) state.timer = setTimeout(again, 1000);
    else open();
  }

  function seconds(text) {
    const found = /^(\d+)(s|m|h)$/.exec(text || "");
    return found ? Number(found[1]) * { s: 1, m: 60, h: 3600 }[found[2]] : 0;
  }

  async function fill(round) {
    const { uid, query } = here();
    const asked = measured(query);
    asked.set("at", String(state.board.time.at));
    const name = encodeURIComponent(uid);
    state.marks = { bands: [], fills: [], kinds: [], notes: [] };
    const waiting = [...document.querySelectorAll(".row:not(.folded) .panel")];
    for (const panel of waiting) panel.classList.add("loading");
    try {
      state.marks = await ask(`marks/${name}`, asked);
    } catch (error) {
      state.marks.notes = [error.message];
    }
    if (round !== state.round) return;
    told(state.marks);
    const worker = async () => {
      while (waiting.length && round === state.round) {
        const panel = waiting.shift();
        let view;
        try {
          view = await ask(`panel/${name}/${encodeURIComponent(panel.dataset.key)}`, asked);
        } catch (error) {
          view = { kind: "failed", message: error.message };
        }
        if (round === state.round) await shown(panel, view);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  async function shown(panel, view) {
    state.views.set(panel.dataset.key, view);
    panel.classList.remove("loading");
    const box = panel.querySelector(".content");
    const focused = box.contains(document.activeElement), scrolled = [...box.querySelectorAll(".legend, .scroll, .prose")].map((one) => one.scrollTop);
    try {
      await charts.draw(box, view, state.marks);
    } catch (error) {
      console.error(error);
      charts.words(box, `this panel cannot be drawn: ${error.message}`, "words failed");
    }
    box.querySelectorAll(".legend, .scroll, .prose").forEach((one, at) => { one.scrollTop = scrolled[at] || 0; });
    if (focused && !box.contains(document.activeElement)) box.querySelector(".sheet, .scroll, button")?.focus({ preventScroll: true });
    const said = [...(view.kind === "failed" ? [] : view.failures || []), ...(view.notes || [])];
    const warning = panel.querySelector(".warning");
    warning.hidden = !said.length;
    warning.querySelector(".pop").replaceChildren(...said.map((text) => make("p", {}, text)));
    const queries = (view.queries || []).map((one) => make("div", { class: "query" },
      make("span", { class: "weak" }, `${one.ref}${one.step ? `, a point every ${one.step} s` : ", at the end of the range"}`), make("pre", {}, make("code", {}, one.expr))));
    panel.querySelector(".queries").replaceChildren(...(queries.length ? queries : [make("p", { class: "weak" }, "no query")]));
  }

  // The skeleton

  const top = make("header", { class: "top" }), main = make("main", { class: "board" });

  function build(board) {
    for (const box of main.querySelectorAll(".content")) charts.forget(box);
    state.views.clear();
    main.replaceChildren(...board.rows.map(row));
    scrollTo(0, 0);
  }

  function row(one) {
    const grid = make("div", { class: "panels" }, ...one.panels.map(panel));
    const made = make("section", { class: "row", "data-key": one.key });
    if (one.title) {
      const button = make("button", { type: "button", class: "row-title", "aria-expanded": String(!one.collapsed), onclick: () => {
        const folded = made.classList.toggle("folded");
        button.setAttribute("aria-expanded", String(!folded));
        if (!folded) load(made);
      } }, make("span", { class: "caret" }), one.title, make("span", { class: "weak" }, ` ${one.panels.length} ${one.panels.length === 1 ? "panel" : "panels"}`));
      made.append(make("h2", {}, button));
    }
    if (one.collapsed) made.classList.add("folded");
    made.append(grid);
    return made;
  }

  async function load(made) {
    const missing = [...made.querySelectorAll(".panel")].some((one) => !state.views.has(one.dataset.key));
    if (missing) await open();
    else for (const one of made.querySelectorAll(".panel")) await shown(one, state.views.get(one.dataset.key));
  }

  function panel(one) {
    const made = make("article", { class: `panel of-${one.type}`, "data-key": one.key, "aria-label": one.title });
    made.style.setProperty("--x", one.x + 1);
    made.style.setProperty("--y", one.y + 1);
    made.style.setProperty("--w", one.w);
    made.style.setProperty("--h", one.h);
    const info = one.description.length ? menu("i", "What is this?", "info", ...one.description.map(built)) : null;
    const links = one.links.map((link) => make("p", {}, Object.assign(make("a", {}, link.title), follow(link.href))));
    made.append(
      make("header", {}, make("h3", { title: one.title }, one.title),
        make("span", { class: "tools" }, Object.assign(menu("!", "Something to know", "warning"), { hidden: true }), info,
          menu("⋯", "Links and queries", "more", ...links, make("div", { class: "queries" })))),
      make("div", { class: "content" }));
    return made;
  }

  function menu(sign, title, name, ...content) {
    return make("details", { class: `menu ${name}` }, make("summary", { title, "aria-label": title }, sign), make("div", { class: "pop prose" }, ...content));
  }

  // The head of the page

  function head(board, query) {
    document.title = `${board.title} · sloforge preview`;
    const links = board.links.map((link) => (link.href ? Object.assign(make("a", { class: link.away ? "away" : null }, link.title), follow(link.href)) : make("span", { class: "weak", title: "leads nowhere that a page may go" }, link.title)));
    top.replaceChildren(
      make("div", { class: "bar" }, home(), make("span", { class: "slash" }, "/"), make("h1", { title: plain(board.description) }, board.title),
        board.description.length ? menu("i", "About this dashboard", "info", ...board.description.map(built)) : "",
        make("span", { class: "gap" }), make("nav", { "aria-label": "links" }, ...links), range(board), refresh(board, query), themes()),
      make("div", { class: "bar second" }, ...board.variables.filter((one) => one.kind !== "datasource").map(variable), make("span", { class: "kinds" }), make("span", { class: "gap" }),
        make("span", { class: "source", title: "where the numbers are from" }, board.source)));
    if (recorded && recorded.banner) top.append(make("div", { class: `banner ${recorded.sample ? "sample" : ""}` }, recorded.banner));
  }

  function told(marks) {
    const place = top.querySelector(".kinds");
    if (!place) return;
    const kinds = marks.kinds.map((one) => {
      const swatch = make("span", { class: "swatch" });
      swatch.style.setProperty("--hue", color(one.color));
      return make("span", { class: "kind", title: "annotations in the range" }, swatch, `${one.name} ${one.count}`);
    });
    const notes = marks.notes.length ? [menu("!", "Annotations that are not shown", "warning", ...marks.notes.map((text) => make("p", {}, text)))] : [];
    place.replaceChildren(...kinds, ...notes);
  }

  const home = () => make("a", { class: "brand", href: local("/"), title: "all dashboards" }, make("span", { class: "logo" }), "sloforge");
  const plain = (nodes) => nodes.map((node) => (typeof node === "string" ? node : plain(node.slice(2)))).join(" ");

  function range(board) {
    const { time } = board;
    const text = time.to === "now" && time.from.startsWith("now-") ? `Last ${long(time.from.slice(4))}` : `${clock(time.start)} to ${clock(time.end)}`;
    if (recorded) return make("span", { class: "pill", title: `${clock(time.start)} to ${clock(time.end)}` }, `${text}, at ${clock(time.end)}`);
    const set = (from, to) => changed((query) => { query.set("from", from); query.set("to", to); });
    const from = make("input", { name: "from", value: time.from, "aria-label": "from", spellcheck: "false" }), to = make("input", { name: "to", value: time.to, "aria-label": "to", spellcheck: "false" });
    const form = make("form", { onsubmit: (event) => { event.preventDefault(); set(from.value.trim(), to.value.trim()); } },
      make("label", {}, "From", from), make("label", {}, "To", to), make("button", { type: "submit" }, "Apply"),
      make("p", { class: "weak" }, "such as now-6h, now/d, 2026-01-31T12:00:00Z or milliseconds"));
    const quick = time.ranges.map((one) => make("button", { type: "button", class: one === time.from && time.to === "now" ? "on" : null, onclick: () => set(one, "now") }, `Last ${long(one.slice(4))}`));
    const made = menu(text, `${clock(time.start)} to ${clock(time.end)}`, "range", make("div", { class: "split" }, form, make("div", { class: "quick" }, ...quick)));
    return made;
  }

  function long(text) {
    const found = /^(\d+)([smhdwMy])$/.exec(text);
    if (!found) return text;
    const name = { s: "second", m: "minute", h: "hour", d: "day", w: "week", M: "month", y: "year" }[found[2]];
    return `${found[1]} ${name}${found[1] === "1" ? "" : "s"}`;
  }

  function refresh(board, query) {
    if (recorded) return "";
    const now = query.get("refresh") ?? board.refresh;
    const select = make("select", { "aria-label": "refresh", title: "refresh every", onchange: () => changed((found) => found.set("refresh", select.value)) },
      ...[...new Set([...board.refreshes, now])].map((one) => make("option", { value: one, selected: one === now }, one || "off")));
    return make("span", { class: "group" }, make("button", { type: "button", title: "refresh now", "aria-label": "refresh now", onclick: () => open() }, "↻"), select);
  }

  function themes() {
    const next = () => { keep(state.theme === "dark" ? "light" : "dark"); repaint(); redraw(); };
    return make("button", { type: "button", class: "theme", title: "light or dark", "aria-label": "light or dark", onclick: next }, "◐");
  }

  function variable(one) {
    const id = `var-${one.name}`;
    const set = (values) => changed((query) => { query.delete(id); for (const value of values) query.append(id, value); });
    let field;
    if (one.fixed) field = make("output", { id }, one.text);
    else if (recorded) field = make("output", { id, title: "as it was recorded" }, one.text || "none");
    else if (one.free) field = make("input", { id, value: one.chosen[0] || "", onchange: () => set([field.value]) });
    else if (one.many) field = several(one, id, set);
    else {
      const known = one.options.some(([value]) => value === one.chosen[0]) || !one.chosen.length ? one.options : [[one.chosen[0], one.chosen[0]], ...one.options];
      field = make("select", { id, onchange: () => set([field.value]) }, ...known.map(([value, text]) => make("option", { value, selected: one.chosen.includes(value) }, text)));
    }
    const note = one.note ? menu("!", "This choice could not be looked up", "warning", make("p", {}, one.note)) : one.options.length || one.free ? "" : make("span", { class: "weak" }, "no value");
    return make("span", { class: "variable" }, make("label", { for: one.many ? null : id }, one.label), field, note);
  }

  function several(one, id, set) {
    const boxes = one.options.map(([value, text]) => make("label", {}, make("input", { type: "checkbox", value, checked: one.chosen.includes(value), onchange: (event) => {
      const all = event.target.value === "$__all";
      const ticked = boxes.map((box) => box.firstChild).filter((box) => box.checked && (all ? box.value === "$__all" : box.value !== "$__all")).map((box) => box.value);
      set(ticked.length ? ticked : one.options.some(([other]) => other === "$__all") ? ["$__all"] : [one.options[0][0]]);
    } }), text));
    const filter = make("input", { type: "search", placeholder: "search", "aria-label": `search ${one.label}`, oninput: () => boxes.forEach((box) => { box.hidden = !box.textContent.toLowerCase().includes(filter.value.toLowerCase()); }) });
    const made = menu(one.text || "none", one.label, "several", ...(boxes.length > 8 ? [filter] : []), make("div", { class: "boxes" }, ...boxes));
    made.querySelector("summary").id = id;
    return made;
  }

  // The start page

  async function start(round) {
    const { boards, source } = await ask("boards", "");
    if (round !== state.round) return;
    state.board = null;
    document.title = "sloforge preview";
    top.replaceChildren(make("div", { class: "bar" }, home(), make("span", { class: "gap" }), make("span", { class: "source" }, source), themes()));
    if (recorded && recorded.banner) top.append(make("div", { class: `banner ${recorded.sample ? "sample" : ""}` }, recorded.banner));
    const cards = boards.map((one) => make("li", {}, make("a", { href: local(`/d/${encodeURIComponent(one.uid)}`) },
      make("strong", {}, one.title), make("span", {}, one.description), make("span", { class: "tags" }, ...one.tags.map((tag) => make("span", { class: "tag" }, tag))))));
    main.replaceChildren(make("div", { class: "start" }, make("h1", {}, "Dashboards"),
      make("p", { class: "weak" }, "As they were generated, drawn without Grafana. Read-only."), make("ul", {}, ...cards)));
  }

  function broken(error) {
    if (!state.board) top.replaceChildren(make("div", { class: "bar" }, home(), make("span", { class: "gap" }), themes()));
    state.board = null;
    main.replaceChildren(make("div", { class: "broken", role: "alert" }, make("h1", {}, "This cannot be shown"), ...error.message.split("\n").map((text) => make("p", {}, text)),
      make("p", {}, Object.assign(make("a", {}, "All dashboards"), { href: local("/") }))));
  }

  // Colours and times

  const PLAIN = { dark: { grid: "rgba(204,204,220,0.09)", weak: "rgba(204,204,220,0.72)" }, light: { grid: "rgba(36,41,46,0.09)", weak: "rgba(36,41,46,0.75)" } };

  function color(name) {
    const own = PLAIN[state.theme][name];
    return own || (state.board && state.board.palette[state.theme][name]) || name;
  }

  function keep(theme) {
    state.theme = theme;
    try {
      localStorage.setItem("theme", theme);
    } catch { /* a file may not keep anything */ }
  }

  function repaint() {
    document.documentElement.dataset.theme = state.theme;
  }

  async function redraw() {
    if (!state.board) return;
    for (const one of main.querySelectorAll(".row:not(.folded) .panel")) {
      const view = state.views.get(one.dataset.key);
      if (view) await shown(one, view);
    }
    told(state.marks);
  }

  function chosenTheme() {
    const asked = here().query.get("theme");
    if (asked === "light" || asked === "dark") return asked;
    try {
      const kept = localStorage.getItem("theme");
      if (kept === "light" || kept === "dark") return kept;
    } catch { /* as above */ }
    return matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
  }

  function clock(at) {
    return new Date(at).toLocaleString("sv-SE", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" });
  }

  const zoom = (from, to) => { if (!recorded) changed((query) => { query.set("from", String(from)); query.set("to", String(to)); }); };

  // Everything that happens

  function begin() {
    state.theme = chosenTheme();
    repaint();
    document.body.append(make("a", { class: "skip", href: "#main" }, "skip to the panels"), top, main);
    main.id = "main";
    main.tabIndex = -1;
    addEventListener("popstate", () => open());
    document.addEventListener("click", (event) => {
      for (const one of document.querySelectorAll("details.menu[open]")) if (!one.contains(event.target)) one.open = false;
      const anchor = event.target.closest("a[href]");
      if (!anchor || event.ctrlKey || event.metaKey || event.shiftKey || event.button || anchor.target || anchor.className === "skip") return;
      const text = recorded ? (anchor.hash || "").slice(1) : anchor.pathname + anchor.search;
      if (!text.startsWith("/") || !recorded && anchor.origin !== location.origin) return;
      event.preventDefault();
      const url = new URL(text, "http://here"), found = /^\/d\/([^/]+)/.exec(url.pathname);
      go(found ? decodeURIComponent(found[1]) : "", url.searchParams);
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      for (const one of document.querySelectorAll("details.menu[open]")) {
        one.open = false;
        one.querySelector("summary").focus();
      }
    });
    document.addEventListener("toggle", (event) => {
      if (event.target.open && event.target.matches("details.menu")) settle(event.target.querySelector(".pop"));
    }, true);
    let width = innerWidth;
    addEventListener("resize", () => {
      if (innerWidth === width) return;
      width = innerWidth;
      clearTimeout(state.kept);
      state.kept = setTimeout(redraw, 150);
    });
    matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => { state.theme = chosenTheme(); repaint(); redraw(); });
    open();
  }

  function settle(pop) {
    pop.style.removeProperty("translate");
    const box = pop.getBoundingClientRect();
    const over = box.right > innerWidth - 8 ? innerWidth - 8 - box.right : box.left < 8 ? 8 - box.left : 0;
    if (over) pop.style.setProperty("translate", `${over}px 0`);
  }

  addEventListener("DOMContentLoaded", begin);
  return { color, local, zoom, clock, crosshair: () => Boolean(state.board && state.board.crosshair), font: () => getComputedStyle(document.body).fontFamily };
})();
