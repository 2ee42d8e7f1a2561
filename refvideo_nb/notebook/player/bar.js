// The one transport for all videos, and the words that tell what its keys are.

import { button, clockTime, make } from "./elements.js";

const SPEEDS = [0.1, 0.25, 0.5, 1, 1.5, 2];
const KEYS = [
  ["Space, K", "play or pause"],
  ["← →", "one frame back or on"],
  ["Shift ← →", "one second back or on"],
  ["Home, End", "to the first or the last frame"],
  ["− +", "slower, faster"],
  ["L", "loop on or off"],
  ["[ ]", "the loop begins or ends here"],
  ["1 … 9", "choose a video: its sound, its frame number, and the one to flip to"],
  ["X", "flip between the two videos chosen last, in one place"],
  ["S", "all videos side by side again"],
  ["O, W, D", "overlay, wipe or difference with the reference"],
  ["R", "the next reference"],
  [", .", "less or more of the reference"],
  ["M", "sound on or off"],
  ["F", "full screen"],
  ["?", "this list"],
  ["Escape", "close, or nothing but the videos again"],
];

let lists = 0;

export function makeHelp(close) {
  lists += 1;
  const rows = KEYS.flatMap(([keys, does]) => [make("dt", { textContent: keys }), make("dd", { textContent: does })]);
  const root = make("div", { className: "refvideo-help", id: `refvideo-help-${lists}`, hidden: true, tabIndex: -1 });
  root.setAttribute("role", "dialog");
  root.setAttribute("aria-label", "Keys");
  const head = make("div", { className: "refvideo-heading", textContent: "Keys" });
  root.append(head, make("dl", {}, ...rows), button("Close", close));
  return root;
}

export function makeBar({ clock, does, sound, help }) {
  const play = button("Play", does.play, { keys: "Space", className: "refvideo-play" });
  const speed = make("select", { title: "Speed (− and +)", aria: { label: "Speed" } });
  speed.append(...SPEEDS.map((value) => make("option", { value, textContent: `${value}×` })));
  speed.addEventListener("change", () => does.speed(Number(speed.value)));
  const scrub = make("input", {
    type: "range",
    className: "refvideo-scrub",
    min: 0,
    max: clock.last,
    step: "any",
    value: 0,
    aria: { label: "Time" },
  });
  scrub.addEventListener("input", () => does.scrub(Number(scrub.value)));
  scrub.addEventListener("change", does.scrubbed);
  const range = make("span", { className: "refvideo-range", hidden: true });
  const loop = button("Loop", does.loop, { keys: "L" });
  const from = button("[", does.from, { name: "Loop from here", keys: "[" });
  const to = button("]", does.to, { name: "Loop to here", keys: "]" });
  const mute = button("Sound", does.mute, { keys: "M" });
  mute.hidden = !sound;
  const full = button("Full screen", does.full, { keys: "F" });
  full.hidden = !document.fullscreenEnabled;
  const keys = button("?", does.help, { name: "Keys", keys: "?" });
  keys.setAttribute("aria-controls", help.id);
  const reading = make("output", { className: "refvideo-reading", aria: { live: "off" } });
  const steps = [
    button("◂ frame", () => does.step(-1), { name: "One frame back", keys: "←" }),
    button("frame ▸", () => does.step(1), { name: "One frame on", keys: "→" }),
  ];
  const root = make(
    "div",
    { className: "refvideo-bar", aria: { role: "group", label: "Playing" } },
    make("div", { className: "refvideo-time" }, make("div", { className: "refvideo-track" }, range, scrub), reading),
    play,
    make("span", { className: "refvideo-joined" }, ...steps),
    speed,
    make("span", { className: "refvideo-joined" }, loop, from, to),
    mute,
    full,
    keys,
  );

  function draw(state) {
    const playing = clock.playing ? "Pause" : "Play";
    if (play.textContent !== playing) {
      play.textContent = playing;
      play.title = `${playing} (Space)`;
    }
    speed.value = clock.rate;
    loop.setAttribute("aria-pressed", String(clock.loop.on));
    const { from: begin, to: end } = clock.loop;
    range.hidden = begin <= 0 && end >= clock.total;
    range.style.left = `${(begin / clock.total) * 100}%`;
    range.style.width = `${((end - begin) / clock.total) * 100}%`;
    mute.setAttribute("aria-pressed", String(!state.muted));
    keys.setAttribute("aria-expanded", String(!help.hidden));
  }

  function tell(time, { fps, seconds }) {
    const frames = Math.max(1, Math.round(seconds * fps));
    const frame = Math.min(Math.floor(time * fps + 1e-3), frames - 1) + 1;
    const text = `${clockTime(time)} / ${clockTime(clock.total)} · frame ${frame} of ${frames}`;
    if (reading.textContent === text) return;
    reading.textContent = text;
    scrub.value = time;
    scrub.setAttribute("aria-valuetext", `${time.toFixed(2)} seconds, frame ${frame} of ${frames}`);
  }

  return { root, scrub, draw, tell, speeds: SPEEDS, focusKeys: () => keys.focus() };
}
