"""The laws of a few rows, side by side."""

from dataclasses import dataclass

import numpy as np

from skmdn._plot.axes import BLUE, INK, ORANGE, axes_to_draw_on, finish, percent, style
from skmdn._plot.grids import density_curves
from skmdn._plot.laws import (
    check_fraction,
    law_of_one_output,
    mixture_to_draw,
    name_of,
    observations,
    one_for_each,
)

MOST_ROWS = 50
HEIGHT = 0.75  # of a curve; the next row stands 1 above


@dataclass(kw_only=True, eq=False, repr=False)
class PredictiveDistributionDisplay:
    """Densities of a few rows, each with its regions and what was observed.

    Of each row there is the density, the highest-density region as dark area, the
    equal-tailed interval as a line below, and the observation as a dot. Each density
    is drawn to the same height; how sharp a law is shows in its width.

    Make it with `from_estimator` or `from_predictions`. All parameters are stored as
    attributes.

    Parameters
    ----------
    y_grid : ndarray of shape (n, G)
        Where the density of each row was evaluated, ascending: closer together where
        the law is narrow.
    density : ndarray of shape (n, G)
        The densities there, in units of 1 / y.
    interval : ndarray of shape (n, 2)
        Ends of the equal-tailed intervals.
    regions : list of n ndarrays of shape (m, 2)
        Ends of the pieces of the highest-density regions.
    coverage : float
        Probability of the intervals and of the regions.
    observed : ndarray of shape (n,), default=None
        Observations.
    row_names : list of n str, default=None
        What the rows are called; by default their numbers.
    target_name : str
        Label of y.

    Attributes
    ----------
    lines_, areas_, intervals_ : list of n matplotlib Artists
        Densities, regions and intervals.
    dots_ : matplotlib Line2D or None
        Observations.
    ax_, figure_ : matplotlib Axes, Figure
        Where it was drawn last.

    See Also
    --------
    ConditionalDensityDisplay : The density along one feature.

    Examples
    --------
    >>> from skmdn import MixtureDistribution
    >>> from skmdn import PredictiveDistributionDisplay
    >>> law = MixtureDistribution([[0.5, 0.5]], [[-2.0, 2.0]], [[0.1, 0.2]])
    >>> display = PredictiveDistributionDisplay.from_predictions([1.5], law)
    >>> [len(pieces) for pieces in display.regions]
    [2]
    """

    y_grid: np.ndarray
    density: np.ndarray
    interval: np.ndarray
    regions: list
    coverage: float
    observed: np.ndarray | None = None
    row_names: list | None = None
    target_name: str = "y"

    @classmethod
    def from_estimator(cls, estimator, X, y=None, *, ax=None, **options):
        """Predict the laws of a few rows and draw them.

        Parameters
        ----------
        estimator : estimator
            Fitted MDNRegressor, or a Pipeline or search that ends in one.
        X : array-like of shape (n, n_features)
            The rows.
        y : array-like of shape (n,), default=None
            Their observations.
        ax : matplotlib Axes, default=None
            Axes to draw on; by default those of a new figure.
        **options : dict
            Further keywords of `from_predictions`.

        Returns
        -------
        display : PredictiveDistributionDisplay

        Raises
        ------
        NotFittedError
            If `estimator` is not fitted.
        TypeError
            If `estimator` predicts no law, `X` is sparse, or an option is not known.
        ValueError
            If `X` is not like the X of `fit`, if `estimator` transforms y, or for what
            `from_predictions` refuses: more than 50 rows, several outputs, a `y` of
            another shape or not finite.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skmdn import MDNRegressor
        >>> from skmdn import PredictiveDistributionDisplay
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = MDNRegressor(max_iter=20, random_state=0).fit(X, y)
        >>> display = PredictiveDistributionDisplay.from_estimator(model, X[:3], y[:3])
        >>> display.observed, display.interval.shape
        (array([151.,  75., 141.]), (3, 2))
        """
        return cls.from_predictions(y, mixture_to_draw(estimator, X), ax=ax, **options)

    @classmethod
    def from_predictions(
        cls,
        y,
        law,
        *,
        coverage=0.9,
        row_names=None,
        target_name=None,
        ax=None,
        **plot_kw,
    ):
        """Draw the laws of a few rows.

        Parameters
        ----------
        y : array-like of shape (n,) or None
            Observations.
        law : MixtureDistribution
            Of n rows, 50 at most, and one output.
        coverage : float, default=0.9
            Probability of the intervals and of the highest-density regions.
        row_names : sequence of n str, default=None
            What to call the rows; by default their numbers.
        target_name : str, default=None
            Label; by default the name of y if it is a pandas Series.
        ax : matplotlib Axes, default=None
            Axes to draw on; by default those of a new figure.
        **plot_kw : dict
            Keywords of `plot`.

        Returns
        -------
        display : PredictiveDistributionDisplay

        Raises
        ------
        TypeError
            If `law` is no law, `row_names` is no sequence, or a keyword is not one of
            `plot`.
        ValueError
            If `law` is of several outputs, of no rows or of more than 50, if `y` is of
            another shape or not finite, if `row_names` are not as many as the rows, or
            if `coverage` is not above 0 and below 1.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> from skmdn import PredictiveDistributionDisplay
        >>> law = MixtureDistribution([[1.0], [1.0]], [[0.0], [3.0]], [[1.0], [4.0]])
        >>> display = PredictiveDistributionDisplay.from_predictions(
        ...     [0.5, 2.0], law, coverage=0.95, row_names=["before", "after"]
        ... )
        >>> display.interval.round(2)
        array([[-1.96,  1.96],
               [-0.92,  6.92]])
        >>> [label.get_text() for label in display.ax_.get_yticklabels()]
        ['before', 'after']
        """
        if not 1 <= len(law_of_one_output(law)) <= MOST_ROWS:
            raise ValueError(
                f"Draw from 1 to {MOST_ROWS} rows, got {len(law)}. Choose a few, for "
                "instance law[:8] with y[:8]."
            )
        if row_names is not None:
            row_names = [str(name) for name in row_names]
            if len(row_names) != len(law):
                raise ValueError(
                    f"row_names must name each of the {len(law)} rows, got "
                    f"{len(row_names)}: {row_names}."
                )
        check_fraction("coverage", coverage)
        target_name, y = target_name or name_of(y, "y"), observations(y)
        y_grid, density = density_curves(law)
        return cls(
            y_grid=y_grid,
            density=density,
            interval=law.interval(coverage),
            regions=law.highest_density_region(coverage),
            coverage=coverage,
            observed=y if y is None else one_for_each("y", y, law),
            row_names=row_names,
            target_name=target_name,
        ).plot(ax, **plot_kw)

    def plot(self, ax=None, *, line_kw=None):
        """Draw what is stored, the first row at the bottom.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; by default those of a new figure.
        line_kw : dict, default=None
            Keywords of matplotlib's `plot` for the densities.

        Returns
        -------
        display : PredictiveDistributionDisplay

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
        >>> from matplotlib.figure import Figure
        >>> from skmdn import MixtureDistribution
        >>> from skmdn import PredictiveDistributionDisplay
        >>> law = MixtureDistribution([[1.0], [1.0]], [[0.0], [3.0]], [[1.0], [4.0]])
        >>> left, right = Figure().subplots(1, 2)
        >>> display = PredictiveDistributionDisplay.from_predictions(None, law, ax=left)
        >>> display = display.plot(right, line_kw={"color": "black"})
        >>> [line.get_color() for line in display.lines_]
        ['black', 'black']
        """
        self.ax_, self.figure_ = ax, _ = axes_to_draw_on(ax)
        n = len(self.density)
        line_kw = style("Line2D", line_kw, color=BLUE, linewidth=1.2)
        self.lines_, self.areas_, self.intervals_, self.dots_ = [], [], [], None
        for row in range(n):
            self._draw_row(ax, row, line_kw)
        self.areas_[0].set_label(f"{percent(self.coverage)} highest density")
        self.intervals_[0].set_label(f"{percent(self.coverage)} interval")
        if self.observed is not None:
            look = {"color": ORANGE, "ms": 7, "mec": "white", "label": "observed"}
            (self.dots_,) = ax.plot(self.observed, range(n), "o", clip_on=False, **look)
        ax.set_yticks(range(n), self.row_names or [str(row) for row in range(n)])
        ax.set_ylim(-0.3, n)
        ax.spines["left"].set_visible(False)
        ax.tick_params(left=False)
        finish(ax, xlabel=self.target_name)
        return self

    def _draw_row(self, ax, row, line_kw):
        region = self.regions[row]
        y = np.union1d(self.y_grid[row], region)
        top = np.interp(y, self.y_grid[row], self.density[row])
        top = row + HEIGHT * top / top.max()
        inside = ((y[:, None] >= region[:, 0]) & (y[:, None] <= region[:, 1])).any(1)
        look = {"color": BLUE, "lw": 0}
        ax.axhline(row, color="0.85", lw=0.8, zorder=0)
        ax.fill_between(y, row, top, alpha=0.12, **look)
        self.areas_.append(ax.fill_between(y, row, top, inside, alpha=0.4, **look))
        self.lines_ += ax.plot(y, top, **line_kw)
        look = {"color": INK, "lw": 1, "ms": 5}
        self.intervals_ += ax.plot(self.interval[row], [row - 0.12] * 2, "|-", **look)
