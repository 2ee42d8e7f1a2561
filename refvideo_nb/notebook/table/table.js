// A table of rows to sort, page through and choose from. Whatever comes from the kernel is put in as
// text or as the address of an embedded picture, never as markup.

const PICTURE = /^data:image\/(?:png|jpeg|webp|gif);base64,/;
const STEP = 10; // rows that a page key passes
const order = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function shown(model) {
  const rows = [...model.get("rows")];
  const { key, descending } = model.get("sort");
  if (model.get("remote") || !key) return rows;
  const by = (row) => row.sort[key] ?? (key in row.sort ? null : row.cells[key] || null);
  const compare = (a, b) => {
    if (a === null || b === null) return (a === null) - (b === null) || 0;
    const found = typeof a === "number" && typeof b === "number" ? a - b : order.compare(a, b);
    return descending ? -found : found;
  };
  return rows.sort((a, b) => a.second - b.second || compare(by(a), by(b)));
}

function fill(cell, value, pictures) {
  if (!Array.isArray(value)) {
    cell.textContent = value ?? "";
    return;
  }
  cell.replaceChildren(
    ...value.map(({ key, alt }) => {
      const source = pictures[key];
      if (!PICTURE.test(source ?? "")) return element("span", { className: "refvideo-picture", title: alt, textContent: alt });
      return element("img", { className: "refvideo-picture", src: source, alt, title: alt });
    }),
  );
}

function render({ model, el }) {
  const heads = element("tr");
  const body = element("tbody");
  const caption = element("caption", { className: "refvideo-unseen" });
  const table = element("table", {}, caption, element("thead", {}, heads), body);
  const scroll = element("div", { className: "refvideo-scroll" }, table);
  const nothing = element("p", { className: "refvideo-empty" });
  const said = element("span", { role: "status" });
  const [back, on] = [-1, 1].map((step) => {
    const button = element("button", { type: "button", textContent: step < 0 ? "Previous" : "Next" });
    button.addEventListener("click", () => set("page", model.get("page") + step));
    return button;
  });
  const where = element("span");
  const pages = element("span", { className: "refvideo-pages", role: "group" }, back, where, on);
  pages.setAttribute("aria-label", "Pages");
  const root = element("div", { className: "refvideo-table" }, scroll, nothing);
  root.append(element("div", { className: "refvideo-foot" }, said, pages));
  // The still table that stands in for this one; it comes back when this element goes.
  const instead = model.get("instead");
  if (/^[\w-]+$/.test(instead)) root.append(element("style", { textContent: `.${instead} { display: none }` }));
  // A grid, since its rows can be chosen.
  table.setAttribute("role", "grid");
  const trs = new Map(); // row id to its element, which outlives a new list of rows: focus stays where it is
  let reached = null; // the row that a Tab comes to

  function set(name, value) {
    model.set(name, value);
    model.save_changes();
  }

  function drawHeads() {
    const { key, descending } = model.get("sort");
    const focused = heads.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const made = model.get("columns").map((column) => {
      const head = element("th", { scope: "col", className: column.numeric ? "refvideo-number" : "" });
      if (!column.sortable) {
        head.textContent = column.label;
        return head;
      }
      const sorted = key === column.key;
      const mark = element("span", { textContent: sorted ? (descending ? "↓" : "↑") : "↕" });
      mark.setAttribute("aria-hidden", "true");
      const button = element("button", { type: "button" }, column.label, mark);
      button.dataset.key = column.key;
      button.addEventListener("click", () => sortBy(column.key));
      head.setAttribute("aria-sort", sorted ? (descending ? "descending" : "ascending") : "none");
      head.append(button);
      return head;
    });
    heads.replaceChildren(...made);
    if (focused) heads.querySelector(`button[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  function sortBy(key) {
    const before = model.get("sort");
    set("sort", { key, descending: before.key === key && !before.descending });
  }

  function make(id) {
    const tr = element("tr", { tabIndex: -1 });
    tr.dataset.id = id;
    trs.set(id, tr);
    return tr;
  }

  function drawRows() {
    const [columns, pictures, rows] = [model.get("columns"), model.get("pictures"), shown(model)];
    const selected = model.get("selected");
    const focused = body.contains(document.activeElement);
    const now = rows.map((row) => {
      const tr = trs.get(row.id) ?? make(row.id);
      const cells = columns.map(({ key, kind }) => {
        const value = row.cells[key] ?? "";
        return kind === "pictures" ? { value, have: value ? value.map((p) => p.key in pictures) : [] } : { value };
      });
      const looks = JSON.stringify([cells, columns]);
      if (tr.looks !== looks) {
        tr.looks = looks;
        const tds = columns.map((column, n) => {
          const td = element("td");
          td.classList.toggle("refvideo-number", column.numeric);
          td.classList.toggle("refvideo-wide", column.wide > 0);
          if (column.wide) td.style.minWidth = `${column.wide}px`;
          fill(td, cells[n].value, pictures);
          return td;
        });
        tr.replaceChildren(...tds);
      }
      tr.classList.toggle("refvideo-second", row.second);
      tr.setAttribute("aria-selected", String(row.id === selected));
      return tr;
    });
    const ids = new Set(rows.map((row) => row.id));
    for (const id of trs.keys()) if (!ids.has(id)) trs.delete(id);
    // Only where something moved: a row that is put in anew loses the focus.
    if (now.length !== body.rows.length || now.some((tr, n) => tr !== body.rows[n])) body.replaceChildren(...now);
    if (!ids.has(reached)) reached = ids.has(selected) ? selected : (rows[0]?.id ?? null);
    reach(reached, focused && !body.contains(document.activeElement));
    nothing.textContent = rows.length ? "" : model.get("empty");
    nothing.hidden = rows.length > 0;
  }

  function drawFoot() {
    const [page, count, busy] = [model.get("page"), model.get("pages"), model.get("busy")];
    said.textContent = busy || model.get("total");
    table.setAttribute("aria-busy", String(Boolean(busy)));
    where.textContent = `page ${page} of ${count}`;
    [back.disabled, on.disabled] = [page <= 1, page >= count];
    pages.hidden = count <= 1;
  }

  function drawLabel() {
    caption.textContent = model.get("label");
    scroll.setAttribute("aria-label", model.get("label"));
  }

  // One row at a time can be reached by Tab; the arrows go on from there.
  function reach(id, focus) {
    reached = id;
    for (const [other, tr] of trs) tr.tabIndex = other === id ? 0 : -1;
    if (focus) trs.get(id)?.focus();
  }

  function choose(tr) {
    reach(tr.dataset.id, true);
    model.set("choices", model.get("choices") + 1);
    set("selected", tr.dataset.id);
  }

  body.addEventListener("click", (event) => {
    const tr = event.target.closest("tr");
    // Whoever marks text in a row wants to copy it.
    if (tr && !String(document.getSelection())) choose(tr);
  });

  // The notebook around has commands on plain keys, "d d" deletes a cell: none of them is meant here. JupyterLab
  // hears keys after this element does, Notebook 7 before: so it is told first of all, by the mark that both know on
  // the element that has the focus.
  const plain = (event) => !event.ctrlKey && !event.metaKey && !event.altKey && event.key !== "Escape";
  const mark = (event) => {
    if (root.contains(event.target)) event.target.toggleAttribute("data-lm-suppress-shortcuts", plain(event));
  };
  window.addEventListener("keydown", mark, true);

  root.addEventListener("keydown", (event) => {
    if (!plain(event)) return;
    event.stopPropagation();
    const tr = event.target.closest("tbody tr");
    if (!tr) return;
    if (event.key === "Enter" || event.key === " ") choose(tr);
    else {
      const all = [...body.rows];
      const at = all.indexOf(tr);
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length, PageDown: at + STEP, PageUp: at - STEP };
      if (!(event.key in to)) return;
      reach(all[Math.min(Math.max(to[event.key], 0), all.length - 1)].dataset.id, true);
    }
    event.preventDefault();
  });

  const events = [
    ["change:columns change:sort", drawHeads],
    ["change:columns change:rows change:pictures change:sort change:selected change:empty change:remote", drawRows],
    ["change:page change:pages change:total change:busy", drawFoot],
    ["change:label", drawLabel],
  ];
  for (const [names, draw] of events) model.on(names, draw);
  drawLabel();
  drawHeads();
  drawRows();
  drawFoot();
  el.append(root);

  // Whoever fills the table is told when somebody looks at it, and need not work while nobody does.
  const view = Math.random().toString(36).slice(2);
  const tell = (seen) => model.send({ view, seen });
  let inside = false;
  const look = () => tell(inside && !document.hidden);
  const watch = new IntersectionObserver((entries) => {
    const now = entries.at(-1).isIntersecting;
    if (now !== inside) {
      inside = now;
      look();
    }
  });
  watch.observe(root);
  document.addEventListener("visibilitychange", look);

  return () => {
    for (const [names, draw] of events) model.off(names, draw);
    watch.disconnect();
    document.removeEventListener("visibilitychange", look);
    window.removeEventListener("keydown", mark, true);
    if (inside) tell(false);
  };
}

export default { render };
