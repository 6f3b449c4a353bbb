"""Laws on grids of y: no peak may fall between two points."""

import numpy as np

from skmdn._plot.laws import law_of_one_output

N_CELLS = 300
N_EVENLY = 200
N_COMPONENTS = 10
STEPS = np.linspace(-5, 5, 31)  # standard deviations
FAR_QUANTILES = [0.001, 0.999]


def heat_map(law, x, observed, coverage, modes):
    """What `ConditionalDensityDisplay` draws of the laws at ``x`` (n_x,), ascending."""
    if len(x) == 0 or x[0] == x[-1] or not np.isfinite(x).all():
        raise ValueError(
            "A heat map needs at least two different values of x, all finite; got "
            f"{len(x)} from {np.min(x, initial=np.inf)} on. Choose another feature, or "
            "give x."
        )
    y_edges = np.linspace(*_range(law_of_one_output(law), observed), N_CELLS + 1)
    return {
        "x": x,
        "y_edges": y_edges,
        "density": density_of_cells(law, y_edges),
        "interval": None if coverage is None else law.interval(coverage),
        "coverage": coverage,
        "modes": modes_along(law, x) if modes else None,
        "observed": observed,
    }


def density_of_cells(law, edges):
    """Mean density (n, B) between B + 1 edges: no peak is lost between two of them."""
    n, n_edges = len(law), len(edges)
    rows = np.repeat(np.arange(n), n_edges)
    cdf = law[rows].cdf(np.tile(edges, n)).reshape(n, n_edges)
    return np.diff(cdf) / np.diff(edges)


def modes_along(law, x):
    """Each mode (n_modes, 3): x, y, its density beside that of the row's highest."""
    modes = law.modes()
    rows = np.repeat(np.arange(len(law)), [len(points) for points in modes])
    y = np.concatenate(modes)
    highest = law.pdf([points[0] for points in modes])
    return np.column_stack([x[rows], y, law[rows].pdf(y) / highest[rows]])


def edges_between(x):
    """Edges of cells around points: half way between them, none outside."""
    return np.concatenate([x[:1], (x[1:] + x[:-1]) / 2, x[-1:]])


def _range(law, observed):
    """Room for all observations, and for all but the far tails of every law."""
    far = law.ppf(FAR_QUANTILES)
    values = far if observed is None else np.append(far, observed[:, 1])
    return values.min(), values.max()


def density_curves(law):
    """Points (n, G) dense enough for every law, and the densities there."""
    far = law_of_one_output(law).ppf(FAR_QUANTILES)
    evenly = np.linspace(far.min(), far.max(), N_EVENLY)
    evenly = np.broadcast_to(evenly, (len(law), N_EVENLY))
    within = np.clip(_points_of_components(law), far.min(), far.max())
    y_grid = np.hstack([evenly, within, law.mode()[:, None]])
    y_grid.sort(axis=1)
    rows = np.repeat(np.arange(len(law)), y_grid.shape[1])
    return y_grid, law[rows].pdf(y_grid.ravel()).reshape(y_grid.shape)


def _points_of_components(law):
    """Points (n, K * S) all over the heaviest components, however narrow."""
    heaviest = np.argsort(-law.weights, axis=1)[:, :N_COMPONENTS]
    means = np.take_along_axis(law.means[..., 0], heaviest, axis=1)
    variances = np.take_along_axis(law.covariances[..., 0, 0], heaviest, axis=1)
    points = means[..., None] + np.sqrt(variances)[..., None] * STEPS  # (n, K, S)
    return points.reshape(len(law), -1)
