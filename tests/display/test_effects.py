"""Forest plots of a sweep: what is drawn, what is hollow, and that names are only text."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from refvideo_nb.core.design import Axis, Design
from refvideo_nb.display.effects import effects_figure
from refvideo_nb.display.plots import PAPER, png
from refvideo_nb.notebook.sweep_summary import summary_of


def summary(names=("a/fast", "b/slow", "c/$x^"), *, metrics=("adherence", "copied", "cost"), by=("model",)):
    told = ["baseline", "more", "not told apart"]
    rows = [
        {
            "model": name, "metric": metric, "mean": 0.5 + n / 10, "low": 0.4 + n / 10, "high": 0.6 + n / 10,
            "difference": n / 10, "difference_low": n / 10 - 0.05, "difference_high": n / 10 + 0.05,
            "told": told[n % 3],
        }
        for n, name in enumerate(names)
        for metric in metrics
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    table.attrs = {"by": list(by), "level": 0.95, "notes": ["intervals are over 12 levels of prompt"]}
    return table


def axes_of(figure):
    return [ax for part in figure.subfigs for ax in part.axes]


def test_settings_stand_in_the_order_of_the_table_and_the_hollow_are_not_told_apart():
    figure = effects_figure(summary())
    axes = axes_of(figure)
    assert len(axes) == 3 + 3 + 2
    assert [t.get_text() for t in axes[0].get_yticklabels()] == ["a/fast", "b/slow", "c/$x^"]
    assert [t.get_text() for t in axes[3].get_yticklabels()] == ["b/slow", "c/$x^"]
    faces = [line.get_markerfacecolor() for line in axes[3].lines if line.get_marker() == "o"]
    assert faces[0] != "none"
    assert faces[1] == "none"
    assert [ax.get_title(loc="left") for ax in axes[:3]] == ["adherence", "copied", "cost"]
    assert axes[6].get_ylabel() == "frames copied"
    assert axes[7].get_ylabel() == "USD a clip"


def test_it_is_the_same_picture_each_time_and_its_ground_is_that_of_the_page():
    assert png(effects_figure(summary()), dpi=60) == png(effects_figure(summary()), dpi=60)
    assert effects_figure(summary()).get_facecolor()[3] == 0
    assert effects_figure(summary(), ink=PAPER).get_facecolor() == (1, 1, 1, 1)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("names", [("only",), tuple(f"model-{n}" for n in range(25))])
def test_one_setting_and_many(names):
    figure = effects_figure(summary(names))
    png(figure, dpi=40)
    assert len(axes_of(figure)) == (5 if len(names) == 1 else 8)


def test_without_intervals_only_means_are_drawn():
    table = summary(metrics=("seconds",))
    table[["low", "high", "difference", "difference_low", "difference_high"]] = np.nan
    figure = effects_figure(table)
    png(figure, dpi=40)
    assert len(axes_of(figure)) == 2
    assert all(line.get_marker() == "o" for line in axes_of(figure)[0].lines)


@pytest.mark.skipif("REFVIDEO_WRITE_DOCS" not in os.environ, reason="REFVIDEO_WRITE_DOCS=1 writes the pictures")
def test_docs():
    """The pictures of docs/sweeps.md, of made-up numbers."""
    random = np.random.default_rng(1)
    models = {"made up/first": (0, 0.05, 0.3), "made up/second": (0.05, 0.08, 0.8)}
    models |= {"made up/third": (-0.01, 0.3, 0.4), "made up/fourth": (-0.06, 0.05, 1.2)}
    rows = [
        {"prompt": p, "model": m, "seed": s, "noise": base, "more": more, "copied": copied, "cost": cost}
        for p, base in enumerate(random.normal(0.55, 0.08, 12))
        for m, (more, copied, cost) in models.items()
        for s in range(4)
    ]
    table = pd.DataFrame(rows)
    table["adherence"] = table.noise + table.more + random.normal(0, 0.03, len(table))
    table["copied"] = np.clip(table.copied + random.normal(0, 0.06, len(table)), 0, 1)
    table["cost"] *= random.normal(1, 0.05, len(table))
    table["cell"], table["state"], table["role"] = range(1, len(table) + 1), "done", "subject"
    table["job"] = [f"rv-{n}" for n in table.cell]
    axes = (Axis("prompt", tuple(range(12))), Axis("model", tuple(models)), Axis("seed", tuple(range(4))))
    told = summary_of(table, Design(tuple((a,) for a in axes)), metrics=("adherence", "copied", "cost"))
    for theme, ground in (("light", "#ffffff"), ("dark", "#161618")):
        path = Path(__file__).parents[2] / "docs" / f"sweep-plot-{theme}.jpg"
        effects_figure(told).savefig(path, dpi=120, facecolor=ground, pil_kwargs={"quality": 85, "optimize": True})
