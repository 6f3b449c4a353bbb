"""The scorer: what searches of scikit-learn call, and hand sample weights to."""

import copy

from sklearn import get_config
from sklearn.utils.metadata_routing import MetadataRequest

from skmdn._predicted_law import predicted_law


class LawScorer:
    """Minus the mean score of the laws that an estimator predicts; greater is better.

    It goes wherever scikit-learn takes ``scoring``, by itself or in a dict, and scores
    as the function of its name does. The laws may come through a Pipeline, a search or
    a TransformedTargetRegressor. For the last the score is that of the law of y in its
    own units: a density has the Jacobian of the transformer (by differences, to about
    1e-8 nats), quantiles go through its inverse, and the CRPS is integrated over them
    (to about 1e-8 of its size if the inverse is smooth). So transformations can be
    compared.

    Under metadata routing `sample_weight` is requested unless `set_score_request` says
    otherwise, so that weights given to a search reach its scores.

    Parameters
    ----------
    estimator : estimator
        Fitted, with `predict_distribution` or wrapped around one that has it.
    X : array-like of shape (n, n_features)
        Features.
    y : array-like of shape (n,) or (n, D)
        Observations.
    sample_weight : array-like of shape (n,), default=None
        Non-negative weights of the rows.

    Returns
    -------
    score : float
        Minus what the function gives, in its units.

    Raises
    ------
    TypeError
        If the estimator predicts no law.
    ValueError
        If y or weights are not what the function takes, or the transformer of the
        target leaves no such score: it must be smooth and invertible for a density,
        monotone for quantiles and the CRPS.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skmdn import MDNRegressor
    >>> from skmdn.metrics import neg_crps
    >>> grid = {"n_components": [1, 5]}
    >>> search = GridSearchCV(MDNRegressor(), grid, scoring=neg_crps)
    """

    def __init__(self, name, score):
        self._name = self.__name__ = name
        self._score = score
        self._request = True

    def __repr__(self):
        return self._name

    def __call__(self, estimator, X, y, sample_weight=None):
        law = predicted_law(estimator, X)
        return -self._score(y, law, sample_weight=sample_weight)

    def set_score_request(self, *, sample_weight):
        """Request `sample_weight` otherwise under metadata routing.

        Parameters
        ----------
        sample_weight : bool, str or None
            True takes the weights, False ignores them, None refuses them, and a string
            is the name under which they are passed.

        Returns
        -------
        scorer : scorer
            A new one; this one, which all code in the process shares, stays as it is.

        Raises
        ------
        RuntimeError
            If metadata routing is not enabled: the request would be ignored.
        ValueError
            If `sample_weight` is none of these.
        """
        if not get_config()["enable_metadata_routing"]:
            raise RuntimeError(
                "A request has no effect without metadata routing. Enable it first: "
                "sklearn.set_config(enable_metadata_routing=True)."
            )
        scorer = copy.copy(self)
        scorer._request = sample_weight
        scorer.get_metadata_routing()  # refuses what is no request
        return scorer

    def get_metadata_routing(self):
        """Metadata that the scorer requests.

        Returns
        -------
        routing : MetadataRequest
            With a request for `sample_weight`.
        """
        routing = MetadataRequest(owner=self._name)
        routing.score.add_request(param="sample_weight", alias=self._request)
        return routing

    def _accept_sample_weight(self):
        return True
