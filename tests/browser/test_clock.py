"""The player's clock with a video that says where it is, and not what it shows."""

from pathlib import Path

import pytest

import refvideo_nb.notebook.player

pytestmark = pytest.mark.browser

CLOCK = Path(refvideo_nb.notebook.player.__file__).with_name("clock.js")
STOPPED = """async ([source, fps]) => {
    const { makeClock } = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    let now = 0, at = 0;
    performance.now = () => now;
    const put = [];
    const element = Object.assign(new EventTarget(), {
        paused: true, seeking: false, readyState: 4, isConnected: true, playbackRate: 1,
        play() { this.paused = false; return Promise.resolve(); },
        pause() { this.paused = true; },
    });
    Object.defineProperty(element, "currentTime", {
        get: () => at,
        set: (time) => {
            put.push(at = time);
            setTimeout(() => element.dispatchEvent(new Event("seeked")));
        },
    });
    const clock = makeClock([{ element, seconds: 4, fps }], { changed: () => {} });
    const done = () => new Promise((go) => setTimeout(go, 20));  // nothing here takes time but the event above
    element.dispatchEvent(new Event("loadeddata"));
    await done();
    clock.play();
    await done();
    put.length = 0;
    now = 1000;  // milliseconds
    at = 24.5 / fps;  // where its frame's middle is, as it happens
    clock.pause();
    await done();
    const stopped = [...put];
    clock.seek(1);
    await done();
    clock.destroy();
    return [stopped, put];
}"""


def test_a_video_that_stops_is_put_to_its_frame_wherever_it_says_it_is(chromium):
    page = chromium.new_page()
    stopped, after = page.evaluate(STOPPED, [CLOCK.read_text(), 24])
    assert stopped == [24.5 / 24], "what it shows may be the frame that was due next"
    assert after == stopped, "it stands there: it is not put anew"
    page.close()
