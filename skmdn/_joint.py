"""What a law is asked as a whole: moments, joint density, draws, entropy."""

import numpy as np
from sklearn.utils import check_random_state

from skmdn import _energy, _gaussian, _quadrature
from skmdn._checks import is_integer


class JointQuestions:
    """The part of `MixtureDistribution` that looks at all outputs together."""

    __slots__ = ()

    def mean(self):
        """Mean of each law.

        Returns
        -------
        mean : ndarray of shape (n,) or (n, D)
            In units of y; (n,) for a single output.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> means = [[[0.0, 0.0], [4.0, 8.0]]]
        >>> law = MixtureDistribution([[0.25, 0.75]], means, [[[1.0, 1.0], [1.0, 1.0]]])
        >>> law.mean().round(2)
        array([[3., 6.]])
        """
        return self._per_output(_gaussian.mean(self.weights, self.means))

    def var(self):
        """Variance of each output of each law.

        Returns
        -------
        var : ndarray of shape (n,) or (n, D)
            In squared units of y.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> law = MixtureDistribution([[0.5, 0.5]], [[-1.0, 1.0]], [[1.0, 1.0]])
        >>> law.var().round(2)
        array([2.])
        """
        variances = _gaussian.variances(self._factors)
        return self._per_output(_gaussian.variance(self.weights, self.means, variances))

    def std(self):
        """Standard deviation of each output of each law.

        Returns
        -------
        std : ndarray of shape (n,) or (n, D)
            In units of y.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> law = MixtureDistribution([[0.5, 0.5]], [[-3.0, 3.0]], [[16.0, 16.0]])
        >>> law.std().round(2)
        array([5.])
        """
        return np.sqrt(self.var())

    def cov(self):
        """Covariance matrix of the outputs of each law.

        Returns
        -------
        cov : ndarray of shape (n, D, D)
            In squared units of y.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> means = [[[-1.0, -1.0], [1.0, 1.0]]]
        >>> law = MixtureDistribution([[0.5, 0.5]], means, [[[1.0, 1.0], [1.0, 1.0]]])
        >>> law.cov().round(2)
        array([[[2., 1.],
                [1., 2.]]])
        """
        return _gaussian.covariance(self.weights, self.means, self.covariances)

    def pdf(self, y):
        """Joint density of all outputs at `y`, one observation for each law.

        Parameters
        ----------
        y : array-like of shape (n,) or (n, D)
            Observations in units of y.

        Returns
        -------
        pdf : ndarray of shape (n,)
            In units of 1 / y for each output.

        Raises
        ------
        ValueError
            If `y` is of another shape or has NaN.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> law = MixtureDistribution([[1.0]], [[[0.0, 5.0]]], [[[1.0, 1.0]]])
        >>> law.pdf([[0.0, 5.0]]).round(4)
        array([0.1592])
        """
        return np.exp(self.logpdf(y))

    def logpdf(self, y):
        """Logarithm of the joint density of all outputs at `y`.

        Parameters
        ----------
        y : array-like of shape (n,) or (n, D)
            Observations in units of y.

        Returns
        -------
        logpdf : ndarray of shape (n,)
            In nats.

        Raises
        ------
        ValueError
            If `y` is of another shape or has NaN.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> law = MixtureDistribution([[1.0]], [[0.0]], [[1.0]])
        >>> law.pdf([40.0]), law.logpdf([40.0]).round(2)
        (array([0.]), array([-800.92]))
        """
        return _gaussian.logpdf(self._observations(y), *self._parameters)

    def responsibilities(self, y):
        """Probability that each component is the one that `y` came from.

        Parameters
        ----------
        y : array-like of shape (n,) or (n, D)
            Finite observations in units of y.

        Returns
        -------
        responsibilities : ndarray of shape (n, K)
            Each row sums to 1.

        Raises
        ------
        ValueError
            If `y` is of another shape, has NaN or is infinite.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> weights, means = [[0.5, 0.5]] * 2, [[-1.0, 1.0]] * 2
        >>> law = MixtureDistribution(weights, means, [[1.0, 1.0]] * 2)
        >>> law.responsibilities([0.0, 1.0]).round(2)
        array([[0.5 , 0.5 ],
               [0.12, 0.88]])
        """
        y = self._observations(y, finite=True)
        return np.exp(_gaussian.log_responsibilities(y, *self._parameters))

    def sample(self, n_samples=1, random_state=None):
        """Draw from each law.

        Parameters
        ----------
        n_samples : int, default=1
            Draws S for each law.
        random_state : int, RandomState instance or None, default=None
            An integer gives the same draws at every call.

        Returns
        -------
        samples : ndarray of shape (n, S) or (n, S, D)
            In units of y; the first axis is the row.

        Raises
        ------
        ValueError
            If `n_samples` is not an integer of at least 1, or `random_state` seeds
            nothing.

        Examples
        --------
        >>> import numpy as np
        >>> from skmdn import MixtureDistribution
        >>> law = MixtureDistribution([[0.5, 0.5]], [[-2.0, 2.0]], [[1e-4, 1e-4]])
        >>> samples = law.sample(100, random_state=0)
        >>> samples.shape
        (1, 100)
        >>> np.unique(samples.round())
        array([-2.,  2.])
        """
        if not is_integer(n_samples) or n_samples < 1:
            raise ValueError(
                f"n_samples must be an integer of at least 1, got {n_samples!r}."
            )
        rng = check_random_state(random_state)
        drawn = _gaussian.sample(int(n_samples), rng, *self._parameters)
        return self._per_output(drawn)

    def entropy(self):
        """Differential entropy of each law, E[-log p(Y)].

        By quadrature for one output, to ten digits; by a fixed quasi-random rule for
        several, to a few thousandths of a nat where components overlap. Always the same
        for a row, whatever rows are beside it. What it costs grows as K²: with several
        outputs and 40 components, those of an ensemble, 0.06 seconds a row.

        Returns
        -------
        entropy : ndarray of shape (n,)
            In nats.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> law = MixtureDistribution([[0.5, 0.5]] * 2, [[0, 0], [0, 99]], [[1, 1]] * 2)
        >>> one_peak, two_peaks = law.entropy()
        >>> f"{one_peak:.4f}", f"{two_peaks - one_peak:.4f}"
        ('1.4189', '0.6931')
        """
        if self.n_outputs == 1:
            return _quadrature.entropy(*self._univariate_parameters(0))
        return _gaussian.entropy(*self._parameters)

    def energy_score(self, y):
        """Energy score of the joint law of all outputs.

        It meets every pair of components, for several outputs at 300 points: a row
        takes 0.03 seconds with 40 components, a tenth of a millisecond with two.

        Parameters
        ----------
        y : array-like of shape (n,) or (n, D)
            Observations in units of y.

        Returns
        -------
        energy_score : ndarray of shape (n,)
            In units of y; lower is better. With one output it is the CRPS. Outputs of
            different units should be brought to one before they are fitted.

        Raises
        ------
        ValueError
            If `y` is of another shape or has NaN.

        References
        ----------
        T. Gneiting, A. E. Raftery (2007). Strictly proper scoring rules, prediction,
        and estimation. JASA 102, 359-378.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> law = MixtureDistribution([[1.0]], [[[0.0, 0.0]]], [[[1e-6, 1e-6]]])
        >>> law.energy_score([[3.0, 4.0]]).round(2)
        array([5.])
        """
        if self.n_outputs == 1:
            return self.crps(y)
        diagonal = _gaussian.is_diagonal(self._factors)
        spread = self._factors**-2.0 if diagonal else self.covariances
        y = self._observations(y)
        return _energy.energy_score(y, self.weights, self.means, spread)
