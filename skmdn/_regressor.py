"""MDNRegressor: its parameters, and what `fit` makes of them."""

from types import SimpleNamespace
from typing import ClassVar

from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin, _fit_context

from skmdn import _fitting
from skmdn._constraints import (
    AUTO,
    COUNT,
    NETWORK_CONSTRAINTS,
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    plain_number,
)
from skmdn._fitted import FittedState, restored_on_error
from skmdn._inputs import CheckedInputs
from skmdn._predictions import Predictions


class MDNRegressor(
    Predictions,
    CheckedInputs,
    FittedState,
    MultiOutputMixin,
    RegressorMixin,
    BaseEstimator,
):
    """Mixture density network: a regressor that predicts whole distributions.

    A multilayer perceptron maps every row of X to the parameters of a Gaussian mixture
    over y and is trained by maximum likelihood [1]_. What is predicted is a
    :class:`~skmdn.MixtureDistribution`, which answers any question about a row. X and y
    need no scaling: both are standardised inside, and all answers are in units of y.

    Parameters
    ----------
    n_components : int, default=5
        Mixture components K of each member.
    covariance_type : {"full", "diag", "spherical", "tied_spherical", \
            "fixed_spherical"}, default="diag"
        What the components of a row may look like:

        - "full": each has its own covariance matrix;
        - "diag": each has its own standard deviation for every output;
        - "spherical": each has one standard deviation, the same for all outputs;
        - "tied_spherical": all share one standard deviation, which depends on the row;
        - "fixed_spherical": all have the standard deviation `noise_std`.

        With one output the first three are the same. Spherical means so in units of y.
    noise_std : float, default=None
        Standard deviation of all components, in units of y. Required by
        ``covariance_type="fixed_spherical"`` and refused by the others.
    hidden_layer_sizes : int, sequence of int or "auto", default="auto"
        Units of each hidden layer. Below 2000 rows (those held out count too) "auto" is
        three of 32 for up to four features, else two of 64; from 2000 rows three of
        128, or four of 64 for members of an ensemble; from 8000 five of 96, or five of
        64 for members. Without any, ``()``, raw outputs are linear in X, but for heavy
        tails (see Notes).
    activation : {"relu", "silu", "gelu", "tanh"}, default="silu"
        Activation of the hidden layers.
    alpha : float, default=0.1
        Decoupled weight decay of the coefficients, times the learning rate at every
        step. It falls to zero over the first half of the first annealing (see Notes),
        but not for coefficients of raw standard deviations, nor in `partial_fit`.
        Intercepts do not decay.
    dropout : float, default=0.1
        Probability with which a hidden unit is left out of a training step. It falls to
        zero as `alpha` does; `partial_fit` keeps it constant.
    learning_rate_init : float, default=1e-2
        Peak of the learning rate of Adam, which warms up and then falls to zero along a
        cosine, twice (see Notes). `partial_fit` keeps it constant.
    batch_size : int or "auto", default="auto"
        Rows of a minibatch; "auto" is the power of two near n / 32, from 64 to 256, and
        half as much, from 64, for members of an ensemble. Rows held out do not count.
        Rows that do not fill the last minibatch of a pass of `fit` wait for the next
        pass, which has another order.
    max_iter : int or "auto", default="auto"
        Passes over the training rows, the last fifth of them in a second annealing if
        there are validation rows (see Notes). "auto" makes 1.7 steps a row, but 7500 to
        19 000, and at least 25 passes.
    early_stopping : bool, default=True
        Whether to hold out rows, stop once their log-likelihood no longer improves, and
        restore the weights that were best on them. Where fewer than two rows would be
        held out, none are.
    validation_fraction : float or "auto", default="auto"
        Share of the rows to hold out; "auto" is a tenth, but as much as makes 30 rows,
        up to a third. Members hold out different rows until all have been held out
        once: with a tenth, ten members.
    refit : bool or "auto", default="auto"
        Whether to train once more in the end, from the same start and on all rows,
        those that were held out too, by as many passes as these rows had found best
        (see Notes). "auto" does for a single network of fewer than 2000 rows. Where
        `X_val` is given no row of X was held out, and there is nothing to do.
    n_iter_no_change : int or "auto", default="auto"
        Passes without an improvement by `tol` on validation rows after which a member
        ends its annealing. Without such rows it makes all passes.
        The second annealing waits for half as many, but at least for 10, or for this
        number if it is smaller. "auto" is a tenth of `max_iter`, at least 10.
    tol : float, default=1e-4
        Improvement of the mean validation log-likelihood, in nats, that counts.
    n_estimators : int, default=1
        Members of the ensemble, trained side by side and pooled into one mixture of
        `n_estimators` times `n_components` components.
    n_init : int, default=1
        Restarts tried for each member. Kept is the one that validates best or, without
        validation rows, whose last pass had the least loss. A warm start continues the
        one that was kept and tries no other.
    min_std : float, default=1e-3
        Floor of the standard deviation of every component, as a fraction of that of y,
        or of what a line leaves of it (see Notes). Does not apply to "fixed_spherical".
    warm_start : bool, default=False
        Whether `fit` continues from the weights, and in the units, of the fit before.
        It holds out rows anew, some of which the fit before was trained on; to judge by
        the same rows pass `X_val` and `y_val`.
    device : str or torch.device, default="cpu"
        Where to train: "cpu", "cuda", "auto" for "cuda" if there is one, or whatever
        ``torch.device`` takes. On the CPU NumPy trains, elsewhere torch; NumPy always
        predicts.
    verbose : bool, default=False
        Whether to print a progress line with the losses, overwritten by every pass.
    random_state : int, RandomState instance or None, default=None
        An integer makes fits repeatable, on any number of threads.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_estimators, n_in, n_out)
        Coefficients of each layer.
    intercepts_ : list of ndarray of shape (n_estimators, n_out)
        Intercepts of each layer.
    least_raw_stds_ : ndarray of shape (n_estimators, K, D)
        Least raw standard deviation (see Notes) that each component had on rows of
        `fit`, below which none is predicted; K or D are 1 where components or outputs
        share them.
    x_mean_, x_std_ : ndarray of shape (n_features_in_,)
        Mean and standard deviation of the features, in which a line is measured and,
        unless there are heavy tails, the network sees X.
    x_tails_ : tuple of four ndarray of shape (n_features_in_,), or None
        If any feature has heavy tails (see Notes), the bounds ``lower`` and ``upper``
        beyond which the network sees its logarithm, infinite for others, and the
        ``mean`` and ``std`` of what it sees.
    y_mean_, y_std_ : ndarray of shape (n_outputs_,)
        Units in which the network sees y.
    y_slopes_ : ndarray of shape (n_features_in_, n_outputs_)
        Slopes of the line that is taken from y before the network learns it, in units
        of y for each standardised feature; zero unless there are few rows for each
        feature, an output is nearly a line, or nothing better was learned (see Notes).
    n_iter_ : int
        Passes over the training rows by the last `fit`, and one for each `partial_fit`
        since. The histories below are of the same passes.
    best_iteration_ : ndarray of shape (n_estimators,)
        The pass, a column of `loss_curve_` counted from 1, whose weights each member
        kept. 0 says that nothing was learned: no pass was better on validation rows,
        beyond chance, than one law for all rows around the line, if there is one, or
        ahead of one law around a line (see Notes), and such a law is predicted; or,
        after a warm start, what was there before. What is beyond chance members decide
        by the validation rows of all of them.
    refit_iterations_ : ndarray of shape (n_estimators,)
        Passes over all rows by which the weights that predict were learned; 0 where
        there was no `refit`. The histories do not have them.
    loss_curve_ : ndarray of shape (n_estimators, n_iter_)
        Mean negative log-likelihood of the training rows during each pass, in nats and
        units of y; NaN while a member has stopped.
    validation_scores_ : ndarray of shape (n_estimators, n_iter_)
        Mean log-likelihood of the validation rows after each pass, in nats and units of
        y; NaN while a member has stopped. A row counts as ten nats at the worst, in
        standardised units, lest one that was mistyped decide alone. No columns if there
        were no validation rows, or after `partial_fit`.
    n_features_in_ : int
        Features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if X had names that are all strings.
    n_outputs_ : int
        Columns of y.

    See Also
    --------
    MixtureDistribution : What is predicted.
    sklearn.neural_network.MLPRegressor : A network for the mean alone.

    Notes
    -----
    The network's output for a standard deviation, the raw standard deviation s, stands
    for `min_std` + log(1 + exp(s)), in units of `y_std_`.

    Up to 30 rows for each feature, and 2000 in all, y is measured from a ridge
    regression on X with the penalty of most evidence [3]_, and the network learns its
    residuals of rows left out. From more rows that goes for outputs of which such a
    line leaves less than a thousandth of the spread; and up to 2000 rows one law around
    a line is predicted where the network is not ahead of it on validation rows. There
    is no line under what `partial_fit` begins.

    What is judged, kept and returned is a running average of the weights, over at most
    the last twentieth of an annealing's steps and over ever fewer as the learning rate
    falls, which is steadier and better than the weights themselves [2]_.

    Where there are validation rows, the learning rate is annealed twice: after at most
    four fifths of the passes it rises and falls once more, from the weights that were
    best so far, without dropout, and with decay of the coefficients of raw standard
    deviations alone [5]_.

    A feature may have heavy tails: values more than ten standard deviations from the
    median, robust ones, by the quartiles. Beyond that distance it comes in as its
    logarithm, lest one value make all others one and the same. A line knows no
    logarithm, and where the quartiles are one value nothing is changed.

    Where a component has next to no weight, few rows or none have told how wide it is.
    There it is widened to 0.7 of the spread of y around the line, or as far as all
    components together add a quarter to the variance of their member's law, whichever
    is less. This does not concern standard deviations that components share, or those
    of several outputs in "full" matrices. And no component is narrower anywhere than on
    some row of `fit` (10 000 at most are asked) on which it has a weight of a hundredth
    or more: beyond these rows a standard deviation may go on falling, which no row has
    asked for.

    At the end the validation rows, if 30 or more, may widen the components of a
    single network, and from 500 on narrow them: the intercepts of the raw standard
    deviations are shifted by one number to where these rows score best, and a little
    further: n rows that had told a mean and a variance (these have picked the pass and
    told the width) would leave a new row to vary (n + 1) / (n - 3) times as much.

    A `refit` makes as many passes of either annealing as led to the weights that were
    kept. Nobody judges what comes of it: whether anything was learned, and the shift of
    widths, are taken over from the validation rows.

    An ensemble wants components of other widths than its members, for a mixture is
    wider than they are [4]_: its components are narrowed by what its members disagree
    about, or, where each holds out 500 rows, shifted as these rows say.

    Before anything else `fit` merges identical rows, adding their weights, and puts
    them into an order that only depends on their values. A row of weight 2 is therefore
    the same as the row given twice, and the order of rows does not matter. Rows of a
    table of counts, where X and y take few values, are not merged. Rows that share
    their x are held out together where every x is met twice on average, unless these
    are the levels of a factor: of at least 30 of them one feature has to tell half.

    References
    ----------
    .. [1] C. M. Bishop (1994). Mixture density networks. Technical report NCRG/94/004,
       Aston University.
    .. [2] B. T. Polyak, A. B. Juditsky (1992). Acceleration of stochastic approximation
       by averaging. SIAM Journal on Control and Optimization 30, 838-855.
    .. [3] D. J. C. MacKay (1992). Bayesian interpolation. Neural Computation 4,
       415-447.
    .. [4] T. Gneiting, R. Ranjan (2013). Combining predictive distributions. Electronic
       Journal of Statistics 7, 1747-1782.
    .. [5] I. Loshchilov, F. Hutter (2017). SGDR: stochastic gradient descent with warm
       restarts. International Conference on Learning Representations.

    Examples
    --------
    >>> import numpy as np
    >>> from skmdn import MDNRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-1, 1, (300, 1))
    >>> y = X[:, 0] + 0.1 * rng.normal(size=300)
    >>> model = MDNRegressor(n_components=2, random_state=0).fit(X, y)
    >>> model.predict([[0.5]]).round(1)
    array([0.5])
    >>> model.predict_distribution([[0.5]]).std().round(1)
    array([0.1])
    """

    _parameter_constraints: ClassVar[dict] = {
        **NETWORK_CONSTRAINTS,
        "hidden_layer_sizes": [*NETWORK_CONSTRAINTS["hidden_layer_sizes"], AUTO],
        "alpha": [NOT_NEGATIVE],
        "learning_rate_init": [POSITIVE],
        "batch_size": [COUNT, AUTO],
        "max_iter": [COUNT, AUTO],
        "early_stopping": ["boolean"],
        "validation_fraction": [SHARE, AUTO],
        "refit": ["boolean", AUTO],
        "n_iter_no_change": [COUNT, AUTO],
        "tol": [NOT_NEGATIVE],
        "n_estimators": [COUNT],
        "n_init": [COUNT],
        "warm_start": ["boolean"],
        "device": "no_validation",
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components=5,
        *,
        covariance_type="diag",
        noise_std=None,
        hidden_layer_sizes="auto",
        activation="silu",
        alpha=0.1,
        dropout=0.1,
        learning_rate_init=1e-2,
        batch_size="auto",
        max_iter="auto",
        early_stopping=True,
        validation_fraction="auto",
        refit="auto",
        n_iter_no_change="auto",
        tol=1e-4,
        n_estimators=1,
        n_init=1,
        min_std=1e-3,
        warm_start=False,
        device="cpu",
        verbose=False,
        random_state=None,
    ):
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.noise_std = noise_std
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.alpha = alpha
        self.dropout = dropout
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.refit = refit
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.n_estimators = n_estimators
        self.n_init = n_init
        self.min_std = min_std
        self.warm_start = warm_start
        self.device = device
        self.verbose = verbose
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
    ):
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Features.
        y : array-like of shape (n,) or (n, n_outputs)
            Targets.
        sample_weight : array-like of shape (n,), default=None
            Non-negative weights; a weight of 2 counts as the row given twice.
        X_val : array-like of shape (n_val, n_features), default=None
            Features of rows to stop early by, instead of rows held out of X. They also
            decide how wide components are and whether anything was learned, so they
            are no rows to test by. Give them as the last step of a Pipeline is to see
            them, unless its `transform_input` names them, and `y_val` as transformed as
            a TransformedTargetRegressor has it.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Their targets.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : MDNRegressor

        Raises
        ------
        TypeError
            If X is sparse.
        ValueError
            If data or parameters are not what they must be; the estimator is then as
            it was before.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skmdn import MDNRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = MDNRegressor(max_iter=20, random_state=0)
        >>> model.fit(X[:342], y[:342], X_val=X[342:], y_val=y[342:])
        MDNRegressor(max_iter=20, random_state=0)
        >>> model.predict(X[:3]).shape
        (3,)
        """
        with restored_on_error(self):
            previous = self._stored_fit() if self.warm_start else None
            samples = self._samples(X, y, sample_weight, reset=previous is None)
            held_out = self._held_out(X_val, y_val, sample_weight_val)
            settings = self._settings()
            self._store(_fitting.fit_network(settings, samples, held_out, previous))
        return self

    def _settings(self):
        """The parameters, numbers as Python's: NumPy's narrow integers overflow."""
        parameters = self.get_params(deep=False)
        return SimpleNamespace(**{k: plain_number(v) for k, v in parameters.items()})

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """Pass over all rows of one chunk of data once.

        The first chunk fixes the units of X and y, so it should be like the others.
        There is no early stopping, and the learning rate stays at
        `learning_rate_init`. Weights count beside those of the same chunk, and no
        restarts are tried. After `fit`, training goes on from where it ended; the
        shift of widths that `fit` found for the pool of an ensemble stays as it was.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Features.
        y : array-like of shape (n,) or (n, n_outputs)
            Targets.
        sample_weight : array-like of shape (n,), default=None
            Non-negative weights.

        Returns
        -------
        self : MDNRegressor

        Raises
        ------
        TypeError
            If X is sparse.
        ValueError
            If a parameter or the data are not as said, or the network that is fitted
            already is not the one that the parameters ask for. What was fitted stays.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skmdn import MDNRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = MDNRegressor(random_state=0)
        >>> for start in range(0, 400, 100):
        ...     rows = slice(start, start + 100)
        ...     model = model.partial_fit(X[rows], y[rows])
        >>> model.n_iter_, model.predict(X[:3]).shape
        (4, (3,))
        """
        with restored_on_error(self):
            previous = self._stored_fit()
            samples = self._samples(X, y, sample_weight, reset=previous is None)
            self._store(_fitting.fit_chunk(self._settings(), samples, previous))
        return self
