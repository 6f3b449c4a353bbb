"""What the members of an ensemble agree on, noise, and what they do not, ignorance."""

import numpy as np
from scipy.special import logsumexp


class EnsembleQuestions:
    """The part of `MixtureDistribution` that tells its members apart.

    A member's weight is that of its components together: 1 / M, until the law is
    conditioned on some outputs, which some members may have foreseen better.
    """

    __slots__ = ()

    def aleatoric_var(self):
        """Variance that the members of an ensemble agree on: the noise in y.

        Returns
        -------
        aleatoric_var : ndarray of shape (n,) or (n, D)
            Mean of the members' variances. With `epistemic_var` it adds up to `var`.

        Examples
        --------
        >>> import numpy as np
        >>> from skmdn import MDNRegressor
        >>> X = np.linspace(-1, 1, 200)[:, None]
        >>> model = MDNRegressor(n_estimators=3, max_iter=20, random_state=0)
        >>> law = model.fit(X, np.sin(4 * X[:, 0])).predict_distribution(X[:2])
        >>> np.allclose(law.aleatoric_var() + law.epistemic_var(), law.var())
        True
        """
        share, members = self._members()
        return np.einsum("nm,nm...->n...", share, self._by_member(members.var()))

    def epistemic_var(self):
        """Variance between the members of an ensemble: what the model does not know.

        Returns
        -------
        epistemic_var : ndarray of shape (n,) or (n, D)
            Variance of the members' means, 0 for a single member.

        Examples
        --------
        >>> import numpy as np
        >>> from skmdn import MDNRegressor
        >>> X = np.linspace(-1, 1, 200)[:, None]
        >>> model = MDNRegressor(n_estimators=3, max_iter=20, random_state=0)
        >>> law = model.fit(X, np.sin(4 * X[:, 0])).predict_distribution([[0.0], [3.0]])
        >>> inside, outside = law.epistemic_var()
        >>> bool(inside < outside)
        True
        """
        share, members = self._members()
        means = self._by_member(members.mean())
        means = means - means[:, :1]  # so that means far from zero lose no digits
        centre = np.einsum("nm,nm...->n...", share, means)
        return np.einsum("nm,nm...->n...", share, (means - centre[:, None]) ** 2)

    def aleatoric_entropy(self):
        """Entropy that the members of an ensemble agree on.

        Returns
        -------
        aleatoric_entropy : ndarray of shape (n,)
            Mean of the members' entropies, in nats.

        Examples
        --------
        >>> from skmdn import MixtureDistribution
        >>> law = MixtureDistribution([[1.0]], [[0.0]], [[1.0]])
        >>> law.aleatoric_entropy().round(4), law.entropy().round(4)
        (array([1.4189]), array([1.4189]))
        """
        share, members = self._members()
        return np.sum(share * self._by_member(members.entropy()), axis=1)

    def epistemic_entropy(self):
        """Entropy that comes from the members' disagreement.

        Returns
        -------
        epistemic_entropy : ndarray of shape (n,)
            What is left of `entropy` without `aleatoric_entropy`, in nats: the mutual
            information of y and the member.

        Examples
        --------
        >>> import numpy as np
        >>> from skmdn import MDNRegressor
        >>> X = np.linspace(-1, 1, 200)[:, None]
        >>> model = MDNRegressor(n_estimators=3, max_iter=20, random_state=0)
        >>> law = model.fit(X, np.sin(4 * X[:, 0])).predict_distribution([[0.0], [3.0]])
        >>> inside, outside = law.epistemic_entropy()
        >>> bool(inside < outside < np.log(3) + 1e-9)
        True
        """
        return self.entropy() - self.aleatoric_entropy()

    def _members(self):
        """Weights of the members (n, M), and the law of each, in n M rows."""
        log_weights = self._by_member(self._log_weights, axis=1)  # (n, M, K)
        log_share = logsumexp(log_weights, axis=2, keepdims=True)
        gone = np.isneginf(log_share)  # its law no longer matters, but must be one
        within = np.where(gone, 0, log_weights) - np.where(gone, 0, log_share)
        within -= logsumexp(within, axis=2, keepdims=True)
        parameters = (within, self._by_member(self._means, axis=1))
        parameters += (self._by_member(self._factors, axis=1),)
        rows = (_merge(values) for values in parameters)
        return np.exp(log_share[..., 0]), self._from_factors(*rows)

    def _by_member(self, values, axis=0):
        """Split an axis, of n M rows or of M K components, at the members."""
        shape = values.shape
        if axis == 0:
            return values.reshape(len(self), self._n_members, *shape[1:])
        per_member = shape[1] // self._n_members
        return values.reshape(shape[0], self._n_members, per_member, *shape[2:])


def _merge(values):
    """Make one axis of the first two."""
    return values.reshape(values.shape[0] * values.shape[1], *values.shape[2:])
