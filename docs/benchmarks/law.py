"""What exact answers of a law cost, beside bisection and beside sampling.

``python docs/benchmarks/law.py`` asks random laws of K = 5 components for 9 quantiles,
modes, highest-density regions and the CRPS, in turn with a plain vectorised bisection
and with 1 000 draws a row, and prints medians of the times and of the ratios taken side
by side. ``--memory`` asks 1 000 000 rows and prints how far the process's memory rose
above the size of the answer.
"""

import argparse
import platform
import resource
import threading
import time
from pathlib import Path

import numpy as np
from scipy.special import ndtr

from skmdn import MixtureDistribution

LEVELS = np.arange(1, 10) / 10
N_DRAWS = 1000


def random_law(n, n_components=5, seed=0):
    rng = np.random.default_rng(seed)
    return MixtureDistribution(
        rng.dirichlet(np.ones(n_components), n),
        rng.normal(scale=3.0, size=(n, n_components)),
        rng.uniform(0.1, 1.5, (n, n_components)) ** 2,
    )


def bisection(law, steps=52):
    """Quantiles (n, Q) by halving a bracket of ten standard deviations."""
    weights, means = law.weights[:, None], law.means[:, None, :, 0]
    stds = np.sqrt(law.covariances[:, None, :, 0, 0])
    low = np.repeat((means - 10 * stds).min(axis=2), len(LEVELS), axis=1)
    high = np.repeat((means + 10 * stds).max(axis=2), len(LEVELS), axis=1)
    for _ in range(steps):
        middle = (low + high) / 2
        below = np.sum(weights * ndtr((middle[..., None] - means) / stds), axis=2)
        low = np.where(below < LEVELS, middle, low)
        high = np.where(below < LEVELS, high, middle)
    return (low + high) / 2


def in_chunks(function, size=10_000):
    def chunked(law):
        return [function(law[i : i + size]) for i in range(0, len(law), size)]

    return chunked


def draws(law):
    return law.sample(N_DRAWS, random_state=0)


def heights_of_draws(law):
    values = draws(law)
    return values, np.stack([law.pdf(column) for column in values.T], axis=1)


def highest_draw(law):
    values, heights = heights_of_draws(law)
    return np.take_along_axis(values, heights.argmax(axis=1)[:, None], axis=1)


def level_of_draws(law):
    """Density above which 90% of the draws lie, which bounds the region."""
    return np.quantile(heights_of_draws(law)[1], 0.1, axis=1)


def score_of_draws(law):
    values = np.sort(draws(law), axis=1)
    y = law.mean()[:, None]
    rank = 2 * np.arange(1, N_DRAWS + 1) - N_DRAWS - 1
    return np.abs(values - y).mean(1) - (values * rank).mean(1) / N_DRAWS


QUESTIONS = {
    "9 quantiles": (
        lambda law: law.ppf(LEVELS),
        {
            "bisection": in_chunks(bisection),
            "1000 draws": in_chunks(lambda law: np.quantile(draws(law), LEVELS, 1)),
        },
    ),
    "CRPS": (
        lambda law: law.crps(law.mean()),
        {"1000 draws": in_chunks(score_of_draws)},
    ),
    "modes": (
        lambda law: law.modes(),
        {"highest of 1000 draws": in_chunks(highest_draw)},
    ),
    "90% HDR": (
        lambda law: law.highest_density_region(0.9),
        {"1000 draws": in_chunks(level_of_draws)},
    ),
}


def seconds(function, law):
    start = time.perf_counter()
    function(law)
    return time.perf_counter() - start


def compare(n, repeats):
    law = random_law(n)
    print(f"{n} rows, K = 5, {platform.processor() or platform.machine()}, median of")
    print(f"{repeats} runs in turn; ratio = exact / other, below 1 is faster\n")
    print(f"{'question':<14}{'exact':>9}   others")
    for name, (exact, others) in QUESTIONS.items():
        times = {"exact": [], **{other: [] for other in others}}
        for _ in range(repeats):
            times["exact"].append(seconds(exact, law))
            for other, function in others.items():
                times[other].append(seconds(function, law))
        ours = np.array(times.pop("exact"))
        cells = [
            f"{other} {np.median(t):.2f} s (ratio {np.median(ours / np.array(t)):.2f})"
            for other, t in times.items()
        ]
        print(f"{name:<14}{np.median(ours):>7.2f} s   {', '.join(cells)}")


def memory_in_use():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def peak_above(function):
    """How far the process's memory rises while ``function`` runs, and its answer."""
    before, peak, done = memory_in_use(), [0], threading.Event()

    def watch():
        while not done.wait(0.01):
            peak[0] = max(peak[0], memory_in_use())

    watcher = threading.Thread(target=watch)
    watcher.start()
    answer = function()
    done.set()
    watcher.join()
    return peak[0] - before, answer


def answer_size(answer):
    if isinstance(answer, list):  # an array header is about 112 bytes
        return sum(part.nbytes + 112 for part in answer) + 8 * len(answer)
    return answer.nbytes


def memory(n):
    law = random_law(n)
    for name, (exact, _) in QUESTIONS.items():
        rise, answer = peak_above(lambda exact=exact: exact(law))
        over = (rise - answer_size(answer)) / 2**20
        print(f"{name:<14}{over:7.0f} MiB over the answer, {n} rows")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args()
    if options.memory:
        memory(1_000_000)
    else:
        compare(options.rows, options.repeats)


if __name__ == "__main__":
    main()
