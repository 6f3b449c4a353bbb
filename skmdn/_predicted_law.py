"""The law that an estimator predicts, whatever is wrapped around it."""

from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skmdn._transformed_law import TransformedLaw


def predicted_law(estimator, X):
    """Law of y, in the units in which the outermost estimator knows it."""
    law, transformers = innermost_law(estimator, X)
    return TransformedLaw(law, transformers) if transformers else law


def innermost_law(estimator, X):
    """Law that is predicted, and what was done to the target on the way to it."""
    transformers, inner = [], estimator
    while not hasattr(inner, "predict_distribution"):
        outer, inner = inner, wrapped_by(inner)
        if isinstance(outer, Pipeline):
            X = _through_all_steps_but_the_last(outer, X)
        if isinstance(outer, TransformedTargetRegressor):
            transformers.append(outer.transformer_)
        if inner is None:
            raise TypeError(
                f"{type(outer).__name__} has no predict_distribution, so it "
                "predicts no law. Give a fitted MDNRegressor, or a Pipeline or a "
                "search (fitted, with refit) around one; scorers take a "
                "TransformedTargetRegressor too."
            )
    return inner.predict_distribution(X), transformers


def wrapped_by(estimator):
    """The estimator that this one hands its work to; None if it does it by itself."""
    if isinstance(estimator, Pipeline):
        return estimator.steps[-1][1]
    if isinstance(estimator, FrozenEstimator):
        return estimator.estimator
    if isinstance(estimator, TransformedTargetRegressor):
        check_is_fitted(estimator)
        return estimator.regressor_
    return getattr(estimator, "best_estimator_", None)  # of a search


def _through_all_steps_but_the_last(pipeline, X):
    for _, step in pipeline.steps[:-1]:
        if hasattr(step, "transform"):  # "passthrough" and samplers have none
            X = step.transform(X)
    return X
