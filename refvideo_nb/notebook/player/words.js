// What was asked for: what runs share, what they do not, and the whole of it for who wants to know.

import { make } from "./elements.js";

export function makeWords({ same, different, asked }) {
  const made = [];
  if (same || different?.length) {
    const line = make("p", { className: "refvideo-differences" });
    if (same) line.append(make("span", { className: "refvideo-quiet", textContent: same }));
    if (different?.length) {
      const marks = different.map((text) => make("span", { className: "refvideo-marked", textContent: text }));
      line.append(make("span", { className: "refvideo-quiet", textContent: "Different:" }), ...marks);
    }
    made.push(line);
  }
  if (asked?.length) {
    const rows = asked.flatMap(({ name, phrases }) => [
      make("span", { className: "refvideo-quiet", textContent: name }),
      make("span", { dir: "auto" }, ...phrases.map(phrase)),
    ]);
    const summary = make("summary", { className: "refvideo-quiet", textContent: "Prompt and settings" });
    made.push(make("details", {}, summary, make("div", { className: "refvideo-asked" }, ...rows)));
  }
  return made;
}

function phrase({ text, marked, colour }) {
  const className = marked ? "refvideo-marked" : "";
  if (!colour) return make("span", { className, textContent: text });
  return make("strong", { className, textContent: text, style: { "border-bottom-color": colour } });
}
