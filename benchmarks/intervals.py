"""How often 95 % intervals of a mean over prompts hold the truth: what is used, and what would be simpler.

2,000 made-up sweeps a line, four seeds a prompt: even numbers, skewed ones, shares near their
upper end, and events that few prompts show.
"""

from __future__ import annotations

import numpy as np

from refvideo_nb.measure.clusters import interval_of_means

SWEEPS, SEEDS = 2000, 4


def even(random, prompts):
    shape = (SWEEPS, prompts, 1)
    return random.normal(size=shape) + 0.7 * random.normal(size=(SWEEPS, prompts, SEEDS)), 0.0


def skewed(random, prompts):
    shape = (SWEEPS, prompts, 1)
    return random.exponential(size=shape) + 0.5 * random.normal(size=(SWEEPS, prompts, SEEDS)), 1.0


def shares(random, prompts):
    p = np.broadcast_to(random.beta(4, 1, size=(SWEEPS, prompts, 1)), (SWEEPS, prompts, SEEDS))
    return random.binomial(16, p) / 16, 0.8


def rare(random, prompts):
    shown = random.random((SWEEPS, prompts, 1)) < 0.15
    return shown * (random.random((SWEEPS, prompts, SEEDS)) < 0.9), 0.135


def plain(random, values):
    drawn = values[random.integers(len(values), size=(1000, len(values)))].mean(axis=1)
    return np.quantile(drawn, [0.025, 0.975])


def main() -> None:
    """Print the table."""
    print(f"{'numbers':>8} {'prompts':>8} {'plain percentiles':>18} {'as used':>8}")
    for kind in (even, skewed, shares, rare):
        for prompts in (3, 5, 8, 16):
            random = np.random.default_rng(prompts)
            values, truth = kind(random, prompts)
            held = np.zeros(2)
            for means in values.mean(axis=2):
                for n, span in enumerate((plain(random, means), interval_of_means(means))):
                    held[n] += span is not None and span[0] <= truth <= span[1]
            first, used = held / SWEEPS
            print(f"{kind.__name__:>8} {prompts:8} {first:18.1%} {used:8.1%}")


if __name__ == "__main__":
    main()
