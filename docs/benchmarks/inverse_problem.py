"""The inverse problem, seed by seed: how far from the true law does a fit end?

``python docs/benchmarks/inverse_problem.py`` draws 512 training rows and 5 000 fresh
ones for each of 20 seeds from x = 7 sin(5 y) + y / 2 + e / 2, y uniform in [-1, 1] and
e standard normal; fits y on x; and prints the mean log-likelihood of the fresh rows and
how far it falls short of the true law, which is normalised over y by brute force.
"""

import argparse
import time

import numpy as np
from scipy.special import logsumexp

from skmdn import MDNRegressor

GRID = np.linspace(-1, 1, 4001)


def forward(y):
    return 7 * np.sin(5 * y) + y / 2


def draw(n_rows, rng):
    """Rows of x (n, 1) and y (n,)."""
    y = rng.uniform(-1, 1, n_rows)
    return (forward(y) + rng.normal(size=n_rows) / 2)[:, None], y


def true_log_density(x, y):
    """Log p(y|x) of Bayes' rule, y being uniform a priori."""

    def kernel(y):
        return -2 * (x - forward(y)) ** 2

    evidence = [logsumexp(-2 * (row - forward(GRID)) ** 2) for row in x[:, 0]]
    return kernel(y[:, None])[:, 0] - np.array(evidence) - np.log(GRID[1] - GRID[0])


def gap(seed, n_test=5000, **parameters):
    """Log-likelihood of the true law, and how much less the fit's is."""
    rng = np.random.default_rng(seed)
    X, y = draw(512, rng)
    X_test, y_test = draw(n_test, rng)
    model = MDNRegressor(random_state=seed, **parameters).fit(X, y)
    truth = true_log_density(X_test, y_test).mean()
    return truth, truth - model.score_samples(X_test, y_test).mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-components", type=int, default=3)
    parser.add_argument("--n-estimators", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    parameters = {
        "n_components": options.n_components,
        "n_estimators": options.n_estimators,
    }
    gaps = []
    for seed in range(options.seeds):
        start = time.perf_counter()
        truth, short = gap(seed, **parameters)
        gaps.append(short)
        seconds = time.perf_counter() - start
        print(
            f"seed {seed:2}  true {truth:.3f}  short of it {short:.3f}  {seconds:.1f} s"
        )
    print(f"median {np.median(gaps):.3f}  worst {np.max(gaps):.3f}  {parameters}")


if __name__ == "__main__":
    main()
