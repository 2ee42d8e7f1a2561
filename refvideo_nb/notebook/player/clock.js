// One clock for several videos.
//
// No video is the master: each is compared with the clock, and the clock with the middle of
// them all, so that none of them jumps where another is late. A small error is made good by a
// slightly other speed, which nobody sees; only a video that is far off makes all of them stop,
// go to one place and start again together. While nothing plays, every video stands in the
// middle of the very frame that belongs to the time: there is no drift at all then.
//
// Frames are measured as they are presented (requestVideoFrameCallback); where there are none,
// because a video is hidden or the browser is old, its own currentTime has to do.

const FAR = 0.25; // seconds; beyond that all are put anew
const NEAR = 0.004; // seconds; below that nothing is corrected
const MOST = 0.06; // the largest change of speed, as a part of it
const SOON = 0.5; // seconds in which an error shall be made good
const TICK = 100; // milliseconds between two corrections
const WINDOW = 0.6; // seconds of frames that are looked at
const STALLED = 0.2; // seconds without data, after which the others wait
const REST = 2; // seconds between two new starts
const PATIENCE = 4000; // milliseconds for a seek, or for data

const now = () => performance.now() / 1000;

function middle(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function first(element, names) {
  return new Promise((done) => {
    const end = () => {
      clearTimeout(timer);
      for (const name of names) element.removeEventListener(name, end);
      done();
    };
    const timer = setTimeout(end, PATIENCE);
    for (const name of names) element.addEventListener(name, end);
  });
}

// tracks: [{element, seconds, fps}]; `leader()` gives the track that is heard, whose speed is left alone.
export function makeClock(tracks, { changed, leader = () => null }) {
  const total = Math.max(...tracks.map((t) => t.seconds));
  const frame = 1 / Math.max(...tracks.map((t) => t.fps));
  const last = Math.max(0, total - frame);
  const loop = { on: false, from: 0, to: total };
  let position = 0; // seconds, while nothing runs
  let wanted = false; // whether it shall play
  let rate = 1;
  let run = null; // while it plays: media time is run.offset + rate * now()
  let putting = false;
  let again = false; // whether there is something new to put
  let turn = 0; // of start(): what was begun before a change of mind is not finished
  let timer = 0;
  let rested = 0;
  let gone = false;

  const clamp = (t) => Math.min(Math.max(t, 0), last);
  const onFrame = (t) => clamp(Math.floor(t / frame + 1e-3) * frame);
  const time = () => (run ? clamp(Math.min(run.offset + rate * now(), end())) : position);
  const end = () => (loop.on ? Math.min(loop.to, total) : total);
  const lasts = (track, t) => t < track.seconds - 1 / track.fps;

  for (const track of tracks) {
    Object.assign(track, { ready: false, put: null, samples: [], bent: { by: 0, since: 0, sum: 0 } });
    listen(track);
    track.element.addEventListener("loadeddata", () => {
      track.ready = true;
      position = time();
      bring();
    });
  }

  // --- standing still ---------------------------------------------------------------------------------------

  function centre(track, t) {
    const frames = Math.max(1, Math.round(track.seconds * track.fps));
    return (Math.min(Math.floor(t * track.fps + 1e-3), frames - 1) + 0.5) / track.fps;
  }

  async function put(track, t) {
    const { element } = track;
    const target = centre(track, t);
    // Its currentTime does not tell: a video that was playing may show the frame after that, which was due next.
    if (track.put === target && !element.seeking) return;
    track.put = target;
    element.currentTime = target;
    await first(element, ["seeked", "error"]);
  }

  function halt() {
    clearTimeout(timer);
    turn += 1;
    run = null;
    for (const { element } of tracks) element.pause();
  }

  // Every video to the position, and on from there if it shall play.
  async function bring() {
    halt();
    changed();
    again = true;
    if (putting) return; // the one under way looks where to go once more
    putting = true;
    while (again && !gone) {
      again = false;
      await Promise.all(tracks.filter((t) => t.ready).map((t) => put(t, position)));
    }
    putting = false;
    if (wanted && !gone) await start();
    changed();
  }

  // --- playing ----------------------------------------------------------------------------------------------

  async function start() {
    const mine = (turn += 1);
    const going = tracks.filter((t) => t.ready && lasts(t, position));
    await Promise.all(going.map(({ element }) => element.readyState < 3 && first(element, ["canplay", "error"])));
    if (mine !== turn || !wanted || gone) return;
    const began = now();
    run = { offset: position - rate * began, going: new Set(going), began, agreed: false };
    for (const track of going) {
      track.put = null;
      track.samples = [];
      track.bent = { by: 0, since: began, sum: 0 };
      track.late = 0;
      track.element.playbackRate = rate;
      play(track.element);
    }
    timer = setTimeout(tick, TICK);
  }

  function play(element) {
    element.play().catch((error) => {
      // With sound it may not begin by itself.
      if (error.name === "NotAllowedError" && !element.muted) {
        element.muted = true;
        element.play().catch(() => {});
        changed();
      }
    });
  }

  function listen(track) {
    const { element } = track;
    if (!element.requestVideoFrameCallback) return;
    const heard = (_, shown) => {
      if (gone) return;
      if (run && !element.paused && !element.seeking) {
        const at = shown.expectedDisplayTime / 1000;
        track.samples.push({ at, media: shown.mediaTime, bent: bentUntil(track, at) });
        if (track.samples.length > 40) track.samples.shift();
      }
      element.requestVideoFrameCallback(heard);
    };
    element.requestVideoFrameCallback(heard);
  }

  // Seconds by which our own corrections have moved a video so far: what was measured before them is no longer so.
  const bentUntil = ({ bent }, at) => bent.sum + bent.by * Math.max(0, at - bent.since);

  function bend(track, by) {
    const at = now();
    track.bent = { by, since: at, sum: bentUntil(track, at) };
    const wished = rate + by;
    if (Math.abs(track.element.playbackRate - wished) > 1e-4) track.element.playbackRate = wished;
  }

  // Seconds by which a video is ahead of the clock.
  function ahead(track) {
    const at = now();
    const recent = track.samples.filter((s) => at - s.at < WINDOW);
    if (recent.length < 3) return track.element.currentTime - (run.offset + rate * at);
    const bent = bentUntil(track, at);
    return middle(recent.map((s) => s.media - rate * s.at - s.bent)) + bent - run.offset;
  }

  function tick() {
    if (!run || gone) return;
    if (!tracks.some((t) => t.element.isConnected)) return pause();
    const t = run.offset + rate * now();
    if (t >= end() || (loop.on && t < loop.from - frame)) {
      wanted = loop.on;
      position = loop.on ? loop.from : last;
      return void bring();
    }
    for (const track of run.going) if (!lasts(track, t)) run.going.delete(track);
    if (late()) return;
    correct();
    timer = setTimeout(tick, Math.min(TICK, Math.max(4, ((end() - t) / rate) * 1000)));
  }

  // Whether the others have to wait for one that has no data, or was paused by something else.
  function late() {
    const at = now();
    const stalled = [...run.going].filter(({ element }) => element.paused || element.readyState < 3);
    for (const track of run.going) track.late = stalled.includes(track) ? track.late || at : 0;
    if (!stalled.some((t) => at - t.late > STALLED) || at - rested < REST) return false;
    rested = at;
    position = time();
    bring();
    return true;
  }

  function correct() {
    const at = now();
    if (at - run.began < 0.25) return; // the first frames tell of the start
    const errors = new Map([...run.going].filter((t) => !t.late).map((t) => [t, ahead(t)]));
    if (!errors.size) return;
    const heard = leader();
    const shift = errors.get(heard) ?? middle(errors.values());
    const part = !run.agreed || errors.has(heard) ? 1 : 0.25;
    run.offset += part * shift;
    run.agreed = true;
    for (const [track, error] of errors) {
      const left = error - part * shift;
      if (Math.abs(left) > FAR && at - rested > REST) {
        rested = at;
        position = time();
        return void bring();
      }
      const by = Math.abs(left) < NEAR || track === heard ? 0 : -left / SOON;
      bend(track, Math.min(Math.max(by, -MOST * rate), MOST * rate));
    }
  }

  // --- what is asked for ------------------------------------------------------------------------------------

  function seek(t) {
    if (!Number.isFinite(t)) return;
    position = onFrame(t);
    bring();
  }

  function pause() {
    if (run) position = onFrame(time());
    wanted = false;
    bring();
  }

  function playOn() {
    if (loop.on && (position < loop.from || position >= loop.to - frame / 2)) position = loop.from;
    else if (position >= last - frame / 2) position = 0;
    wanted = true;
    bring();
  }

  return {
    total,
    frame,
    last,
    loop,
    seek,
    pause,
    play: playOn,
    get time() {
      return time();
    },
    get playing() {
      return wanted;
    },
    get rate() {
      return rate;
    },
    set rate(value) {
      const at = time();
      rate = value;
      if (run) {
        Object.assign(run, { offset: at - rate * now(), agreed: false, began: now() });
        for (const track of run.going) {
          track.samples = [];
          bend(track, 0);
        }
      }
      changed();
    },
    step(frames) {
      wanted = false;
      seek(onFrame(time()) + frames * frame + frame / 4);
    },
    destroy() {
      gone = true;
      halt();
    },
  };
}
