"""Where observations fell within their laws: the histogram of PIT values."""

from dataclasses import dataclass

import numpy as np

from skmdn._averages import checked_weights
from skmdn._checks import is_integer
from skmdn._folds import n_effective
from skmdn._plot.axes import (
    INK,
    PALE_BLUE,
    PALE_GREY,
    axes_to_draw_on,
    finish,
    percent,
    style,
)
from skmdn._plot.chance import band_of_counts
from skmdn._plot.laws import check_fraction, law_to_judge, uniform_values


@dataclass(kw_only=True, eq=False, repr=False)
class PITDisplay:
    """Histogram of PIT values, and how far chance alone would move its bars.

    The probability integral transform of an observation is the probability that its
    law gave to values up to it. If the laws are right, these numbers are uniform:

    - a valley, too many at both ends: the laws are too narrow;
    - a hill: the laws are too wide;
    - a slope: the laws lie too high (more values near 0) or too low.

    Make it with `from_estimator` or `from_predictions`, of rows that the model was not
    fitted to. All parameters are stored as attributes.

    Parameters
    ----------
    pit_values : ndarray of shape (n,)
        Between 0 and 1.
    bin_edges : ndarray of shape (B + 1,)
        From 0 to 1.
    density : ndarray of shape (B,)
        Height of the bars, by weight; their mean is 1.
    band : ndarray of shape (2,)
        Lowest and highest bar that chance allows.
    confidence : float
        Probability with which *all* bars of right laws are within the band.

    Attributes
    ----------
    bars_ : matplotlib BarContainer
        The histogram.
    band_ : matplotlib Artist or None
        What chance allows.
    ax_, figure_ : matplotlib Axes, Figure
        Where it was drawn last.

    See Also
    --------
    ReliabilityDisplay : Observed against nominal coverage.

    References
    ----------
    T. Gneiting, F. Balabdaoui, A. E. Raftery (2007). Probabilistic forecasts,
    calibration and sharpness. JRSS B 69, 243-268.

    Examples
    --------
    >>> import numpy as np
    >>> from skmdn import MixtureDistribution
    >>> from skmdn import PITDisplay
    >>> law = MixtureDistribution(*np.ones((3, 500, 1)))
    >>> y = law.sample(random_state=0)[:, 0]
    >>> display = PITDisplay.from_predictions(y, law)
    >>> display.density.round(2)
    array([...])
    """

    pit_values: np.ndarray
    bin_edges: np.ndarray
    density: np.ndarray
    band: np.ndarray
    confidence: float

    @classmethod
    def from_estimator(cls, estimator, X, y, *, ax=None, **options):
        """Predict the laws of rows with known y and draw their PIT values.

        Parameters
        ----------
        estimator : estimator
            Fitted MDNRegressor, or a Pipeline, a search or a TransformedTargetRegressor
            around one.
        X : array-like of shape (n, n_features)
            Rows that the estimator was not fitted to.
        y : array-like of shape (n,)
            Their observations.
        ax : matplotlib Axes, default=None
            Axes to draw on; by default those of a new figure.
        **options : dict
            Further keywords of `from_predictions`.

        Returns
        -------
        display : PITDisplay

        Raises
        ------
        NotFittedError
            If `estimator` is not fitted.
        TypeError
            If `estimator` predicts no law, `X` is sparse, or an option is not known.
        ValueError
            If `X` is not like the X of `fit`, if a transformer of y has no monotone
            inverse, or for what `from_predictions` refuses: several outputs, a `y` of
            another shape or with NaN.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skmdn import MDNRegressor
        >>> from skmdn import PITDisplay
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = MDNRegressor(max_iter=20, random_state=0).fit(X[:342], y[:342])
        >>> display = PITDisplay.from_estimator(model, X[342:], y[342:], n_bins=5)
        >>> display.pit_values.shape, display.density.shape
        ((100,), (5,))
        """
        return cls.from_predictions(y, law_to_judge(estimator, X), ax=ax, **options)

    @classmethod
    def from_predictions(
        cls,
        y,
        law,
        *,
        sample_weight=None,
        n_bins=10,
        confidence=0.95,
        ax=None,
        **plot_kw,
    ):
        """Draw the PIT values of observations under their laws.

        Parameters
        ----------
        y : array-like of shape (n,)
            Observations.
        law : MixtureDistribution
            Of n rows and one output.
        sample_weight : array-like of shape (n,), default=None
            Non-negative weights of the rows. Chance is then taken for that of Kish's
            number of rows, (Σ w)² / Σ w², which is less than a few rows of large weight
            are capable of.
        n_bins : int, default=10
            Bars B.
        confidence : float, default=0.95
            Probability with which all bars of right laws are within the band.
        ax : matplotlib Axes, default=None
            Axes to draw on; by default those of a new figure.
        **plot_kw : dict
            Keywords of `plot`.

        Returns
        -------
        display : PITDisplay

        Raises
        ------
        TypeError
            If `law` is no law, or a keyword is not one of `plot`.
        ValueError
            If `law` is of several outputs or of no rows, if `y` is of another shape or
            has NaN, if the weights are of another shape, negative, not finite or all
            zero, if `n_bins` is not a positive integer, or if `confidence` is not above
            0 and below 1.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from skmdn import MixtureDistribution
        >>> from skmdn import PITDisplay
        >>> law = MixtureDistribution(*np.ones((3, 500, 1)))
        >>> y = law.sample(random_state=0)[:, 0]
        >>> too_narrow = MixtureDistribution(law.weights, [[1.0]] * 500, [[0.25]] * 500)
        >>> display = PITDisplay.from_predictions(y, too_narrow)
        >>> lowest, highest = display.band
        >>> display.density[[0, -1]] > highest
        array([ True,  True])
        """
        check_fraction("confidence", confidence)
        if not is_integer(n_bins) or n_bins < 1:
            raise ValueError(
                f"n_bins must be an integer of at least 1, got {n_bins!r}."
            )
        pit_values = uniform_values(y, law)
        weights = checked_weights(sample_weight, len(pit_values))
        totals, bin_edges = np.histogram(pit_values, n_bins, (0, 1), weights=weights)
        shares, n = np.full(n_bins, 1 / n_bins), int(n_effective(weights[None])[0])
        band = band_of_counts(n, shares, confidence)[:, 0]
        return cls(
            pit_values=pit_values,
            bin_edges=bin_edges,
            density=totals * n_bins / weights.sum(),
            band=band * n_bins / n,
            confidence=confidence,
        ).plot(ax, **plot_kw)

    def plot(self, ax=None, *, chance=True, bar_kw=None):
        """Draw what is stored.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; by default those of a new figure.
        chance : bool, default=True
            Whether to show the band that chance allows.
        bar_kw : dict, default=None
            Keywords of matplotlib's `bar`.

        Returns
        -------
        display : PITDisplay

        Raises
        ------
        AttributeError
            If matplotlib does not know a keyword in `bar_kw`.
        TypeError
            If a property is given by two names, such as lw and linewidth.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from matplotlib.figure import Figure
        >>> from skmdn import MixtureDistribution
        >>> from skmdn import PITDisplay
        >>> law = MixtureDistribution(*np.ones((3, 500, 1)))
        >>> y = law.sample(random_state=0)[:, 0]
        >>> left, right = Figure().subplots(1, 2)
        >>> display = PITDisplay.from_predictions(y, law, ax=left)
        >>> display = display.plot(right, chance=False, bar_kw={"color": "black"})
        >>> len(display.bars_), display.band_ is None
        (10, True)
        """
        self.ax_, self.figure_ = ax, _ = axes_to_draw_on(ax)
        bar_kw = style("Patch", bar_kw, color=PALE_BLUE, edgecolor="white", linewidth=1)
        widths = np.diff(self.bin_edges)
        self.bars_ = ax.bar(
            self.bin_edges[:-1], self.density, widths, align="edge", **bar_kw
        )
        self.band_ = None
        if chance:
            look = {"color": PALE_GREY, "lw": 0, "zorder": 0}
            label = f"what chance allows ({percent(self.confidence)})"
            self.band_ = ax.axhspan(*self.band, **look, label=label)
            ax.hlines(self.band, 0, 1, color=INK, lw=0.8, ls=":")
            ax.axhline(1, color=INK, lw=1, ls="--")
        ax.set(xlim=(0, 1), ylim=(0, 1.08 * max(self.density.max(), self.band[1])))
        finish(ax, xlabel="PIT value", ylabel="density")
        return self
