"""What a law is asked about values of y: quantiles, modes, regions, scores, risk.

In closed form or by root-finding to the last digits; no answer needs a sample.
"""

import numpy as np

from skmdn import _mean_shift, _univariate
from skmdn._checks import check_levels
from skmdn._highest_density import highest_density_region
from skmdn._modes import mode, modes
from skmdn._quantile import equal_tailed_interval, expected_shortfall, ppf


class MarginalQuestions:
    """The part of `MixtureDistribution` that looks at marginals, and finds modes."""

    __slots__ = ()

    def cdf(self, y):
        """Probability that an output is at most `y`, of each output's marginal.

        Parameters
        ----------
        y : array-like of shape (n,) or (n, D)
            Values in units of y, possibly infinite.

        Returns
        -------
        cdf : ndarray of shape (n,) or (n, D)
            Between 0 and 1.

        Raises
        ------
        ValueError
            If `y` is of another shape or has NaN.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> law = MixtureDistribution([[1.0]], [[[0.0, 5.0]]], [[[1.0, 4.0]]])
        >>> law.cdf([[0.0, 7.0]]).round(4)
        array([[0.5   , 0.8413]])
        """
        return self._of_each_marginal(_univariate.cdf, self._observations(y))

    def sf(self, y):
        """Probability that an output is above `y`, of each output's marginal.

        Parameters
        ----------
        y : array-like of shape (n,) or (n, D)
            Values in units of y, possibly infinite.

        Returns
        -------
        sf : ndarray of shape (n,) or (n, D)
            Between 0 and 1: 1 - `cdf`, to the last digits where that is small.

        Raises
        ------
        ValueError
            If `y` is of another shape or has NaN.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> law = MixtureDistribution([[1.0]], [[0.0]], [[1.0]])
        >>> law.sf([1.0]).round(4)
        array([0.1587])
        >>> f"{law.sf([10.0])[0]:.3g}", f"{1 - law.cdf([10.0])[0]:.3g}"
        ('7.62e-24', '0')
        """
        return self._of_each_marginal(_univariate.sf, self._observations(y))

    def logcdf(self, y):
        """Logarithm of `cdf`, also where that is below the least number.

        Parameters
        ----------
        y : array-like of shape (n,) or (n, D)
            Values in units of y, possibly infinite.

        Returns
        -------
        logcdf : ndarray of shape (n,) or (n, D)
            In nats, of each output's marginal.

        Raises
        ------
        ValueError
            If `y` is of another shape or has NaN.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> law = MixtureDistribution([[1.0]], [[0.0]], [[1.0]])
        >>> law.cdf([-40.0]), law.logcdf([-40.0]).round(1)
        (array([0.]), array([-804.6]))
        """
        return self._of_each_marginal(_univariate.logcdf, self._observations(y))

    def logsf(self, y):
        """Logarithm of `sf`, also where that is below the least number.

        Parameters
        ----------
        y : array-like of shape (n,) or (n, D)
            Values in units of y, possibly infinite.

        Returns
        -------
        logsf : ndarray of shape (n,) or (n, D)
            In nats, of each output's marginal.

        Raises
        ------
        ValueError
            If `y` is of another shape or has NaN.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> law = MixtureDistribution([[0.5, 0.5]], [[-3.0, 3.0]], [[1.0, 1.0]])
        >>> law.logsf([0.0]).round(4)
        array([-0.6931])
        >>> law.sf([50.0]), law.logsf([50.0]).round(0)
        (array([0.]), array([-1110.]))
        """
        return self._of_each_marginal(_univariate.logsf, self._observations(y))

    def ppf(self, q):
        """Quantiles of each output's marginal, the inverse of `cdf`.

        Parameters
        ----------
        q : float or array-like of shape (Q,)
            Levels between 0 and 1.

        Returns
        -------
        ppf : ndarray of shape (n,) or (n, D), (n, Q) or (n, Q, D)
            In units of y; the axis of levels is there if `q` has one. Accurate to the
            last digits in both tails, infinite at levels 0 and 1.

        Raises
        ------
        ValueError
            If a level is not between 0 and 1.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> law = MixtureDistribution([[1.0], [1.0]], [[5.0], [10.0]], [[1.0], [4.0]])
        >>> law.ppf(0.5)
        array([ 5., 10.])
        >>> law.ppf([0.025, 0.975, 1.0]).round(2)
        array([[ 3.04,  6.96,   inf],
               [ 6.08, 13.92,   inf]])
        """
        q = check_levels("q", q)
        levels = np.broadcast_to(q.ravel(), (len(self), q.size))
        quantiles = self._of_each_marginal(ppf, levels[..., None])
        return quantiles if q.ndim else quantiles[:, 0]

    def median(self):
        """Median of each output's marginal.

        Returns
        -------
        median : ndarray of shape (n,) or (n, D)
            In units of y.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> law = MixtureDistribution([[0.9, 0.1]], [[0.0, 100.0]], [[1.0, 1.0]])
        >>> law.median().round(2), law.mean().round(2)
        (array([0.14]), array([10.]))
        """
        return self.ppf(0.5)

    def interval(self, coverage=0.9):
        """Equal-tailed interval of each output's marginal.

        Parameters
        ----------
        coverage : float, default=0.9
            Probability of the interval, between 0 and 1.

        Returns
        -------
        interval : ndarray of shape (n, 2) or (n, 2, D)
            Lower and upper end, in units of y.

        Raises
        ------
        ValueError
            If `coverage` is not a number between 0 and 1.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> law = MixtureDistribution([[0.5, 0.5]], [[-3.0, 3.0]], [[0.25, 0.25]])
        >>> lower, upper = law.interval(0.9)[0]
        >>> law.cdf([lower]).round(2), law.cdf([upper]).round(2)
        (array([0.05]), array([0.95]))
        >>> law.interval(0.9).round(2)
        array([[-3.64,  3.64]])
        """
        coverage = check_levels("coverage", coverage, scalar=True)
        coverages = np.full((len(self), 1), coverage)
        return self._of_each_marginal(equal_tailed_interval, coverages)

    def mode(self):
        """Highest mode of the joint density of all outputs.

        Returns
        -------
        mode : ndarray of shape (n,) or (n, D)
            In units of y. With one output it is the global maximum, by proof; with
            several, the highest that is climbed to from the means and the densest
            crossings of the components' ridges.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> means = [[[0.0, 0.0], [8.0, 1.0]]]
        >>> law = MixtureDistribution([[0.3, 0.7]], means, [[[1.0, 1.0], [1.0, 1.0]]])
        >>> law.mode().round(2), law.mean().round(2)
        (array([[8., 1.]]), array([[5.6, 0.7]]))
        """
        if self.n_outputs == 1:
            return mode(*self._univariate_parameters(0))
        return _mean_shift.mode(*self._parameters)

    def modes(self):
        """Modes of the joint density of all outputs.

        With one output these are all modes, none missed but ripples of a millionth on a
        plateau of many components: intervals between the smallest and the largest mean
        are halved until bounds on the derivatives show where the density rises and
        where it falls. With several outputs they are climbed to from the means and from
        the crossings of the components' ridges, of all K (K - 1) / 2 pairs: that takes
        a tenth of a second or more a row for the 40 components of an ensemble, of which
        `mode` asks the densest alone.

        Returns
        -------
        modes : list of n ndarrays of shape (m,) or (m, D)
            Of each row, highest density first, in units of y.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> law = MixtureDistribution([[0.4, 0.6]], [[-3.0, 3.0]], [[1.0, 0.25]])
        >>> law.modes()[0].round(2)
        array([ 3., -3.])
        """
        if self.n_outputs == 1:
            return modes(*self._univariate_parameters(0))
        return _mean_shift.modes(*self._parameters)

    def highest_density_region(self, coverage=0.9):
        """Shortest set of a given probability, a union of intervals.

        It holds the values whose density is above a level. Where the density is flat to
        rounding, on a plateau or just around a mode, any part of that will do. One
        output only.

        Parameters
        ----------
        coverage : float, default=0.9
            Probability of the region, above 0 and at most 1.

        Returns
        -------
        regions : list of n ndarrays of shape (m, 2)
            Lower and upper ends of each row's intervals, from left to right.

        Raises
        ------
        ValueError
            If the law has several outputs, or `coverage` is not above 0 and at most 1.

        References
        ----------
        R. J. Hyndman (1996). Computing and graphing highest density regions. The
        American Statistician 50, 120-126.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> law = MixtureDistribution([[0.4, 0.6]], [[-3.0, 3.0]], [[1.0, 0.25]])
        >>> law.highest_density_region(0.8)[0].round(2)
        array([[-3.89, -2.11],
               [ 2.14,  3.86]])
        """
        if self.n_outputs > 1:
            raise ValueError(
                f"highest_density_region is for one output, this law has "
                f"{self.n_outputs}. Take the marginal of one: law.marginal(0)."
            )
        coverage = check_levels("coverage", coverage, scalar=True)
        if coverage == 0:
            raise ValueError(
                "coverage must be above 0: a region of probability 0 is not unique. "
                "For the point it shrinks to, ask mode()."
            )
        parameters = self._univariate_parameters(0)
        return highest_density_region(np.full(len(self), coverage), *parameters)

    def crps(self, y):
        """Continuous ranked probability score of each output's marginal.

        Parameters
        ----------
        y : array-like of shape (n,) or (n, D)
            Observations in units of y.

        Returns
        -------
        crps : ndarray of shape (n,) or (n, D)
            In units of y; lower is better.

        Raises
        ------
        ValueError
            If `y` is of another shape or has NaN.

        References
        ----------
        E. P. Grimit, T. Gneiting, V. J. Berrocal, N. A. Johnson (2006). The continuous
        ranked probability score for circular variables and its application to mesoscale
        forecast ensemble verification. QJRMS 132, 2925-2942.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> law = MixtureDistribution([[1.0], [1.0]], [[2.0], [2.0]], [[1e-6], [4.0]])
        >>> law.crps([5.0, 5.0]).round(2)
        array([3.  , 1.99])
        """
        return self._of_each_marginal(_univariate.crps, self._observations(y))

    def skewness(self):
        """Skewness of each output's marginal, its third standardised moment.

        Returns
        -------
        skewness : ndarray of shape (n,) or (n, D)
            0 for a symmetric law.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> weights, means = [[0.8, 0.2]] * 2, [[0.0, 5.0], [0.0, -5.0]]
        >>> law = MixtureDistribution(weights, means, [[5.0, 5.0]] * 2)
        >>> law.skewness().round(2)
        array([ 0.44, -0.44])
        """
        return self._of_each_marginal(_univariate.skewness)

    def kurtosis(self):
        """Excess kurtosis of each output's marginal.

        Returns
        -------
        kurtosis : ndarray of shape (n,) or (n, D)
            The fourth standardised moment less 3, so 0 for a Gaussian.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> means, variances = [[0.0, 0.0], [-1.0, 1.0]], [[1.0, 9.0], [1e-6, 1e-6]]
        >>> law = MixtureDistribution([[0.5, 0.5]] * 2, means, variances)
        >>> law.kurtosis().round(2)
        array([ 1.92, -2.  ])
        """
        return self._of_each_marginal(_univariate.kurtosis)

    def value_at_risk(self, level=0.05):
        """Quantile at `level` of each output's marginal.

        Parameters
        ----------
        level : float, default=0.05
            Probability of an outcome as low as that or lower.

        Returns
        -------
        value_at_risk : ndarray of shape (n,) or (n, D)
            In units of y.

        Raises
        ------
        ValueError
            If `level` is not a number between 0 and 1.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> law = MixtureDistribution([[0.1, 0.9]], [[-20.0, 5.0]], [[1.0, 1.0]])
        >>> law.value_at_risk(0.05).round(2)
        array([-20.])
        """
        return self.ppf(check_levels("level", level, scalar=True))

    def expected_shortfall(self, level=0.05):
        """Mean of what lies at or below the quantile, E[Y | Y <= ppf(level)].

        Parameters
        ----------
        level : float, default=0.05
            Probability of the lower tail.

        Returns
        -------
        expected_shortfall : ndarray of shape (n,) or (n, D)
            Of each output's marginal, in units of y.

        Raises
        ------
        ValueError
            If `level` is not a number between 0 and 1.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> law = MixtureDistribution([[0.1, 0.9]], [[-20.0, 5.0]], [[1.0, 1.0]])
        >>> law.value_at_risk(0.05).round(2), law.expected_shortfall(0.05).round(2)
        (array([-20.]), array([-20.8]))
        >>> law.expected_shortfall(1.0).round(2), law.mean().round(2)
        (array([2.5]), array([2.5]))
        """
        level = check_levels("level", level, scalar=True)
        levels = np.full((len(self), 1), level)
        return self._of_each_marginal(expected_shortfall, levels)

    def _of_each_marginal(self, function, values=None):
        """Answers of a function of one output, the axis of outputs last or left out.

        ``values`` (n, ..., D) are its first argument, or (n, ..., 1) for every output.
        """
        if values is not None:
            values = np.broadcast_to(values, (*values.shape[:-1], self.n_outputs))
        answers = []
        for d in range(self.n_outputs):
            arguments = self._univariate_parameters(d)
            if values is not None:
                arguments = (values[..., d], *arguments)
            answers.append(function(*arguments))
        return self._per_output(np.stack(answers, axis=-1))
