"""A fit kept on the estimator as arrays, numbers and strings: anything can save it."""

from contextlib import contextmanager

from skmdn._covariance import MixtureHead
from skmdn._fitting import Fit
from skmdn._network import Network
from skmdn._scaling import Scaling


@contextmanager
def restored_on_error(estimator):
    """Leave the estimator as it was if the body fails."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


class FittedState:
    """The way from a `Fit` to fitted attributes, and back."""

    def __sklearn_is_fitted__(self):
        return hasattr(self, "coefs_")

    def _store(self, fit):
        network, head = fit.network, fit.network.head
        self.coefs_, self.intercepts_ = network.coefs, network.intercepts
        scaling = network.scaling
        self.x_mean_, self.x_std_ = scaling.x_mean, scaling.x_std
        self.x_tails_ = scaling.x_tails
        self.y_mean_, self.y_std_ = scaling.y_mean, scaling.y_std
        self.y_slopes_ = scaling.y_slopes
        self._activation = network.activation
        self.least_raw_stds_ = network.least_raw_stds
        self._head = tuple(head)
        self.n_iter_ = fit.losses.shape[1]
        self.best_iteration_ = fit.best_iteration
        self.refit_iterations_ = fit.refit_iterations
        self.loss_curve_ = fit.losses
        self.validation_scores_ = fit.scores
        self._seeds, self._moments, self._n_steps = fit.seeds, fit.moments, fit.n_steps
        self._pool_shift = fit.pool_shift

    def _network(self):
        head = MixtureHead(*self._head)
        scaling = Scaling(
            self.x_mean_,
            self.x_std_,
            self.y_mean_,
            self.y_std_,
            self.y_slopes_,
            self.x_tails_,
        )
        return Network(
            self.coefs_,
            self.intercepts_,
            self._activation,
            head,
            scaling,
            self.least_raw_stds_,
        )

    def _stored_fit(self):
        """The fit to go on from; None before the first."""
        if not hasattr(self, "coefs_"):
            return None
        return Fit(
            network=self._network(),
            losses=self.loss_curve_,
            scores=self.validation_scores_,
            best_iteration=self.best_iteration_,
            seeds=self._seeds,
            moments=self._moments,
            n_steps=self._n_steps,
            pool_shift=self._pool_shift,
        )
