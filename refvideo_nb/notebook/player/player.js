// The compare player: what came out beside what went in, and runs beside one another, on one clock.
//
// `mount(element, data)` needs no kernel and no notebook; the widget only wraps it. Whatever comes
// from outside reaches the page as text.
//
//   data = {
//     title, same, different: [text],             words below the videos; all of them may be missing
//     asked: [{name, phrases: [{text, marked, colour}]}],
//     references: [{name, colour, caption, url | bytes}],
//     curves: [{name, colour, tracks: [{times, values, low, high, limit, said} or null for each video]}],
//     videos: [{label, caption, badge, fps, seconds, width, height, audio, url | bytes, nbytes, file}],
//     time,                                       seconds to begin at
//   }
//
// `bytes` is an ArrayBuffer, a view of one, a Blob, or a function that gives a promise of one.

import { button, make } from "./elements.js";
import { makeBar, makeHelp } from "./bar.js";
import { makeClock } from "./clock.js";
import { makeCurves } from "./curves.js";
import { makeStage } from "./stage.js";
import { makeWords } from "./words.js";

const TOLD = 250; // milliseconds between two messages of the time while it plays
const MIX = 0.1; // how much of a reference one key adds
const NARROW = 640; // pixels of the player, below which its parts stand under each other
const MODES = { overlay: "Overlay", wipe: "Wipe", difference: "Difference" };

export function mount(element, data, { told = () => {} } = {}) {
  const count = data.videos.length;
  const state = {
    view: "side",
    shown: 0,
    other: Math.min(1, count - 1),
    mode: null,
    reference: 0,
    mix: { overlay: 0.5, wipe: 0.5 },
    muted: true,
  };
  const root = make("section", { className: "refvideo-player", tabIndex: 0 });
  root.setAttribute("aria-label", data.title || "Compare videos");

  const stage = makeStage(data, { choose, pick, wipe: (part) => state.mode === "wipe" && setMix(part) });
  const clock = makeClock(stage.tracks, {
    changed: draw,
    leader: () => (!state.muted && stage.tracks[state.shown].audio ? stage.tracks[state.shown] : null),
  });
  const curves = makeCurves(data, { clock, scrub, scrubbed });
  const help = makeHelp(closeHelp);
  const bar = makeBar({
    clock,
    help,
    sound: stage.tracks.some((t) => t.audio),
    does: {
      play: () => (clock.playing ? clock.pause() : clock.play()),
      step: clock.step,
      speed: (rate) => (clock.rate = rate),
      scrub,
      scrubbed,
      loop: () => setLoop({ on: !clock.loop.on }),
      from: () => setLoop({ on: true, from: clock.time, to: Math.max(clock.loop.to, clock.time + 2 * clock.frame) }),
      to: () => setLoop({ on: true, to: clock.time + clock.frame, from: Math.min(clock.loop.from, clock.time) }),
      mute: () => set({ muted: !state.muted }),
      full,
      help: () => (help.hidden ? openHelp() : closeHelp()),
    },
  });

  // --- the row of views -------------------------------------------------------------------------------------

  const views = count > 1 ? [["side", "Side by side", "S"], ["flip", "Flip A/B", "X"]] : [];
  const viewButtons = views.map(([view, text, keys]) => button(text, () => (view === "flip" ? flip() : side()), { keys }));
  const modeButtons = Object.entries(MODES).map(([mode, text]) => button(text, () => setMode(mode), { keys: text[0] }));
  const slider = make("input", { type: "range", className: "refvideo-mix", min: 0, max: 1, step: 0.01 });
  slider.addEventListener("input", () => setMix(Number(slider.value)));
  const named = make("strong");
  const said = make("span", { className: "refvideo-unseen", role: "status" });
  const modes = make("span", { className: "refvideo-joined", aria: { role: "group", label: "With the reference" } }, ...modeButtons);
  modes.hidden = !data.references.length;
  const row = make(
    "div",
    { className: "refvideo-views", aria: { role: "group", label: "View" } },
    viewButtons.length ? make("span", { className: "refvideo-joined" }, ...viewButtons) : null,
    modes,
    named,
    slider,
  );
  const asked = makeWords(data);
  root.append(
    stage.shelf,
    make(
      "div",
      { className: "refvideo-main" },
      make("div", { className: "refvideo-heading", textContent: data.title || "Result" }),
      row,
      stage.grid,
      ...asked,
    ),
    curves.root,
    bar.root,
    help,
    said,
  );

  // --- what can be done -------------------------------------------------------------------------------------

  function set(changes) {
    Object.assign(state, changes);
    draw();
  }

  function choose(index) {
    if (index >= count) return;
    set({ shown: index, other: index === state.shown ? state.other : state.shown });
  }

  function flip() {
    if (count < 2) return;
    if (state.view === "side") set({ view: "flip" });
    else set({ shown: state.other, other: state.shown });
  }

  function side() {
    set({ view: "side" });
  }

  // A reference that is picked again is taken away again.
  function pick(index) {
    if (state.mode && state.reference === index) setMode(null);
    else setMode(state.mode ?? "overlay", index);
  }

  function setMode(mode, reference = state.reference) {
    const again = mode === state.mode && reference === state.reference;
    const usable = stage.tiles[reference]?.url ? reference : stage.tiles.findIndex((t) => t.url);
    if (usable < 0) return;
    set({ mode: again ? null : mode, reference: usable });
    said.textContent = state.mode ? `${MODES[state.mode]} with ${stage.tiles[usable].name}` : "The videos alone";
  }

  function setMix(part) {
    if (!(state.mode in state.mix)) return;
    set({ mix: { ...state.mix, [state.mode]: Math.min(Math.max(part, 0), 1) } });
  }

  function nextReference() {
    const usable = stage.tiles.flatMap((t, index) => (t.url ? [index] : []));
    if (usable.length) setMode(state.mode ?? "overlay", usable[(usable.indexOf(state.reference) + 1) % usable.length]);
  }

  function setLoop(changes) {
    Object.assign(clock.loop, changes);
    clock.loop.to = Math.min(clock.loop.to, clock.total);
    draw();
  }

  // While it is dragged the videos follow, and go on afterwards.
  let goOn = false;
  function scrub(time) {
    if (clock.playing) goOn = true;
    if (clock.playing) clock.pause();
    clock.seek(time);
  }

  function scrubbed() {
    if (goOn) clock.play();
    goOn = false;
  }

  function full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else root.requestFullscreen?.().catch(() => {});
  }

  function openHelp() {
    help.hidden = false;
    help.focus();
    draw();
  }

  function closeHelp() {
    help.hidden = true;
    bar.focusKeys();
    draw();
  }

  function faster(by) {
    const at = bar.speeds.indexOf(clock.rate) + by;
    if (at in bar.speeds) clock.rate = bar.speeds[at];
  }

  function escape() {
    if (!help.hidden) closeHelp();
    else if (state.mode) setMode(null, state.reference);
    else if (state.view === "flip") side();
    else return false;
    return true;
  }

  const keys = {
    " ": () => (clock.playing ? clock.pause() : clock.play()),
    ArrowLeft: (event) => (event.shiftKey ? clock.seek(clock.time - 1) : clock.step(-1)),
    ArrowRight: (event) => (event.shiftKey ? clock.seek(clock.time + 1) : clock.step(1)),
    Home: () => clock.seek(0),
    End: () => clock.seek(clock.last),
    "-": () => faster(-1),
    "+": () => faster(1),
    "=": () => faster(1),
    l: () => setLoop({ on: !clock.loop.on }),
    "[": () => bar.root.querySelector('[aria-keyshortcuts="["]').click(),
    "]": () => bar.root.querySelector('[aria-keyshortcuts="]"]').click(),
    x: flip,
    s: side,
    o: () => setMode("overlay"),
    w: () => setMode("wipe"),
    d: () => setMode("difference"),
    r: nextReference,
    ",": () => setMix(state.mix[state.mode] - MIX),
    ".": () => setMix(state.mix[state.mode] + MIX),
    m: () => stage.tracks.some((t) => t.audio) && set({ muted: !state.muted }),
    f: full,
    "?": () => (help.hidden ? openHelp() : closeHelp()),
    Escape: escape,
  };
  keys.k = keys[" "];

  // The notebook around has commands on plain keys, "x" cuts a cell: none of them is meant here. It may hear a key before
  // the player does, so it is told first of all, by the mark that its own keys heed.
  const plain = (event) => !event.ctrlKey && !event.metaKey && !event.altKey;
  const leaves = () => !help.hidden || state.mode || state.view === "flip";
  const mark = (event) => {
    if (!root.contains(event.target)) return;
    root.toggleAttribute("data-lm-suppress-shortcuts", plain(event) && (event.key !== "Escape" || Boolean(leaves())));
  };
  window.addEventListener("keydown", mark, true);

  root.addEventListener("keydown", (event) => {
    if (!plain(event)) return;
    const { key, target } = event;
    // A list and a slider have keys of their own, and a button is pressed by its own.
    const own = target === slider ? /^(Arrow|Home|End|Page)/ : target.tagName === "SELECT" ? /^(Arrow|Home|End|Page| )/ : null;
    const pressed = target.tagName === "BUTTON" && (key === " " || key === "Enter");
    if (own?.test(key) || pressed || key === "Tab") return event.stopPropagation();
    const does = /^[1-9]$/.test(key) ? () => choose(Number(key) - 1) : keys[key] ?? keys[key.toLowerCase()];
    if (key !== "Escape") event.stopPropagation();
    if (!does || does(event) === false) return;
    event.stopPropagation();
    event.preventDefault();
  });

  // --- as it looks now --------------------------------------------------------------------------------------

  let drawn = 0; // the request for the next picture while it plays
  let lastTold = { at: -Infinity, time: data.time || 0 };

  function draw() {
    if (!root.isConnected && drawn < 0) return;
    stage.draw(state, clock.time);
    bar.draw(state);
    curves.draw(state);
    for (const [index, [view]] of views.entries()) viewButtons[index].setAttribute("aria-pressed", String(state.view === view));
    Object.keys(MODES).forEach((mode, n) => modeButtons[n].setAttribute("aria-pressed", String(state.mode === mode)));
    const { name, colour } = data.references[state.reference] ?? {};
    named.hidden = !state.mode;
    named.textContent = name ?? "";
    named.style.borderBottomColor = colour ?? "";
    slider.hidden = !(state.mode in state.mix);
    slider.value = state.mix[state.mode] ?? 0;
    slider.setAttribute("aria-label", state.mode === "wipe" ? `Where ${name} begins` : `How much of ${name}`);
    slider.title = `${slider.getAttribute("aria-label")} (, and .)`;
    follow();
  }

  function follow() {
    cancelAnimationFrame(drawn);
    const time = clock.time;
    bar.tell(time, data.videos[state.shown]);
    stage.mark(time);
    curves.mark(time, state.shown);
    const at = performance.now();
    if (time !== lastTold.time && (!clock.playing || at - lastTold.at > TOLD)) {
      lastTold = { at, time };
      told(time);
    }
    if (clock.playing) drawn = requestAnimationFrame(follow);
  }

  const shape = new ResizeObserver(([{ contentRect }]) => root.classList.toggle("refvideo-narrow", contentRect.width < NARROW));
  shape.observe(root);
  element.append(root);
  if (data.time) clock.seek(data.time);
  draw();

  return {
    element: root,
    clock,
    play: clock.play,
    pause: clock.pause,
    seek: clock.seek,
    step: clock.step,
    get time() {
      return clock.time;
    },
    get playing() {
      return clock.playing;
    },
    destroy() {
      cancelAnimationFrame(drawn);
      drawn = -1;
      shape.disconnect();
      window.removeEventListener("keydown", mark, true);
      clock.destroy();
      stage.destroy();
      root.remove();
    },
  };
}
