"""The law of y where a law of transform(y) was predicted: what judges ask of it."""

import warnings

import numpy as np

# Step of a difference quotient in stds of z, and relative to z at the least
STEP, LEAST_STEP = 1e-5, 1e-8
# Edges of panels in units of each component's std, and Gauss's rule within them
HALF_EDGES = np.array([2.0, 4.5, 9.0])
EDGES = np.concatenate([-HALF_EDGES[::-1], [0.0], HALF_EDGES])
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(8)
# Levels at which an inverse is looked at
LADDER = np.array([0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95])
NUMBERS = 2**20  # in one temporary array
NEGLIGIBLE = 1e-6  # probability


class TransformedLaw:
    """Law of y where that of z = transform(y) was predicted.

    A density is that of z over a difference quotient, a probability that of a side of
    z, a quantile goes through the inverse, and the CRPS is an integral over z. It draws
    nothing.
    """

    def __init__(self, law, transformers):
        self._law = law
        self._transformers = transformers
        self.n_outputs = law.n_outputs

    def __len__(self):
        return len(self._law)

    def _observations(self, y):
        if np.ndim(y) == 2 and np.shape(y)[1] != self.n_outputs:
            raise ValueError(
                f"The transformer of the target makes {self.n_outputs} outputs of "
                f"{np.shape(y)[1]}, which leaves no law of y to score. Take one that "
                "can be inverted."
            )
        return self._law._observations(y)

    def logpdf(self, y):
        """With z = transform(y), log p(z) - log|det dy/dz|."""
        y = self._observations(y)
        z = self._transform(y)
        with np.errstate(all="ignore"):
            log_slope = self._log_slope(z, y)
        usable = np.isfinite(log_slope)
        if not usable.all():
            row = int(np.argmin(usable))
            raise ValueError(
                f"The law has no density at y = {np.squeeze(y[row])}, in row {row}: "
                "the transformer of the target is not smooth and invertible there. "
                "Score by neg_crps, which needs no density, or take a transformer that "
                "is so wherever y may be."
            )
        return self._law.logpdf(z) - log_slope

    def cdf(self, y):
        """Distribution function (n, D); where y falls with z, the upper tail of z."""
        y = self._observations(y)
        z = self._transform(y)
        with np.errstate(all="ignore"):
            rising = self._rising()
            ladder = self.ppf([NEGLIGIBLE, *LADDER, 1 - NEGLIGIBLE])  # (n, Q, D)
            lowest, highest = ladder[:, 0], ladder[:, -1]
            error = np.abs(self._inverse(z) - y) / (highest - lowest)
        # Beyond what the inverse reaches there is nothing, and z may be anything.
        nothing_below, nothing_above = y < lowest, y > highest
        known = (error < NEGLIGIBLE) | nothing_below | nothing_above
        if not known.all():
            row = int(np.argmin(known.all(axis=1)))
            raise ValueError(
                "The transformer of the target has no inverse at y = "
                f"{np.squeeze(y[row])}, in row {row}. Leave such rows out, or take a "
                "transformer that has one wherever y may be."
            )
        z = np.where(error < NEGLIGIBLE, z, 0)
        below, above = (self._with_outputs(f(z)) for f in (self._law.cdf, self._law.sf))
        below = np.where(rising, below, above)
        ends = np.where(nothing_below, 0.0, 1.0)
        return np.where(error < NEGLIGIBLE, below, ends)

    def ppf(self, q):
        """Quantiles (n, Q, D); where y falls with z, those at 1 - q turn into them."""
        q = np.asarray(q)
        with np.errstate(all="ignore"):
            rising = self._rising()[:, None]
            y = np.where(rising, self._quantiles_of_z(q), self._quantiles_of_z(1 - q))
            if not (np.diff(y[:, np.argsort(q)], axis=1) >= 0).all():
                raise _not_monotone()
        return y

    def interval(self, coverage):
        return self.ppf([(1 - coverage) / 2, (1 + coverage) / 2])

    def crps(self, y):
        """CRPS of each output, (n, D): 2 ∫ (1{t > y} - F(t)) (t - y) dF(t)."""
        y = self._observations(y)
        z, scores = self._transform(y), np.empty_like(y)
        with np.errstate(all="ignore"):
            rising = self._rising()
            for d in range(self.n_outputs):
                for rows in _blocks(self._law):
                    at, up = (a[rows, d, None] for a in (y, rising))
                    nodes, cdf, mass = _nodes(self._law[rows].marginal(d), z[rows, d])
                    t = self._inverse_of_output(d, rows, nodes)
                    mass = _where_monotone(t, up, mass)
                    above = np.where(mass > 0, t - at, 0)
                    gap = (above > 0) - np.where(up, cdf, 1 - cdf)
                    scores[rows, d] = 2 * np.sum(mass * gap * above, axis=1)
        return scores

    def _with_outputs(self, values, *levels):
        return values.reshape(len(self), *levels, self.n_outputs)

    def _transform(self, y):
        for transformer in self._transformers:
            y = _quietly(transformer.transform, y)
        return y

    def _inverse(self, z):
        for transformer in reversed(self._transformers):
            z = _quietly(transformer.inverse_transform, z)
        return z

    def _quantiles_of_z(self, q):
        """Quantiles of z in units of y, (n, Q, D)."""
        z = self._with_outputs(self._law.ppf(q), len(q))
        return self._inverse(z.reshape(-1, self.n_outputs)).reshape(z.shape)

    def _inverse_of_output(self, d, rows, nodes):
        """One output's y at nodes z (n, N), the other outputs at their medians."""
        z = self._with_outputs(self._law.median())[rows]
        z = np.repeat(z, nodes.shape[1], axis=0)
        z[:, d] = nodes.ravel()
        return self._inverse(z)[:, d].reshape(nodes.shape)

    def _rising(self):
        """Whether each output of y rises with its z, (n, D)."""
        self._refuse_mixing()
        change = np.diff(self._quantiles_of_z(LADDER), axis=1)
        rising, falling = (change >= 0).all(axis=1), (change <= 0).all(axis=1)
        if not (rising | falling).all():
            raise _not_monotone()
        return rising

    def _refuse_mixing(self):
        low, high = (self._with_outputs(self._law.ppf(q)) for q in LADDER[[0, -1]])
        start = self._inverse(low)
        for d in range(self.n_outputs):
            moved = low.copy()
            moved[:, d] = high[:, d]
            change = np.delete(self._inverse(moved) - start, d, axis=1)
            if np.nan_to_num(change).any():
                raise ValueError(
                    "The transformer of the target mixes the outputs, so there are no "
                    "quantiles and no CRPS of single outputs. Score by "
                    "neg_log_likelihood."
                )

    def _log_slope(self, z, y):
        """log|det dy/dz| (n,), NaN or infinite where there is none to be had.

        A shorter step has to find much the same slope: at a singular point of the
        transformer it does not, although both are finite.
        """
        std = self._with_outputs(self._law.std())
        steps = np.maximum(STEP * std, LEAST_STEP * np.abs(z))
        slope, nearer = (self._log_slope_over(s, z, y) for s in (steps, steps / 8))
        return np.where(np.abs(slope - nearer) < np.log(4), slope, np.nan)

    def _log_slope_over(self, steps, z, y):
        """The same by difference quotients over ``steps`` (n, D) of z."""
        slopes = np.empty((*z.shape, self.n_outputs))  # (n, D of y, D of z)
        reach = np.zeros_like(y)
        for d, step in enumerate(steps.T):
            shift = step[:, None] * np.eye(self.n_outputs)[d]
            upper, lower = self._inverse(z + shift), self._inverse(z - shift)
            # through the transformer again, so that rounding of y cancels
            run = (self._transform(upper) - self._transform(lower))[:, d]
            slopes[:, :, d] = (upper - lower) / run[:, None]
            reach += np.abs(upper - lower)
        returned = np.abs(self._inverse(z) - y) <= 10 * reach + 1e-12 * np.abs(y)
        log_slope = np.linalg.slogdet(slopes)[1]
        return np.where(returned.all(axis=1), log_slope, np.nan)


def _quietly(transform, values):
    """What a transformer makes of rows of values; NaN where it is undefined."""
    finite = np.isfinite(values).all(axis=1)
    if not finite.any():
        return np.full_like(values, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = np.asarray(transform(values[finite]), dtype=np.float64)
    made = made.reshape(finite.sum(), -1)
    every = np.full((len(values), made.shape[1]), np.nan)
    every[finite] = made
    return every


def _blocks(law):
    """Slices of so many rows that their nodes fit into memory."""
    step = max(1, NUMBERS // (len(EDGES) * len(NODES) * law.n_components**2))
    return [slice(start, start + step) for start in range(0, len(law), step)]


def _nodes(law, z):
    """Nodes (n, N) of an integral over dF(z), with F and the mass at each.

    Panels end at multiples of every component's std, between which the law is smooth at
    their scale, and at ``z``, where the integrand has a kink.
    """
    means = law.means[..., 0]
    stds = np.sqrt(law.covariances[..., 0, 0])
    edges = (means[..., None] + stds[..., None] * EDGES).reshape(len(law), -1)
    kink = np.where(np.isfinite(z), z, means[:, 0])
    edges = np.sort(np.column_stack([edges, kink]), axis=1)
    half = np.diff(edges)[..., None] / 2  # (n, panels, 1)
    nodes = (edges[:, :-1, None] + half * (1 + NODES)).reshape(len(law), -1)
    every = law[np.repeat(np.arange(len(law)), nodes.shape[1])]
    cdf = every.cdf(nodes.ravel()).reshape(nodes.shape)
    pdf = every.pdf(nodes.ravel()).reshape(nodes.shape)
    return nodes, cdf, pdf * (half * NODE_WEIGHTS).reshape(nodes.shape)


def _where_monotone(y, rising, mass):
    """Mass of nodes, 0 where y is undefined or turns back; little of it may be."""
    change = np.where(rising, 1, -1) * np.diff(y, axis=1, prepend=y[:, :1])
    monotone = np.isfinite(y) & (change >= -1e-9 * np.abs(y))
    if (np.sum(mass * ~monotone, axis=1) > NEGLIGIBLE).any():
        raise _not_monotone()
    return mass * monotone


def _not_monotone():
    return ValueError(
        "The inverse of the target's transformer is not defined, or not monotone, "
        "everywhere that the law has probability. Take a transformer whose inverse "
        "is, for instance one without bounds, or score by neg_log_likelihood."
    )
