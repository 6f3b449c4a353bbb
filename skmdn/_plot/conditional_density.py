"""The density of y along one feature, as a heat map."""

from dataclasses import dataclass

import numpy as np

from skmdn._plot.axes import (
    INK,
    add_colorbar,
    axes_to_draw_on,
    dots,
    finish,
    percent,
    style,
)
from skmdn._plot.grids import edges_between, heat_map
from skmdn._plot.laws import (
    check_fraction,
    law_of_one_output,
    mixture_to_draw,
    name_of,
    observations,
    one_for_each,
    pairs,
)
from skmdn._plot.rows import line_through

PEAKS_IN_SCALE = 0.9  # share of the columns whose peak the colours do not cut off


@dataclass(kw_only=True, eq=False, repr=False)
class ConditionalDensityDisplay:
    """Density of y along one feature, as a heat map.

    Make it with `from_estimator` or `from_predictions`. All parameters are stored as
    attributes.

    Parameters
    ----------
    x : ndarray of shape (n_x,)
        Values of the feature, ascending.
    y_edges : ndarray of shape (n_y + 1,)
        Edges of the cells along y.
    density : ndarray of shape (n_x, n_y)
        Probability of each cell divided by its height, in units of 1 / y.
    interval : ndarray of shape (n_x, 2), default=None
        Ends of the equal-tailed interval.
    coverage : float, default=None
        Probability of the interval.
    modes : ndarray of shape (n_modes, 3), default=None
        Every mode: x, y, and its density as a fraction of the highest at this x.
    observed : ndarray of shape (n, 2), default=None
        Observations, x and y.
    feature_name, target_name : str
        Labels of the axes.

    Attributes
    ----------
    mesh_ : matplotlib QuadMesh
        The heat map.
    interval_ : list of matplotlib Line2D
        The ends of the interval; empty without one.
    modes_, observations_ : matplotlib PathCollection or None
        Dots; those of lower modes are smaller.
    ax_, figure_ : matplotlib Axes, Figure
        Where it was drawn last.

    Examples
    --------
    >>> import numpy as np
    >>> from skmdn import MixtureDistribution
    >>> from skmdn import ConditionalDensityDisplay
    >>> x = np.linspace(0, 1, 50)
    >>> weights, variances = np.full((50, 2), 0.5), np.full((50, 2), 0.01)
    >>> law = MixtureDistribution(weights, np.c_[x, -x], variances)
    >>> display = ConditionalDensityDisplay.from_predictions(None, law, x, modes=True)
    >>> display.density.shape
    (50, 300)
    """

    x: np.ndarray
    y_edges: np.ndarray
    density: np.ndarray
    interval: np.ndarray | None = None
    coverage: float | None = None
    modes: np.ndarray | None = None
    observed: np.ndarray | None = None
    feature_name: str = "x"
    target_name: str = "y"

    @classmethod
    def from_estimator(
        cls, estimator, X, y=None, *, feature=0, held=None, x=None, ax=None, **options
    ):
        """Predict the laws along one feature, the others held, and draw them.

        Parameters
        ----------
        estimator : estimator
            Fitted MDNRegressor, or a Pipeline or search that ends in one.
        X : array-like or DataFrame of shape (n, n_features)
            Rows that show the range of the feature and the typical values of others.
        y : array-like of shape (n,), default=None
            Observations of these rows, drawn as dots. Their other features are what
            they are, not what the heat map holds them at.
        feature : int or str, default=0
            Feature to look along, by position or by name.
        held : dict, default=None
            Values of other features, by position or by name. The rest is held at the
            median or, where that is not a number, at the most frequent value.
        x : array-like of shape (n_x,), default=None
            Values of the feature; by default 200, evenly over its range in X.
        ax : matplotlib Axes, default=None
            Axes to draw on; by default those of a new figure.
        **options : dict
            Further keywords of `from_predictions`.

        Returns
        -------
        display : ConditionalDensityDisplay

        Raises
        ------
        NotFittedError
            If `estimator` is not fitted.
        TypeError
            If `estimator` predicts no law, or an option is not known.
        ValueError
            If `X` is not like the X of `fit`, is sparse or has no rows, if `feature` or
            `held` names a feature that is not there, if the feature is no number, if
            `held` is no dict of single values, if `x` has not at least two different
            values, all finite, if `y` is of another shape or not finite, if `estimator`
            transforms y or predicts several outputs, or for a `coverage` that is not
            above 0 and below 1.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skmdn import ConditionalDensityDisplay
        >>> from skmdn import MDNRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = MDNRegressor(max_iter=20, random_state=0).fit(X, y)
        >>> display = ConditionalDensityDisplay.from_estimator(model, X, y, feature=2)
        >>> display.x.shape, display.observed.shape, display.feature_name
        ((200,), (442, 2), 'x2')
        """
        line = line_through(estimator, X, feature, held, x)
        if y is not None:
            one_for_each("y", observations(y), line.observed)
        law = mixture_to_draw(estimator, line.rows)
        options = {"feature_name": line.name, "x_observed": line.observed, **options}
        return cls.from_predictions(y, law, line.x, ax=ax, **options)

    @classmethod
    def from_predictions(
        cls,
        y,
        law,
        x,
        *,
        x_observed=None,
        coverage=0.9,
        modes=False,
        feature_name=None,
        target_name=None,
        ax=None,
        **plot_kw,
    ):
        """Draw laws that belong to values of one feature.

        Parameters
        ----------
        y : array-like of shape (n,) or None
            Observations, drawn as dots.
        law : MixtureDistribution
            Of n_x rows and one output.
        x : array-like of shape (n_x,)
            Value of the feature for each law, in any order.
        x_observed : array-like of shape (n,), default=None
            Value of the feature for each observation; by default x.
        coverage : float or None, default=0.9
            Probability of the equal-tailed interval; None for no interval.
        modes : bool, default=False
            Whether to mark the modes.
        feature_name, target_name : str, default=None
            Labels; by default the names of x and y if they are pandas Series.
        ax : matplotlib Axes, default=None
            Axes to draw on; by default those of a new figure.
        **plot_kw : dict
            Keywords of `plot`.

        Returns
        -------
        display : ConditionalDensityDisplay

        Raises
        ------
        TypeError
            If `law` is no law, or a keyword is not one of `plot`.
        ValueError
            If `law` is of several outputs, if `x` has not one value for each law, at
            least two of them different and all finite, if `y` or `x_observed` is of
            another shape, if `y` is not finite, or for a `coverage` that is not above 0
            and below 1.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from skmdn import ConditionalDensityDisplay
        >>> from skmdn import MixtureDistribution
        >>> x = np.linspace(0, 1, 50)
        >>> law = MixtureDistribution(np.ones((50, 1)), x[:, None], np.ones((50, 1)))
        >>> display = ConditionalDensityDisplay.from_predictions(
        ...     None, law, x, coverage=0.95
        ... )
        >>> display.interval[[0, -1]].round(2)
        array([[-1.96,  1.96],
               [-0.96,  2.96]])
        """
        if coverage is not None:
            check_fraction("coverage", coverage)
        names = feature_name or name_of(x, "x"), target_name or name_of(y, "y")
        x = one_for_each("x", x, law_of_one_output(law))
        observed = pairs(x_observed, y, x)
        order = np.argsort(x, kind="stable")
        return cls(
            **heat_map(law[order], x[order], observed, coverage, modes),
            feature_name=names[0],
            target_name=names[1],
        ).plot(ax, **plot_kw)

    def plot(self, ax=None, *, colorbar=True, mesh_kw=None):
        """Draw what is stored.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; by default those of a new figure.
        colorbar : bool, default=True
            Whether to show the scale of the density. A few very peaked columns do not
            stretch it: they end in the darkest colour.
        mesh_kw : dict, default=None
            Keywords of matplotlib's `pcolormesh`, for instance ``{"cmap": "Greys"}``.

        Returns
        -------
        display : ConditionalDensityDisplay

        Raises
        ------
        AttributeError
            If matplotlib does not know a keyword in `mesh_kw`.
        TypeError
            If a property is given by two names, such as lw and linewidth.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from matplotlib.figure import Figure
        >>> from skmdn import ConditionalDensityDisplay
        >>> from skmdn import MixtureDistribution
        >>> x = np.linspace(0, 1, 50)
        >>> law = MixtureDistribution(np.ones((50, 1)), x[:, None], np.ones((50, 1)))
        >>> left, right = Figure().subplots(1, 2)
        >>> display = ConditionalDensityDisplay.from_predictions(None, law, x, ax=left)
        >>> display = display.plot(right, colorbar=False, mesh_kw={"cmap": "Greys"})
        >>> display.mesh_.get_cmap().name, display.ax_ is right
        ('Greys', True)
        """
        self.ax_, self.figure_ = ax, _ = axes_to_draw_on(ax)
        top = np.quantile(self.density.max(axis=1), PEAKS_IN_SCALE)
        scale = {} if "norm" in (mesh_kw or {}) else {"vmin": 0, "vmax": top}
        mesh_kw = style("QuadMesh", mesh_kw, cmap="Blues", rasterized=True, **scale)
        edges = edges_between(self.x)
        self.mesh_ = ax.pcolormesh(edges, self.y_edges, self.density.T, **mesh_kw)
        self.interval_, self.modes_, self.observations_ = [], None, None
        if self.observed is not None:
            self.observations_ = dots(ax, *self.observed.T)
        if self.interval is not None:
            self.interval_ = ax.plot(self.x, self.interval, color=INK, lw=1, ls="--")
            self.interval_[0].set_label(f"{percent(self.coverage)} interval")
        if self.modes is not None:
            x, y, height = self.modes.T
            self.modes_ = ax.scatter(x, y, 6 * height, color=INK, lw=0)
            ax.scatter([], [], 6, color=INK, lw=0, label="modes")
        if colorbar:
            add_colorbar(self.mesh_, ax, "predicted density")
        ax.set(xlim=edges[[0, -1]], ylim=self.y_edges[[0, -1]])
        finish(ax, xlabel=self.feature_name, ylabel=self.target_name)
        return self
