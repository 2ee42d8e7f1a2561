// What is looked at: the references on one side, the videos on the other, and one laid over the other.

import { button, clockTime, letter, make } from "./elements.js";
import { pictureOf, sourceOf } from "./sources.js";

// Videos side by side, by their number: as wide as they can be judged, in as few rows as that takes.
const COLUMNS = [1, 1, 2, 3, 2, 3, 3, 3, 3, 3];

export function makeStage(data, { choose, pick, wipe }) {
  const releases = [];
  let gone = false;

  function keep(source) {
    if (gone) source?.release();
    else if (source) releases.push(source.release);
    return source;
  }

  const shapes = data.videos.map((v) => v.width / v.height);
  const tiles = data.references.map(makeTile);
  const cells = data.videos.map(makeCell);
  // One shape for all boxes, so that rows stay rows; what has another shape stands in the middle of its box.
  const shape = Math.exp(shapes.reduce((sum, s) => sum + Math.log(s), 0) / shapes.length);
  const columns = COLUMNS[data.videos.length] ?? 3;
  const grid = make(
    "div",
    {
      className: "refvideo-grid",
      aria: { role: "group", label: data.videos.length > 1 ? "Videos" : "Video" },
      style: {
        "--refvideo-shape": shape.toFixed(4),
        "--refvideo-columns": columns,
        "--refvideo-rows": Math.ceil(data.videos.length / columns),
      },
    },
    ...cells.map((c) => c.root),
  );
  const shelf = make(
    "div",
    { className: "refvideo-shelf" },
    make("div", { className: "refvideo-heading", textContent: "References" }),
    make("div", { className: "refvideo-tiles", aria: { role: "group", label: "References" } }, ...tiles.map((t) => t.root)),
  );
  shelf.hidden = !tiles.length;

  // --- a reference ------------------------------------------------------------------------------------------

  function makeTile(reference, index) {
    const box = make("span", { className: "refvideo-thumb" });
    const name = make("strong", { textContent: reference.name, style: { "border-bottom-color": reference.colour } });
    const caption = make("span", { className: "refvideo-quiet", textContent: reference.caption ?? "" });
    const root = button("", () => pick(index), { className: "refvideo-reference" });
    root.replaceChildren(box, make("span", { className: "refvideo-named" }, name, caption));
    root.setAttribute("aria-label", `Compare with ${reference.name}`);
    root.title = `Lay ${reference.name} over the videos`;
    root.disabled = true;
    const tile = { root, name: reference.name, url: null };
    box.textContent = "loading";
    Promise.resolve(pictureOf(reference))
      .then((source) => {
        if (!keep(source)) {
          box.textContent = "no picture";
          return;
        }
        box.replaceChildren(make("img", { src: source.url, alt: "", draggable: false }));
        tile.url = source.url;
        root.disabled = false;
        for (const cell of cells) cell.again?.();
      })
      .catch(() => {
        box.textContent = "no picture";
      });
    return tile;
  }

  // --- a video ----------------------------------------------------------------------------------------------

  function makeCell(video, index) {
    const name = letter(index);
    const element = make("video", {
      muted: true,
      playsInline: true,
      preload: "auto",
      disablePictureInPicture: true,
      disableRemotePlayback: true,
    });
    element.setAttribute("aria-label", `Video ${name}: ${video.label}`);
    const over = make("img", { className: "refvideo-over", alt: "", draggable: false, hidden: true, aria: { hidden: "true" } });
    const line = make("span", { className: "refvideo-line", hidden: true });
    const word = make("span", { className: "refvideo-word", textContent: "loading" });
    const fit = make("div", { className: "refvideo-fit", style: { "--refvideo-ratio": shapes[index].toFixed(4) } });
    fit.append(element, over, line);
    const badge = button(name, () => choose(index), {
      name: `Choose video ${name}, ${video.label}`,
      keys: String(index + 1),
      className: "refvideo-badge",
    });
    const ended = make("span", { className: "refvideo-quiet" });
    const head = make("figcaption", {}, badge, make("span", { textContent: video.label }));
    if (video.caption) head.append(make("span", { className: "refvideo-quiet", textContent: video.caption }));
    if (video.badge) head.append(make("span", { className: "refvideo-warning", textContent: video.badge }));
    head.append(ended);
    const box = make("div", { className: "refvideo-box" }, fit, word);
    const root = make("figure", { className: "refvideo-cell" }, head, box);
    // Who drags the wipe's line does not mean to choose.
    box.addEventListener("click", () => fit.dataset.mode !== "wipe" && choose(index));
    for (const kind of ["pointerdown", "pointermove"]) {
      fit.addEventListener(kind, (event) => {
        const place = fit.getBoundingClientRect();
        if (event.buttons & 1) wipe((event.clientX - place.left) / place.width);
      });
    }
    const track = { element, seconds: video.seconds, fps: video.fps, audio: Boolean(video.audio) };
    const cell = { root, track, badge, ended, over, line, fit, again: null };

    const say = (text) => {
      word.textContent = text;
      word.hidden = !text;
    };
    element.addEventListener("loadeddata", () => say(""));
    element.addEventListener("error", () => {
      if (element.getAttribute("src")) say("this browser cannot play it");
    });
    sourceOf(video, "video/mp4")
      .then((source) => {
        if (!gone && keep(source)) element.src = source.url;
        else source?.release();
      })
      .catch((error) => say(error.message));
    return cell;
  }

  // --- as it shall look -------------------------------------------------------------------------------------

  function draw(state, time) {
    grid.dataset.view = state.view;
    cells.forEach((cell, index) => {
      const shown = index === state.shown;
      cell.root.classList.toggle("refvideo-behind", state.view === "flip" && !shown);
      cell.root.classList.toggle("refvideo-shown", shown);
      cell.badge.setAttribute("aria-pressed", String(shown));
      cell.track.element.muted = state.muted || !shown;
      cell.again = () => lay(cell, state);
      lay(cell, state);
    });
    tiles.forEach((tile, index) => {
      tile.root.setAttribute("aria-pressed", String(Boolean(state.mode) && index === state.reference));
    });
    mark(time);
  }

  function lay(cell, { mode, reference, mix }) {
    const url = mode && tiles[reference]?.url;
    const { over, line, fit } = cell;
    over.hidden = !url;
    line.hidden = !(url && mode === "wipe");
    fit.dataset.mode = url ? mode : "";
    if (!url) return;
    if (over.getAttribute("src") !== url) over.src = url;
    over.style.opacity = mode === "overlay" ? mix.overlay : 1;
    over.style.clipPath = mode === "wipe" ? `inset(0 0 0 ${mix.wipe * 100}%)` : "none";
    line.style.left = `${mix.wipe * 100}%`;
  }

  // Where a shorter video has come to its end.
  function mark(time) {
    cells.forEach(({ track, ended }) => {
      const text = time >= track.seconds ? `ended at ${clockTime(track.seconds)}` : "";
      if (ended.textContent !== text) ended.textContent = text;
    });
  }

  return {
    shelf,
    grid,
    tiles,
    tracks: cells.map((c) => c.track),
    fit: (index) => cells[index].fit,
    draw,
    mark,
    destroy() {
      gone = true;
      for (const { track } of cells) {
        track.element.removeAttribute("src");
        track.element.load();
      }
      for (const release of releases) release();
    },
  };
}
