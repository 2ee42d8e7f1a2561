// How well the references were followed, as curves below the videos: a click goes to that moment.
//
// Behind the curves stands what unrelated pictures score in the chosen video, so that no number is bare.

import { letter, make } from "./elements.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDE = 1000; // of a drawing that is stretched to its place
const TALL = 100;

function shape(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

export function makeCurves({ curves = [], videos }, { clock, scrub, scrubbed }) {
  let [bottom, top] = [Infinity, -Infinity];
  for (const { tracks } of curves) {
    for (const track of tracks.filter(Boolean)) {
      for (const value of [...track.low, ...track.high, ...track.values]) {
        bottom = Math.min(bottom, value);
        top = Math.max(top, value);
      }
    }
  }
  const room = 0.05 * Math.max(top - bottom, 0.1);
  const x = (time) => ((time / clock.total) * WIDE).toFixed(1);
  const y = (value) => (TALL * (1 - (value - bottom + room) / (top - bottom + 2 * room))).toFixed(1);
  // The last frame stands until the end.
  const points = (track, values, end) => [...track.times.map((t, n) => [t, values[n]]), [end, values.at(-1)]];
  const path = (found) => found.map(([t, value], n) => `${n ? "L" : "M"}${x(t)} ${y(value)}`).join("");

  const rows = curves.map(makeRow);
  const root = make(
    "div",
    { className: "refvideo-curves", aria: { role: "group", label: "How well the references were followed" } },
    make("div", { className: "refvideo-heading", textContent: "How well the references were followed" }),
    ...rows.map((row) => row.root),
    make("div", {
      className: "refvideo-quiet",
      textContent:
        "Grey: what unrelated pictures score by chance" +
        (videos.length > 1 ? " in the chosen video. " : ". ") +
        "Dashed: above it a frame counts as covered. A click goes there.",
    }),
  );
  root.hidden = !rows.length;

  function makeRow({ name, colour, tracks }) {
    const drawing = shape("svg", { viewBox: `0 0 ${WIDE} ${TALL}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    const band = shape("path", { class: "refvideo-chance" });
    const limit = shape("path", { class: "refvideo-limit" });
    const lines = tracks.map((track, n) =>
      track ? shape("path", { d: path(points(track, track.values, videos[n].seconds)), stroke: colour, class: "refvideo-curve" }) : null,
    );
    drawing.append(band, limit, ...lines.filter(Boolean));
    const letters = tracks.map((track, n) =>
      track && videos.length > 1
        ? make("span", { className: "refvideo-end", textContent: letter(n), style: { top: `${y(track.values.at(-1))}%` } })
        : null,
    );
    apart(letters.filter(Boolean));
    const head = make("span", { className: "refvideo-playhead" });
    const chart = make("div", { className: "refvideo-chart" }, drawing, head, ...letters);
    const go = ({ clientX }) => {
      const place = drawing.getBoundingClientRect();
      scrub(Math.min(Math.max((clientX - place.left) / place.width, 0), 1) * clock.total);
    };
    chart.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      chart.setPointerCapture(event.pointerId);
      go(event);
    });
    chart.addEventListener("pointermove", (event) => chart.hasPointerCapture(event.pointerId) && go(event));
    chart.addEventListener("lostpointercapture", scrubbed);
    const reading = make("span", { className: "refvideo-quiet refvideo-values" });
    const title = make("strong", { textContent: name, style: { "border-bottom-color": colour } });
    const whole = tracks.map((t, n) => (t ? `${videos.length > 1 ? `video ${letter(n)}: ` : ""}${t.said}` : "")).filter(Boolean);
    const summary = make("span", { className: "refvideo-unseen", textContent: whole.join("; ") });
    const row = make("div", { className: "refvideo-row", aria: { role: "group", label: `${name} over time` } });
    row.append(make("div", { className: "refvideo-about" }, title, reading, summary), chart);
    chart.title = whole.join("\n");
    return { root: row, tracks, lines, letters, band, limit, head, reading };
  }

  // Letters that would lie on one another stand under one another.
  function apart(found) {
    const sorted = [...found].sort((a, b) => parseFloat(a.style.top) - parseFloat(b.style.top));
    let last = -Infinity;
    for (const each of sorted) {
      last = Math.max(parseFloat(each.style.top), last + 22);
      each.style.top = `${last}%`;
    }
  }

  function draw({ shown }) {
    for (const { tracks, lines, letters, band, limit } of rows) {
      const place = tracks[shown] ? shown : tracks.findIndex(Boolean);
      const track = tracks[place];
      const end = videos[place].seconds;
      const back = points(track, track.low, end).reverse();
      band.setAttribute("d", `${path(points(track, track.high, end))}${path(back).replace("M", "L")}Z`);
      limit.setAttribute("d", path([[0, track.limit], [end, track.limit]]));
      tracks.forEach((_, n) => {
        lines[n]?.classList.toggle("refvideo-chosen", n === place);
        letters[n]?.classList.toggle("refvideo-chosen", n === place);
      });
    }
    mark(clock.time, shown);
  }

  function mark(time, shown) {
    const left = `${Math.min(time / clock.total, 1) * 100}%`;
    for (const { tracks, head, reading } of rows) {
      head.style.left = left;
      const place = tracks[shown] ? shown : tracks.findIndex(Boolean);
      const values = tracks.map((track, n) => {
        if (!track) return "";
        const value = track.values[at(track, time)].toFixed(2);
        return videos.length > 1 ? `${letter(n)} ${value}` : value;
      });
      const track = tracks[place];
      const now = at(track, time);
      const text = `${values.filter(Boolean).join(" · ")} · by chance ${track.low[now].toFixed(2)} to ${track.high[now].toFixed(2)}`;
      if (reading.textContent !== text) reading.textContent = text;
    }
  }

  // Which of the measured frames is shown at a time.
  function at({ times }, time) {
    let [low, high] = [0, times.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (times[middle] <= time + 1e-3) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  return { root, draw, mark };
}
