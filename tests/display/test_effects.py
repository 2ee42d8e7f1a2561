"""Forest plots of a sweep: what is drawn, what is hollow, and that names are only text."""

import numpy as np
import pandas as pd
import pytest

from refvideo_nb.display.effects import effects_figure
from refvideo_nb.display.plots import PAPER, png


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
