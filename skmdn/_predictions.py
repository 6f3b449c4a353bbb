"""What a fitted regressor answers: the law of every row, and numbers taken from it."""

from sklearn.utils.validation import check_is_fitted

from skmdn._checks import check_levels
from skmdn._distribution import MixtureDistribution
from skmdn._network import mixture_mean, mixture_parameters

POINT_PREDICTIONS = {
    "mean": MixtureDistribution.mean,
    "median": MixtureDistribution.median,
    "mode": MixtureDistribution.mode,
}
OUTPUT_TYPES = [*POINT_PREDICTIONS, "quantiles", "distribution"]


class Predictions:
    """Questions to a regressor with a fitted `Network` and checked inputs."""

    def predict_distribution(self, X):
        """Predict the law of y for every row.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Features.

        Returns
        -------
        law : MixtureDistribution
            Of n rows, in units of y.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If `X` does not have the columns of the X of `fit`, or has NaN or infinite
            values.
        TypeError
            If `X` is sparse.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skmdn import MDNRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = MDNRegressor(max_iter=20, random_state=0).fit(X, y)
        >>> law = model.predict_distribution(X[:3])
        >>> len(law), law.n_components, law.n_outputs
        (3, 5, 1)
        >>> law.interval(0.9).shape, law.sample(100, random_state=0).shape
        ((3, 2), (3, 100))
        """
        check_is_fitted(self)
        X = self._validated(X, reset=False)
        return MixtureDistribution._from_factors(
            *mixture_parameters(X, self._network()), n_members=len(self.coefs_[0])
        )

    def predict(self, X, return_std=False, *, output_type="mean", quantiles=None):
        """Predict one number for every row and output, some quantiles, or the law.

        The keywords pass through a Pipeline too; where metadata routing is enabled,
        after ``set_predict_request(output_type=True)``, and the like for the others.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Features.
        return_std : bool, default=False
            Whether to return the standard deviation as well; with the mean only.
        output_type : {"mean", "median", "mode", "quantiles", "distribution"}, \
                default="mean"
            What to predict. The mode is the highest one, of all outputs jointly.
        quantiles : float or array-like of shape (Q,), default=None
            Levels between 0 and 1; required by ``output_type="quantiles"``.

        Returns
        -------
        y : ndarray or MixtureDistribution
            Shaped like the y of `fit`; for several quantiles (n, Q), or
            (n, Q, n_outputs) if y had columns.
        std : ndarray of the shape of y
            Only if `return_std`.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If `X` is not like the X of `fit`, if a level is not between 0 and 1, or if
            what is asked for does not go together: `return_std` with another
            `output_type` than the mean, `quantiles` with another than "quantiles".
        TypeError
            If `X` is sparse.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skmdn import MDNRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = MDNRegressor(max_iter=20, random_state=0).fit(X, y)
        >>> model.predict(X[:3]).shape
        (3,)
        >>> mean, std = model.predict(X[:3], return_std=True)
        >>> mean.shape, std.shape
        ((3,), (3,))
        >>> model.predict(X[:3], output_type="quantiles", quantiles=[0.1, 0.9]).shape
        (3, 2)
        """
        _check_question(return_std, output_type, quantiles)
        if output_type == "quantiles":
            return self.predict_quantiles(X, quantiles)
        if output_type == "mean" and not return_std:
            return self._predict_mean(X)
        law = self.predict_distribution(X)
        if output_type == "distribution":
            return law
        answer = self._like_y(POINT_PREDICTIONS[output_type](law))
        return (answer, self._like_y(law.std())) if return_std else answer

    def _predict_mean(self, X):
        """The law's mean to the last digit, without its covariances."""
        check_is_fitted(self)
        mean = mixture_mean(self._validated(X, reset=False), self._network())
        return mean if self._y_ndim == 2 else mean[:, 0]

    def predict_quantiles(self, X, quantiles):
        """Predict quantiles of each output.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Features.
        quantiles : float or array-like of shape (Q,)
            Levels between 0 and 1.

        Returns
        -------
        y : ndarray
            For one level shaped like the y of `fit`; for a list (n, Q), or
            (n, Q, n_outputs) if y had columns.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If `X` is not like the X of `fit`, or a level is not between 0 and 1.
        TypeError
            If `X` is sparse.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_diabetes
        >>> from skmdn import MDNRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = MDNRegressor(max_iter=20, random_state=0).fit(X, y)
        >>> quantiles = model.predict_quantiles(X[:3], [0.1, 0.5, 0.9])
        >>> quantiles.shape, bool((np.diff(quantiles) > 0).all())
        ((3, 3), True)
        >>> model.predict_quantiles(X[:3], 0.5).shape
        (3,)
        """
        levels = check_levels("quantiles", quantiles)
        return self._like_y(self.predict_distribution(X).ppf(levels))

    def predict_interval(self, X, coverage=0.9):
        """Predict an equal-tailed interval for each output.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Features.
        coverage : float, default=0.9
            Probability of the interval.

        Returns
        -------
        interval : ndarray of shape (n, 2) or (n, 2, n_outputs)
            Lower and upper ends.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If `X` is not like the X of `fit`, or `coverage` is not between 0 and 1.
        TypeError
            If `X` is sparse.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skmdn import MDNRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = MDNRegressor(max_iter=20, random_state=0).fit(X, y)
        >>> interval = model.predict_interval(X, coverage=0.9)
        >>> interval.shape
        (442, 2)
        >>> lower, upper = interval.T
        >>> bool(((lower <= y) & (y <= upper)).mean() > 0.8)
        True
        """
        return self._like_y(self.predict_distribution(X).interval(coverage))

    def score_samples(self, X, y=None):
        """Log-density of observations under their predicted laws.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Features.
        y : array-like of shape (n,) or (n, n_outputs), default=None
            Observations in their own units. Without them the value to be expected
            under the law itself is returned, which is minus its entropy.

        Returns
        -------
        log_density : ndarray of shape (n,)
            Joint for all outputs, in nats.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If `X` is not like the X of `fit`, or `y` is not of its laws' shape or has
            NaN.
        TypeError
            If `X` is sparse.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skmdn import MDNRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = MDNRegressor(max_iter=20, random_state=0).fit(X, y)
        >>> model.score_samples(X[:3], y[:3]).shape
        (3,)
        >>> round(float(model.score_samples(X, y).mean()))
        -5
        """
        law = self.predict_distribution(X)
        return -law.entropy() if y is None else law.logpdf(y)

    def sample(self, X, n_samples=1, random_state=None):
        """Draw from the predicted laws.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Features.
        n_samples : int, default=1
            Draws S for each row.
        random_state : int, RandomState instance or None, default=None
            An integer gives the same draws at every call.

        Returns
        -------
        samples : ndarray of shape (n, S) or (n, S, n_outputs)
            Without the last axis if the y of `fit` was one-dimensional.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If `X` is not like the X of `fit`, `n_samples` is not a positive integer, or
            `random_state` seeds nothing.
        TypeError
            If `X` is sparse.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skmdn import MDNRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = MDNRegressor(max_iter=20, random_state=0).fit(X, y)
        >>> samples = model.sample(X[:3], n_samples=100, random_state=0)
        >>> samples.shape
        (3, 100)
        >>> again = model.sample(X[:3], n_samples=100, random_state=0)
        >>> bool((samples == again).all())
        True
        """
        return self._like_y(
            self.predict_distribution(X).sample(n_samples, random_state)
        )

    def to_torch(self):
        """Network with the fitted weights as a torch module, the scaling included.

        Returns
        -------
        net : skmdn.nn.MixtureDensityNetwork
            In float64. Maps rows of X as they are to parameters in units of y, those
            that are predicted: components of next to no weight are wide in it too.

        Raises
        ------
        NotFittedError
            Before `fit`.

        Examples
        --------
        >>> import numpy as np
        >>> import torch
        >>> from sklearn.datasets import load_diabetes
        >>> from skmdn import MDNRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = MDNRegressor(max_iter=20, random_state=0).fit(X, y)
        >>> parameters = model.to_torch()(torch.from_numpy(X[:3]))
        >>> parameters.means.shape
        torch.Size([3, 5, 1])
        >>> law = model.predict_distribution(X[:3])
        >>> np.allclose(parameters.means.detach(), law.means)
        True
        """
        from skmdn.nn import MixtureDensityNetwork

        check_is_fitted(self)
        return MixtureDensityNetwork._from_network(self._network())

    def _like_y(self, values):
        """Give a single output its axis back if y had one."""
        single = self.n_outputs_ == 1 and self._y_ndim == 2
        return values[..., None] if single else values


def _check_question(return_std, output_type, quantiles):
    if output_type not in OUTPUT_TYPES:
        raise ValueError(
            f"output_type must be one of {OUTPUT_TYPES}, got {output_type!r}."
        )
    if return_std and output_type != "mean":
        raise ValueError(
            f"return_std=True goes with output_type='mean', not {output_type!r}. Ask "
            "the law: predict_distribution(X).std()."
        )
    if (quantiles is None) == (output_type == "quantiles"):
        raise ValueError(
            "quantiles go with output_type='quantiles', for instance quantiles=[0.1, "
            f"0.9]; got quantiles={quantiles!r}, output_type={output_type!r}."
        )
