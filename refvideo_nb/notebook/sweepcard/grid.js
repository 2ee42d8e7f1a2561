// The cells of a sweep as squares in rows. Whatever comes from the kernel is put in as text, never as markup.

const MANY = 1500; // cells, from which on they are small

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function render({ model, el }) {
  const grid = element("div", { className: "refvideo-cells" });
  const said = element("div", { className: "refvideo-said" });
  const legend = element("div", { className: "refvideo-legend" });
  const root = element("div", { className: "refvideo-grid" }, grid, legend, said);
  // The still picture that stands in for this one; it comes back when this element goes.
  const instead = model.get("instead");
  if (/^[\w-]+$/.test(instead)) root.append(element("style", { textContent: `.${instead} { display: none }` }));
  grid.setAttribute("role", "grid");
  let squares = []; // by number, from 1
  let reached = 1; // the cell that a Tab comes to

  function settings(number) {
    let rest = number - 1;
    const found = [];
    for (const axes of [...model.get("dimensions")].reverse()) {
      const size = axes[0].labels.length;
      const level = rest % size;
      rest = Math.floor(rest / size);
      found.unshift(...axes.map(({ name, labels }) => `${name} ${labels[level]}`));
    }
    return found.join(", ");
  }

  const word = (number) => model.get("words")[model.get("stands")[number - 1]] ?? "";
  const tell = (number) => `cell ${number}, ${word(number)}: ${settings(number)}`;

  function build() {
    squares = [];
    const rows = model.get("rows").map(({ label, first, count }) => {
      const cells = element("div", { className: "refvideo-row-cells" });
      cells.setAttribute("role", "presentation");
      for (let number = first; number < first + count; number++) {
        const square = element("span", { tabIndex: -1 });
        square.setAttribute("role", "gridcell");
        square.dataset.number = number;
        squares[number] = square;
        cells.append(square);
      }
      const head = element("div", { className: "refvideo-row-label", textContent: label, title: label });
      head.setAttribute("role", "rowheader");
      const row = element("div", { className: "refvideo-row" }, head, cells);
      head.hidden = !label;
      row.setAttribute("role", "row");
      return row;
    });
    const longest = Math.max(0, ...model.get("rows").map(({ label }) => label.length));
    grid.style.setProperty("--refvideo-label", `${longest}ch`);
    grid.replaceChildren(...rows);
    grid.setAttribute("aria-label", model.get("label"));
    root.classList.toggle("refvideo-many", squares.length > MANY);
    draw();
    reach(Math.min(Math.max(reached, 1), squares.length - 1), false);
  }

  function draw() {
    const stands = model.get("stands");
    const words = model.get("words");
    for (let number = 1; number < squares.length; number++) {
      const square = squares[number];
      const now = words[stands[number - 1]] ?? "";
      if (square.dataset.stands !== now) {
        square.dataset.stands = now;
        square.setAttribute("aria-label", tell(number));
      }
    }
    const counts = new Map();
    for (const letter of stands) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    const marks = Object.entries(words)
      .filter(([letter]) => counts.has(letter))
      .map(([letter, name]) => {
        const mark = element("i");
        mark.dataset.stands = name;
        return element("span", {}, mark, `${name} ${counts.get(letter).toLocaleString("en")}`);
      });
    legend.replaceChildren(...marks);
  }

  function choose() {
    const chosen = model.get("chosen");
    for (const square of grid.querySelectorAll('[aria-selected="true"]')) square.removeAttribute("aria-selected");
    squares[chosen]?.setAttribute("aria-selected", "true");
    said.textContent = "";
  }

  // One cell at a time can be reached by Tab; the arrows go on from there.
  function reach(number, focus) {
    if (!squares[number]) return;
    if (squares[reached]) squares[reached].tabIndex = -1;
    reached = number;
    squares[number].tabIndex = 0;
    if (focus) squares[number].focus();
  }

  const numberOf = (event) => Number(event.target.closest?.("[data-number]")?.dataset.number ?? 0);

  function take(number) {
    reach(number, true);
    model.set("chosen", number);
    model.save_changes();
  }

  grid.addEventListener("click", (event) => {
    const number = numberOf(event);
    if (number) take(number);
  });
  for (const name of ["mouseover", "focusin"]) {
    grid.addEventListener(name, (event) => {
      const number = numberOf(event);
      // Of the one that is chosen more is told below.
      if (number) said.textContent = number === model.get("chosen") ? "" : tell(number);
    });
  }

  function above(number, step) {
    // The square in the row of squares before or after, wherever the line breaks.
    const here = squares[number].getBoundingClientRect();
    let best = number;
    let near = Infinity;
    for (let n = number + step; n >= 1 && n < squares.length; n += step) {
      const there = squares[n].getBoundingClientRect();
      const down = Math.abs(there.top - here.top);
      if (down < 2) continue;
      if (near !== Infinity && down > near[0] + 2) break;
      const away = Math.abs(there.left - here.left);
      if (near === Infinity || away < near[1]) [best, near] = [n, [down, away]];
    }
    return best;
  }

  // The notebook around has commands on plain keys: none of them is meant here.
  const plain = (event) => !event.ctrlKey && !event.metaKey && !event.altKey && event.key !== "Escape";
  const mark = (event) => {
    if (root.contains(event.target)) event.target.toggleAttribute("data-lm-suppress-shortcuts", plain(event));
  };
  window.addEventListener("keydown", mark, true);
  grid.addEventListener("keydown", (event) => {
    if (!plain(event)) return;
    event.stopPropagation();
    const number = numberOf(event);
    if (!number) return;
    const last = squares.length - 1;
    if (event.key === "Enter" || event.key === " ") take(number);
    else if (event.key === "ArrowRight") reach(Math.min(number + 1, last), true);
    else if (event.key === "ArrowLeft") reach(Math.max(number - 1, 1), true);
    else if (event.key === "ArrowDown") reach(above(number, 1), true);
    else if (event.key === "ArrowUp") reach(above(number, -1), true);
    else if (event.key === "Home") reach(1, true);
    else if (event.key === "End") reach(last, true);
    else return;
    event.preventDefault();
  });

  const events = [
    ["change:rows change:dimensions change:label", build],
    ["change:stands change:words", draw],
    ["change:chosen", choose],
  ];
  for (const [names, does] of events) model.on(names, does);
  build();
  choose();
  el.append(root);
  return () => {
    for (const [names, does] of events) model.off(names, does);
    window.removeEventListener("keydown", mark, true);
  };
}

export default { render };
