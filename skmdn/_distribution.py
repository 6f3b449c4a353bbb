"""The law: n Gaussian mixtures, NumPy in and NumPy out, in the units of y."""

import numpy as np

from skmdn import _gaussian
from skmdn._checks import (
    check_mixture,
    check_observations,
    checked_factors,
    real_numbers,
)
from skmdn._ensemble import EnsembleQuestions
from skmdn._joint import JointQuestions
from skmdn._law_text import in_words
from skmdn._questions import MarginalQuestions

NO_ARRAY = (
    "A MixtureDistribution is no array. Ask it for one: law.mean(), law.median(), "
    "law.sample(n_samples)."
)


class MixtureDistribution(JointQuestions, MarginalQuestions, EnsembleQuestions):
    r"""A batch of n Gaussian mixtures, one predicted law per row.

    The density of row i at y is

    .. math:: p_i(y) = \sum_{k=1}^K \pi_{ik} \, N(y \mid \mu_{ik}, \Sigma_{ik}).

    Whatever can be asked of a prediction is a method of this object and is vectorised
    over the rows. Plural attributes are per component (`means`), singular methods are
    of the whole law (`mean()`). The object is frozen: its arrays are read-only.

    Parameters
    ----------
    weights : array-like of shape (n, K)
        Probabilities :math:`\pi` of the components; non-negative, each row sums to 1.
    means : array-like of shape (n, K) or (n, K, D)
        Means of the components, (n, K) for a single output.
    covariances : array-like
        Variances or covariance matrices of the components:

        ===================  ==============================================
        shape of `means`     shape of `covariances`
        ===================  ==============================================
        (n, K)               (n, K), variances
        (n, K, D)            (n, K, D), variances of independent outputs
        (n, K, D)            (n, K, D, D), symmetric positive definite
        ===================  ==============================================

    Attributes
    ----------
    weights : ndarray of shape (n, K)
    log_weights : ndarray of shape (n, K)
    means : ndarray of shape (n, K, D)
    covariances : ndarray of shape (n, K, D, D)
    n_components : int
        K, the components of each row's mixture.
    n_outputs : int
        D, the outputs that each row's law is over.

    Raises
    ------
    ValueError
        If the shapes do not fit together, a value is not finite, the weights of a row
        are negative or do not sum to 1, or a covariance is not symmetric and positive
        definite.

    Examples
    --------
    >>> from skmdn import MixtureDistribution
    >>> law = MixtureDistribution([[0.5, 0.5]], [[-1.0, 3.0]], [[1.0, 4.0]])
    >>> law
    MixtureDistribution(n=1, n_components=2, n_outputs=1)
      [0] 0.5 N(-1, 1²) + 0.5 N(3, 2²)
    >>> law.mean(), law.var()
    (array([1.]), array([6.5]))
    >>> law.logpdf([0.0]).round(4)
    array([-1.8749])
    """

    __slots__ = ("_factors", "_log_weights", "_means", "_n_members")

    def __init__(self, weights, means, covariances):
        weights, means, covariances = (
            real_numbers(name, values)
            for name, values in [
                ("weights", weights),
                ("means", means),
                ("covariances", covariances),
            ]
        )
        if means.ndim == 2:
            means = means[..., None]
            covariances = covariances[..., None]
        check_mixture(weights, means, covariances)
        with np.errstate(divide="ignore"):
            log_weights = np.log(weights / weights.sum(axis=-1, keepdims=True))
        self._freeze(log_weights, means, checked_factors(covariances))

    @classmethod
    def _from_factors(cls, log_weights, means, factors, n_members=1):
        """Law of parameters as they leave the network, not checked again."""
        law = cls.__new__(cls)
        law._freeze(log_weights, means, factors, n_members)
        return law

    def _freeze(self, log_weights, means, factors, n_members=1):
        factors = _gaussian.compact(factors)
        arrays = {"_log_weights": log_weights, "_means": means, "_factors": factors}
        for name, values in arrays.items():
            values = np.ascontiguousarray(values)  # or sums would depend on n
            object.__setattr__(self, name, _read_only(values.view()))
        object.__setattr__(self, "_n_members", n_members)

    def __setattr__(self, name, value):
        raise AttributeError(
            f"Cannot set {name!r}: a MixtureDistribution is frozen. Build a new one "
            "from weights, means and covariances."
        )

    def __delattr__(self, name):
        raise AttributeError(
            f"Cannot delete {name!r}: a MixtureDistribution is frozen."
        )

    def __reduce__(self):
        return self._from_factors, (*self._parameters, self._n_members)

    @property
    def _parameters(self):
        return self._log_weights, self._means, self._factors

    @property
    def weights(self):
        return _read_only(np.exp(self._log_weights))

    @property
    def log_weights(self):
        return self._log_weights

    @property
    def means(self):
        return self._means

    @property
    def covariances(self):
        return _read_only(_gaussian.covariances(self._factors))

    @property
    def n_components(self):
        return self._means.shape[1]

    @property
    def n_outputs(self):
        return self._means.shape[2]

    def __len__(self):
        return len(self._means)

    def __getitem__(self, rows):
        """Law of the rows chosen by an integer, a slice, a mask or indices.

        The axis of rows stays: ``law[0]`` is a law of one row.
        """
        if not isinstance(rows, slice):
            rows = self._row_indices(rows)
        chosen = (values[rows] for values in self._parameters)
        return self._from_factors(*chosen, n_members=self._n_members)

    def __iter__(self):
        return (self[row] for row in range(len(self)))

    __array_ufunc__ = None  # y - law is a TypeError

    def __array__(self, dtype=None, copy=None):
        raise TypeError(NO_ARRAY)

    def __array_function__(self, func, types, args, kwargs):
        """Join laws, those of folds for instance, by np.concatenate, and no more."""
        if func is np.concatenate:
            return _concatenated(*args, **kwargs)
        raise TypeError(NO_ARRAY)

    def __repr__(self):
        return in_words(self)

    def marginal(self, outputs):
        """Law of some of the outputs, whatever the others may be.

        Parameters
        ----------
        outputs : int or sequence of int
            Outputs to keep, in the order in which the answer shall have them.

        Returns
        -------
        law : MixtureDistribution
            With the same weights and as many outputs as were asked for.

        Raises
        ------
        ValueError
            If `outputs` names an output that is not there, or one twice.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> law = MixtureDistribution([[1.0]], [[[1.0, 2.0, 3.0]]], [[[4.0, 9.0, 1.0]]])
        >>> pair = law.marginal([2, 0])
        >>> pair.mean(), pair.std()
        (array([[3., 1.]]), array([[1., 2.]]))
        """
        outputs = self._output_indices("outputs", outputs)
        means, factors = _gaussian.marginal(outputs, self.means, self._factors)
        return self._from_factors(self._log_weights, means, factors, self._n_members)

    def conditional(self, given, y):
        """Law of the other outputs once some of them are known.

        Every component is conditioned by itself, and its weight becomes its
        responsibility for the known values.

        Parameters
        ----------
        given : int or sequence of int
            Outputs that are known.
        y : array-like of shape (n,) or (n, G)
            Their finite values for each row, in units of y and in the order of `given`.

        Returns
        -------
        law : MixtureDistribution
            Over the remaining outputs, in their order.

        Raises
        ------
        ValueError
            If `given` names all outputs, one twice or one that is not there, or if `y`
            is of another shape, has NaN or is infinite.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> covariance = [[1.0, 0.8], [0.8, 1.0]]
        >>> law = MixtureDistribution([[1.0]], [[[0.0, 0.0]]], [[covariance]])
        >>> known = law.conditional(0, [2.0])
        >>> known.mean(), known.std().round(2)
        (array([1.6]), array([0.6]))
        """
        given = self._output_indices("given", given)
        if len(given) == self.n_outputs:
            raise ValueError(
                f"given={given} names all {self.n_outputs} outputs, so none is left to "
                "have a law. Leave at least one out."
            )
        y = check_observations(y, (len(self), len(given)), finite=True)
        parameters = _gaussian.conditional(given, y, *self._parameters)
        return self._from_factors(*parameters, n_members=self._n_members)

    def _univariate_parameters(self, output):
        """Log-weights, means and standard deviations (n, K) of one output."""
        means, stds = _gaussian.univariate(output, self._means, self._factors)
        return self._log_weights, means, stds

    def _per_output(self, values):
        """Drop the axis of outputs, the last one, where there is a single output."""
        return values[..., 0] if self.n_outputs == 1 else values

    def _observations(self, y, finite=False):
        return check_observations(y, (len(self), self.n_outputs), finite)

    def _row_indices(self, rows):
        """Indices or a mask of rows, one axis of them, from whatever names them."""
        indices = np.asarray(rows)
        if indices.shape == (0,):
            return indices.astype(np.intp)
        if indices.ndim == 0 and indices.dtype.kind in "iu":
            return indices.reshape(1)
        one_axis = indices.ndim == 1 and not isinstance(rows, tuple)
        if not one_axis or indices.dtype.kind not in "iub":
            raise IndexError(
                "Rows of a law are chosen by an integer, a slice, a mask of shape "
                f"({len(self)},) or a list of integers, got {rows!r}."
            )
        return indices

    def _output_indices(self, name, outputs):
        indices = np.atleast_1d(np.asarray(outputs))
        valid = range(-self.n_outputs, self.n_outputs)
        whole = indices.ndim == 1 and indices.dtype.kind in "iu" and indices.size
        if not whole or any(d not in valid for d in indices):
            raise ValueError(
                f"{name} must name one or more of the {self.n_outputs} outputs by "
                f"integers from 0 to {self.n_outputs - 1}, got {outputs!r}."
            )
        indices = [int(d) % self.n_outputs for d in indices]
        if len(set(indices)) < len(indices):
            raise ValueError(f"{name} names an output twice: {outputs!r}.")
        return indices


def _read_only(values):
    values.flags.writeable = False
    return values


def _concatenated(laws, axis=0, **others):
    """One law of the rows of several, one after the other."""
    laws = list(laws)
    alike = laws and all(isinstance(law, MixtureDistribution) for law in laws)
    if axis != 0 or others or not alike:
        raise TypeError(
            "np.concatenate joins a list of laws, no others and along their rows, axis "
            "0. Of other objects ask for arrays first: law.mean(), law.ppf(q)."
        )
    kinds = {(law.n_components, law.n_outputs, law._n_members) for law in laws}
    if len(kinds) > 1:
        raise ValueError(
            "Laws that are joined must have as many components, outputs and members "
            f"of an ensemble, got {sorted(kinds)}. Ask each for what you need, and "
            "join the answers."
        )
    parameters = _gaussian.concatenate([law._parameters for law in laws])
    return laws[0]._from_factors(*parameters, n_members=laws[0]._n_members)
