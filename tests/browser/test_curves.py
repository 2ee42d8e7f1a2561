"""Curves of adherence under the videos: with a playhead that follows, and a way to a moment."""

import importlib.util
import json
from base64 import b64encode
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from refvideo_nb.display.sides import Seen, Side, player_facts
from refvideo_nb.media.video import probe
from refvideo_nb.notebook.player.source import script, style

pytestmark = pytest.mark.browser

HOSTILE = '<img src=x onerror="window.hit=1">'


def of_display():
    """The makers of clips and reports that the tests of the display room have."""
    spec = importlib.util.spec_from_file_location("of_display", Path(__file__).parents[1] / "display" / "conftest.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture(scope="module")
def page_of(tmp_path_factory):
    """Writes a page with a player of two videos, of which the first was measured; gives its address."""
    makers = of_display()
    folder = tmp_path_factory.mktemp("curves")
    jpegs = {name: makers.photo(makers.PHOTOS[name]) for name in ("cat", "cup")}
    clip = makers.make_clip(folder / "clip.mp4", jpegs, size=(320, 192), bit_rate=400_000)
    facts = probe(clip)
    report = makers.make_report(facts)
    scores = tuple(replace(s, verdict=HOSTILE) for s in report.scores)
    harder = {
        name: replace(n, low=n.low + np.float32(0.1), high=n.high + np.float32(0.1), threshold=n.threshold + 0.1)
        for name, n in report.negatives.items()
    }
    better = replace(report, similarity=report.similarity + np.float32(0.05), scores=scores, negatives=harder)

    def write(name, *reports, background="#ffffff", ink="#111111"):
        sides = [Side(label=f"seed {7 + n}", video=clip, facts=facts, report=r) for n, r in enumerate(reports)]
        seen = [Seen(name="@cat", colour="#2f6fed", data=None), Seen(name="@cup", colour="#0f9488", data=None)]
        told = player_facts(sides, seen)
        address = f"data:video/mp4;base64,{b64encode(clip.read_bytes()).decode()}"
        told["videos"] = [{**v, "url": address} for v in told["videos"]]
        told = json.dumps(told).replace("<", "\\u003c")
        (folder / name).write_text(
            f'<!doctype html><meta charset="utf-8"><body style="background:{background};color:{ink}">'
            f'<style>{style()}</style><div id="here"></div>'
            f'<script type="module">{script()}\nmount(document.getElementById("here"), {told});</script>'
        )
        return (folder / name).as_uri()

    return write, report, better


def opened(chromium, address, width=1000):
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(20_000)
    page.goto(address)
    page.wait_for_function("document.querySelector('.refvideo-player video')?.readyState >= 2")
    return page


def test_a_click_on_a_curve_goes_to_that_moment_and_the_playhead_and_the_numbers_follow(chromium, page_of, tmp_path):
    write, report, better = page_of
    page = opened(chromium, write("two.html", report, better, None))
    try:
        rows = page.locator(".refvideo-row")
        assert rows.count() == 2
        assert page.locator(".refvideo-curve").count() == 4, "a curve for each video that was measured"
        chart = page.locator(".refvideo-chart").first
        box = chart.bounding_box()
        page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 20)
        page.wait_for_function("Math.abs(document.querySelector('.refvideo-player video').currentTime - 3) < 0.05")
        head = page.locator(".refvideo-playhead").first.bounding_box()
        assert abs(head["x"] + 1 - box["x"] - 0.75 * box["width"]) < 12
        at = int(np.searchsorted(report.times, 3.0, side="right")) - 1
        said = page.locator(".refvideo-values").first.inner_text()
        assert said.startswith(f"A {report.similarity[at, 0]:.2f} · B {better.similarity[at, 0]:.2f} · by chance")
        # The band is that of the video that is chosen.
        band, shape = said.partition("by chance ")[2], page.locator(".refvideo-chance").first.get_attribute("d")
        page.locator(".refvideo-badge").nth(1).click()
        assert rows.first.locator(".refvideo-end.refvideo-chosen").inner_text() == "B"
        low, high = (f"{v[at]:.2f}" for v in (better.negatives["cat"].low, better.negatives["cat"].high))
        assert page.locator(".refvideo-values").first.inner_text().endswith(f"by chance {low} to {high}")
        assert band != f"{low} to {high}"
        assert page.locator(".refvideo-chance").first.get_attribute("d") != shape
        # A drag seeks, too, and the arrows still step.
        page.mouse.move(box["x"] + 10, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 20, steps=3)
        page.mouse.up()
        page.wait_for_function("Math.abs(document.querySelector('.refvideo-player video').currentTime - 2) < 0.1")
        page.screenshot(path=str(tmp_path / "curves.png"))
    finally:
        page.close()


def test_what_was_measured_is_told_to_the_ear_and_nothing_of_it_is_markup(chromium, page_of):
    write, report, better = page_of
    page = opened(chromium, write("ear.html", report, better))
    try:
        row = page.get_by_role("group", name="@cat over time")
        assert "video A: adherence 0.63, by chance 0.26 to 0.42, followed" in row.inner_text() + row.text_content()
        assert HOSTILE in row.text_content()
        assert page.evaluate("window.hit") is None
        assert page.locator(".refvideo-chart svg[aria-hidden=true]").count() == 2
    finally:
        page.close()


def test_without_scores_there_is_nothing_of_it_and_a_narrow_one_fits(chromium, page_of):
    write, report, _ = page_of
    page = opened(chromium, write("none.html", None, None))
    try:
        assert not page.locator(".refvideo-curves").is_visible()
    finally:
        page.close()
    page = opened(chromium, write("narrow.html", report), width=420)
    try:
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.locator(".refvideo-end").count() == 0, "one video needs no letter"
    finally:
        page.close()
