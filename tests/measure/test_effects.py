"""What is told of settings is true as often as it says, on sweeps whose truth is known."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from refvideo_nb.errors import InvalidRequestError
from refvideo_nb.measure.clusters import cluster_means, clusters_differ, interval_of_means
from refvideo_nb.measure.effects import Units, effects

BY_MODEL = Units(by=("model",), clusters=("prompt",), within=("seed",))
SWEEPS = 2000  # of 500 the share alone would be off by 2 % in one of twenty tries


def table_of(values, *, models=("a", "b"), column="adherence"):
    """``values[model, prompt, seed]`` as a sweep's table of one reference."""
    models_, prompts, seeds = np.indices(values.shape).reshape(3, -1)
    return pd.DataFrame({
        "cell": np.arange(values.size) + 1,
        "job": [f"rv-{n}" for n in range(values.size)],
        "state": "done",
        "model": [models[m] for m in models_],
        "prompt": prompts,
        "seed": seeds,
        column: values.ravel(),
    })  # fmt: skip


def sweeps(random, prompts, seeds, *, effect, skewed=False):
    """Many sweeps of two models: what prompts do is far more than what models do, and so is what a seed does."""
    draw = random.exponential if skewed else random.normal
    base = draw(size=(SWEEPS, 1, prompts, 1)) + 0.5 * random.normal(size=(SWEEPS, 1, prompts, seeds))
    own = 0.3 * random.normal(size=(SWEEPS, 2, prompts, 1))  # a model does better on some prompts
    values = base + own + 0.2 * random.normal(size=(SWEEPS, 2, prompts, seeds))
    values[:, 1] += effect
    return values


@pytest.mark.parametrize(("prompts", "seeds"), [(3, 4), (5, 4), (8, 2), (12, 4), (24, 4)])
def test_intervals_hold_the_truth_as_often_as_they_say(prompts, seeds):
    values = sweeps(np.random.default_rng(100 * prompts + seeds), prompts, seeds, effect=0.4)
    means = differences = 0
    for of_prompts in values.mean(axis=3):
        low, high = interval_of_means(of_prompts[0])
        means += low <= 0 <= high
        low, high = interval_of_means(of_prompts[1] - of_prompts[0])
        differences += low <= 0.4 <= high
    assert 0.93 <= means / SWEEPS <= 0.97
    assert 0.93 <= differences / SWEEPS <= 0.97


def test_a_summary_tells_these_very_intervals():
    values = sweeps(np.random.default_rng(9), 12, 4, effect=0.4)[0]
    first, second = effects(table_of(values), BY_MODEL, metrics=("adherence",)).to_dict("records")
    of_prompts = values.mean(axis=2)
    assert first["mean"] == pytest.approx(of_prompts[0].mean())
    assert (first["low"], first["high"]) == pytest.approx(interval_of_means(of_prompts[0]))
    change = interval_of_means(of_prompts[1] - of_prompts[0])
    assert (second["difference_low"], second["difference_high"]) == pytest.approx(change)
    assert second["difference"] == pytest.approx(0.4, abs=0.3)


def share_that_holds(random, count, *, truth, draw):
    inside = 0
    for _ in range(SWEEPS):
        low, high = interval_of_means(draw(count))
        inside += low <= truth <= high
    return inside / SWEEPS


def test_a_plain_bootstrap_would_promise_too_much():
    random = np.random.default_rng(5)
    plain = 0
    for _ in range(SWEEPS):
        means = random.normal(size=5)
        drawn = means[random.integers(5, size=(400, 5))].mean(axis=1)
        low, high = np.quantile(drawn, [0.025, 0.975])
        plain += low <= 0 <= high
    assert plain / SWEEPS < 0.90


def test_skewed_numbers_are_followed_where_clusters_are_enough():
    random = np.random.default_rng(6)
    share = share_that_holds(random, 16, truth=1, draw=lambda n: random.exponential(size=n))
    assert 0.91 <= share <= 0.97


def test_many_comparisons_together_are_wrong_no_more_often_than_one():
    random = np.random.default_rng(8)
    table = table_of(np.zeros((6, 10, 2)), models=tuple("abcdef"))
    joint = effects(table, BY_MODEL, metrics=("adherence",)).attrs["level_of_differences"]
    assert joint == pytest.approx(0.99)
    values = random.normal(size=(400, 6, 10)) + random.normal(size=(400, 1, 10))

    def wrong(level):
        """Share of sweeps in which one of five models is told apart, though all are the same."""
        changes = values[:, 1:] - values[:, :1]
        return np.mean([
            any(clusters_differ(c, interval_of_means(c, level=level), level=level) for c in each) for each in changes
        ])  # fmt: skip

    assert wrong(joint) <= 0.07
    assert wrong(0.95) > 0.12, "each for itself, they tell of what is not there"


def test_pairs_see_what_means_do_not():
    values = sweeps(np.random.default_rng(1), 10, 3, effect=0.6)[0]
    found = effects(table_of(values), BY_MODEL, metrics=("adherence",)).to_dict("records")
    assert found[1]["low"] < found[0]["high"], "the intervals of the means overlap"
    assert found[1]["told"] == "more"
    assert found[1]["pairs"] == 30
    assert found[1]["clusters"] == 10
    turned = effects(table_of(values), BY_MODEL, metrics=("adherence",), baseline={"model": "b"}).to_dict("records")
    assert [r["model"] for r in turned] == ["a", "b"], "in the table's order, never by the mean"
    assert turned[0]["told"] == "less"
    assert turned[0]["difference"] == pytest.approx(-found[1]["difference"])


def test_what_failed_is_counted_and_its_partner_left_out_of_the_difference():
    values = sweeps(np.random.default_rng(2), 6, 2, effect=0.0)[0]
    table = table_of(values)
    worst = table.index[(table.model == "b") & (table.prompt == 0)]
    table.loc[worst, "state"] = "failed"
    table.loc[worst, "adherence"] = np.nan
    found = effects(table, BY_MODEL, metrics=("adherence",)).to_dict("records")
    assert [(r["jobs"], r["failed"], r["measured"], r["clusters"]) for r in found] == [(12, 0, 12, 6), (12, 2, 10, 5)]
    assert found[1]["pairs"] == 10
    kept = (values[1, 1:] - values[0, 1:]).mean()
    assert found[1]["difference"] == pytest.approx(kept)


def test_several_references_of_a_job_are_one_observation():
    values = sweeps(np.random.default_rng(3), 6, 2, effect=0.0)[0]
    one = effects(table_of(values), BY_MODEL, metrics=("adherence",))
    twice = pd.concat([table_of(values + 0.1), table_of(values - 0.1)], ignore_index=True)
    two = effects(twice, BY_MODEL, metrics=("adherence",))
    pd.testing.assert_frame_equal(one, two)


def test_each_prompt_counts_the_same():
    values, clusters = np.array([0, 0, 0, 0, 1, np.nan]), np.array([0, 0, 0, 0, 1, 2])
    assert cluster_means(values, clusters).tolist() == [0, 1]


def test_what_cannot_be_told_is_not_told():
    assert interval_of_means(np.array([0.5])) is None
    assert interval_of_means(np.array([0.5] * 9)) is None
    constant = table_of(np.stack([np.full((4, 2), 0.5), np.full((4, 2), 0.6)]))
    assert effects(constant, BY_MODEL, metrics=("adherence",)).told.tolist() == ["baseline", "not told apart"]
    many = table_of(np.stack([np.full((8, 2), 0.5), np.full((8, 2), 0.6)]))
    assert effects(many, BY_MODEL, metrics=("adherence",)).told.tolist() == ["baseline", "more"]
    assert not clusters_differ(np.zeros(30), None, level=0.95)
    alone = effects(table_of(np.ones((2, 1, 1))), BY_MODEL, metrics=("adherence",))
    assert alone.low.isna().all()
    assert alone.told.tolist() == ["baseline", "not told apart"]


def test_rare_events_fall_back_where_draws_have_no_spread():
    low, high = interval_of_means(np.array([1.0] + [0.0] * 11))
    assert low < 1 / 12 < high
    assert np.isfinite([low, high]).all()


def test_draws_of_many_clusters_are_made_in_parts_and_are_the_same():
    means, level = np.random.default_rng(11).exponential(size=400), 0.998
    tracemalloc.start()
    low, high = interval_of_means(means, level=level, seed=7)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    draws = 20_000  # of 400 clusters, as floats: 64 MB
    assert most < 30e6
    drawn = means[np.random.default_rng(7).integers(400, size=(draws, 400))]
    t = (drawn.mean(axis=1) - means.mean()) / (drawn.std(axis=1) / np.sqrt(399))
    ends = means.mean() - np.quantile(t, [0.999, 0.001]) * means.std(ddof=1) / np.sqrt(400)
    assert (low, high) == pytest.approx(ends, rel=1e-9)


def test_a_baseline_that_is_none_is_named():
    with pytest.raises(InvalidRequestError, match="give one of"):
        effects(table_of(np.ones((2, 2, 2))), BY_MODEL, metrics=("adherence",), baseline={"model": "x"})


def test_combinations_of_prompts_and_references_are_not_as_many_observations():
    """A model that does better on some prompts, whatever the references: six prompts crossed with four sets."""
    random = np.random.default_rng(10)
    changes = 0.4 + 0.3 * random.normal(size=(SWEEPS, 6, 1)) + 0.2 * random.normal(size=(SWEEPS, 6, 4))
    combinations = [interval_of_means(each.ravel()) for each in changes]
    prompts = [interval_of_means(each) for each in changes.mean(axis=2)]
    assert np.mean([low <= 0.4 <= high for low, high in combinations]) < 0.80
    assert 0.93 <= np.mean([low <= 0.4 <= high for low, high in prompts]) <= 0.97
