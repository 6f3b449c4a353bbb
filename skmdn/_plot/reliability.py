"""What intervals promise against what they hold."""

from dataclasses import dataclass

import numpy as np

from skmdn._averages import checked_weights
from skmdn._checks import real_numbers
from skmdn._folds import n_effective
from skmdn._plot.axes import (
    BLUE,
    INK,
    PALE_GREY,
    axes_to_draw_on,
    finish,
    percent,
    style,
)
from skmdn._plot.chance import band_of_counts
from skmdn._plot.laws import check_fraction, law_to_judge, uniform_values

LEVELS = tuple(np.linspace(0.05, 0.95, 19).round(2).tolist())


@dataclass(kw_only=True, eq=False, repr=False)
class ReliabilityDisplay:
    """Observed against nominal coverage of central intervals.

    The intervals are equal-tailed, those of ``law.interval(coverage)``. A curve below
    the diagonal holds less than it promises: the laws are too narrow. A curve above it
    holds more: they are too wide.

    Make it with `from_estimator` or `from_predictions`, of rows that the model was not
    fitted to. All parameters are stored as attributes.

    Parameters
    ----------
    nominal : ndarray of shape (L,)
        Probabilities of the intervals, ascending.
    observed : ndarray of shape (L,)
        Shares of the observations, or of their weight, within them.
    band : ndarray of shape (2, L)
        Lowest and highest share that chance allows.
    confidence : float
        Probability with which the *whole* curve of right laws is within the band.

    Attributes
    ----------
    line_ : matplotlib Line2D
        The curve.
    band_ : matplotlib PolyCollection or None
        What chance allows.
    ax_, figure_ : matplotlib Axes, Figure
        Where it was drawn last.

    See Also
    --------
    PITDisplay : Where observations fell within their laws.

    Examples
    --------
    >>> import numpy as np
    >>> from skmdn import MixtureDistribution
    >>> from skmdn import ReliabilityDisplay
    >>> law = MixtureDistribution(*np.ones((3, 500, 1)))
    >>> y = law.sample(random_state=0)[:, 0]
    >>> display = ReliabilityDisplay.from_predictions(y, law, coverage=[0.5, 0.9])
    >>> display.observed.round(1)
    array([0.5, 0.9])
    """

    nominal: np.ndarray
    observed: np.ndarray
    band: np.ndarray
    confidence: float

    @classmethod
    def from_estimator(cls, estimator, X, y, *, ax=None, **options):
        """Predict the laws of rows with known y and draw what their intervals hold.

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
        display : ReliabilityDisplay

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
        >>> from skmdn import ReliabilityDisplay
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = MDNRegressor(max_iter=20, random_state=0).fit(X[:342], y[:342])
        >>> display = ReliabilityDisplay.from_estimator(model, X[342:], y[342:])
        >>> display.nominal.shape, display.observed.shape, display.band.shape
        ((19,), (19,), (2, 19))
        """
        return cls.from_predictions(y, law_to_judge(estimator, X), ax=ax, **options)

    @classmethod
    def from_predictions(
        cls,
        y,
        law,
        *,
        sample_weight=None,
        coverage=LEVELS,
        confidence=0.95,
        ax=None,
        **plot_kw,
    ):
        """Draw what the intervals of laws hold of their observations.

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
        coverage : array-like of shape (L,), default=0.05, 0.1, ..., 0.95
            Probabilities of the intervals.
        confidence : float, default=0.95
            Probability with which the whole curve of right laws is within the band.
        ax : matplotlib Axes, default=None
            Axes to draw on; by default those of a new figure.
        **plot_kw : dict
            Keywords of `plot`.

        Returns
        -------
        display : ReliabilityDisplay

        Raises
        ------
        TypeError
            If `law` is no law, or a keyword is not one of `plot`.
        ValueError
            If `law` is of several outputs or of no rows, if `y` is of another shape or
            has NaN, if the weights are of another shape, negative, not finite or all
            zero, if `coverage` names no level, or if a level or `confidence` is not
            above 0 and below 1.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from skmdn import MixtureDistribution
        >>> from skmdn import ReliabilityDisplay
        >>> law = MixtureDistribution(*np.ones((3, 500, 1)))
        >>> y = law.sample(random_state=0)[:, 0]
        >>> too_narrow = MixtureDistribution(law.weights, [[1.0]] * 500, [[0.25]] * 500)
        >>> display = ReliabilityDisplay.from_predictions(
        ...     y, too_narrow, coverage=[0.5, 0.9]
        ... )
        >>> lowest, highest = display.band
        >>> display.observed < lowest
        array([ True,  True])
        """
        check_fraction("confidence", confidence)
        nominal = np.unique(real_numbers("coverage", coverage))
        if nominal.size == 0:
            raise ValueError("coverage must name at least one level, got none.")
        for level in nominal.tolist():
            check_fraction("coverage", level)
        # y is in the interval if its PIT value is no further from the middle.
        distances = np.abs(2 * uniform_values(y, law) - 1)
        weights = checked_weights(sample_weight, len(distances))
        n = int(n_effective(weights[None])[0])
        return cls(
            nominal=nominal,
            observed=weights @ (distances[:, None] <= nominal) / weights.sum(),
            band=band_of_counts(n, nominal, confidence, cumulative=True) / n,
            confidence=confidence,
        ).plot(ax, **plot_kw)

    def plot(self, ax=None, *, chance=True, line_kw=None):
        """Draw what is stored.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; by default those of a new figure.
        chance : bool, default=True
            Whether to show the band that chance allows, and the diagonal.
        line_kw : dict, default=None
            Keywords of matplotlib's `plot`, for instance ``{"label": "my model"}``.

        Returns
        -------
        display : ReliabilityDisplay

        Raises
        ------
        AttributeError
            If matplotlib does not know a keyword in `line_kw`.
        TypeError
            If a property is given by two names, such as lw and linewidth.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from matplotlib.figure import Figure
        >>> from skmdn import MixtureDistribution
        >>> from skmdn import ReliabilityDisplay
        >>> law = MixtureDistribution(*np.ones((3, 500, 1)))
        >>> y = law.sample(random_state=0)[:, 0]
        >>> left, right = Figure().subplots(1, 2)
        >>> display = ReliabilityDisplay.from_predictions(y, law, ax=left)
        >>> display = display.plot(right, chance=False, line_kw={"label": "my model"})
        >>> display.ax_.get_legend_handles_labels()[1]
        ['my model']
        """
        self.ax_, self.figure_ = ax, _ = axes_to_draw_on(ax)
        self.band_ = None
        if chance:
            look = {"color": PALE_GREY, "lw": 0}
            label = f"what chance allows ({percent(self.confidence)})"
            self.band_ = ax.fill_between(self.nominal, *self.band, **look, label=label)
            ax.plot([0, 1], [0, 1], color=INK, lw=1, ls="--")
        line_kw = style("Line2D", line_kw, color=BLUE, marker="o", markersize=4)
        (self.line_,) = ax.plot(self.nominal, self.observed, **line_kw)
        ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        finish(ax, xlabel="nominal coverage", ylabel="observed coverage")
        return self
