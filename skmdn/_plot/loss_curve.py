"""How a fit went: training and validation, and the pass whose weights were kept."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skmdn._plot.axes import BLUE, INK, ORANGE, axes_to_draw_on, finish, style


@dataclass(kw_only=True, eq=False, repr=False)
class LossCurveDisplay:
    """Negative log-likelihood over the passes of a fit, of every member.

    Make it with `from_estimator`. All parameters are stored as attributes.

    Parameters
    ----------
    training_loss : ndarray of shape (M, n_iter)
        Mean negative log-likelihood of the training rows, in nats; NaN once a member
        has stopped.
    validation_loss : ndarray of shape (M, n_iter) or (M, 0)
        The same of the validation rows; no columns if there were none.
    best_iteration : ndarray of shape (M,)
        Passes after which each member had the weights that it kept.

    Attributes
    ----------
    training_, validation_ : list of matplotlib Line2D
        A line for each member; no validation lines without validation rows.
    best_loss : ndarray of shape (M,)
        Loss of the weights kept: on validation rows, if there were any. NaN for a
        member that learned nothing.
    best_ : matplotlib Line2D
        A dot for each member.
    ax_, figure_ : matplotlib Axes, Figure
        Where it was drawn last.

    Notes
    -----
    The training loss is the mean over a pass while the weights change and, with
    dropout, while units are left out. It may therefore lie above the validation loss.

    Examples
    --------
    >>> import numpy as np
    >>> from skmdn import MDNRegressor
    >>> from skmdn import LossCurveDisplay
    >>> X = np.random.default_rng(0).normal(size=(100, 1))
    >>> model = MDNRegressor(max_iter=5, random_state=0).fit(X, X[:, 0])
    >>> display = LossCurveDisplay.from_estimator(model)
    >>> display.training_loss.shape
    (1, 5)
    """

    training_loss: np.ndarray
    validation_loss: np.ndarray
    best_iteration: np.ndarray

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, **plot_kw):
        """Draw the history of a fit.

        Parameters
        ----------
        estimator : estimator
            Fitted MDNRegressor, or a Pipeline, search or TransformedTargetRegressor
            around one.
        ax : matplotlib Axes, default=None
            Axes to draw on; by default those of a new figure.
        **plot_kw : dict
            Keywords of `plot`.

        Returns
        -------
        display : LossCurveDisplay

        Raises
        ------
        NotFittedError
            If `estimator` is not fitted.
        TypeError
            If `estimator` has no history of a fit, or a keyword is not one of `plot`.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skmdn import LossCurveDisplay
        >>> from skmdn import MDNRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = MDNRegressor(n_estimators=3, max_iter=5, random_state=0).fit(X, y)
        >>> display = LossCurveDisplay.from_estimator(model)
        >>> display.training_loss.shape, display.validation_loss.shape
        ((3, 5), (3, 5))
        """
        model = network_inside(estimator)
        return cls(
            training_loss=np.array(model.loss_curve_),
            validation_loss=-model.validation_scores_,
            best_iteration=np.array(model.best_iteration_),
        ).plot(ax, **plot_kw)

    def plot(self, ax=None, *, training_kw=None, validation_kw=None):
        """Draw what is stored.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; by default those of a new figure.
        training_kw, validation_kw : dict, default=None
            Keywords of matplotlib's `plot` for the lines.

        Returns
        -------
        display : LossCurveDisplay

        Raises
        ------
        AttributeError
            If matplotlib does not know a keyword in `training_kw` or `validation_kw`.
        TypeError
            If a property is given by two names, such as lw and linewidth.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from matplotlib.figure import Figure
        >>> from skmdn import LossCurveDisplay
        >>> display = LossCurveDisplay(
        ...     training_loss=np.array([[3.0, 2.0, 1.0]]),
        ...     validation_loss=np.array([[3.5, 2.5, 2.8]]),
        ...     best_iteration=np.array([2]),
        ... )
        >>> display = display.plot(Figure().subplots(), training_kw={"linestyle": ":"})
        >>> display.best_.get_xdata(), display.best_loss
        (array([2]), array([2.5]))
        """
        self.ax_, self.figure_ = ax, _ = axes_to_draw_on(ax)
        thin = {"linewidth": 1.2 if len(self.training_loss) == 1 else 0.8}
        training_kw = style("Line2D", training_kw, color=BLUE, label="training", **thin)
        validation_kw = style(
            "Line2D", validation_kw, color=ORANGE, label="validation", **thin
        )
        self.training_ = _lines(ax, self.training_loss, training_kw)
        self.validation_ = _lines(ax, self.validation_loss, validation_kw)
        (self.best_,) = ax.plot(
            self.best_iteration, self.best_loss, "o", color=INK, ms=5, label="kept"
        )
        ax.set_ylim(*_view(self.training_loss, self.validation_loss))
        finish(ax, xlabel="pass over the data", ylabel="negative log-likelihood (nats)")
        return self

    @property
    def best_loss(self):
        """Loss of the weights kept."""
        judged_by_validation = self.validation_loss.shape[1] > 0
        losses = self.validation_loss if judged_by_validation else self.training_loss
        losses = np.pad(losses, [(0, 0), (1, 0)], constant_values=np.nan)
        best = np.asarray(self.best_iteration, dtype=int)[:, None]
        return np.take_along_axis(losses, best, axis=1)[:, 0]


def network_inside(estimator):
    """The estimator inside pipelines, searches and transformations of the target."""
    from skmdn._predicted_law import wrapped_by  # brings scikit-learn's pipelines

    model = estimator
    while model is not None and not hasattr(model, "best_iteration_"):
        check_is_fitted(model)
        model = wrapped_by(model)
    if model is None:
        raise TypeError(
            f"{type(estimator).__name__} has no history of a fit. Give a fitted "
            "MDNRegressor, or a Pipeline or a search around one."
        )
    return model


def _lines(ax, losses, look):
    """A line for each member, the first one with the label."""
    passes = np.arange(1, losses.shape[1] + 1)
    lines = ax.plot(passes, losses.T, **look) if losses.size else []
    for line in lines[1:]:
        line.set_label(None)
    return lines


def _view(*losses):
    """Limits that leave out the fall of the first passes where it dwarfs the rest."""
    losses = np.concatenate([values.ravel() for values in losses])
    losses = losses[np.isfinite(losses)]
    if not len(losses):
        return None, None
    low, typical, high = np.quantile(losses, [0, 0.9, 1])
    high = min(high, typical + 2 * (typical - low))
    margin = 0.05 * (high - low) or 1.0
    return low - margin, high + margin
