"""What users score laws by: functions of observations, scorers of estimators.

A function takes observations and the law predicted for them, ``crps(y, law)``, and is
better when lower unless it says otherwise. A scorer takes an estimator and data,
``neg_crps(estimator, X, y)``, is better when greater, and goes into
``GridSearchCV(scoring=...)``: `neg_log_likelihood` is minus `negative_log_likelihood`.
Scorers take the defaults of their functions: `neg_interval_score` a coverage of 0.9,
`neg_pinball` the deciles. If unsure, select by `neg_crps` and report
`negative_log_likelihood` and `calibration_error` too.
"""

from skmdn._calibration import (
    calibration_error,
    interval_coverage,
    interval_width,
    pit_values,
)
from skmdn._scorer import LawScorer
from skmdn._scores import (
    crps,
    energy_score,
    interval_score,
    negative_log_likelihood,
    pinball_loss,
)

__all__ = [
    "calibration_error",
    "crps",
    "energy_score",
    "interval_coverage",
    "interval_score",
    "interval_width",
    "neg_crps",
    "neg_interval_score",
    "neg_log_likelihood",
    "neg_pinball",
    "negative_log_likelihood",
    "pinball_loss",
    "pit_values",
]

neg_log_likelihood = LawScorer("neg_log_likelihood", negative_log_likelihood)
neg_crps = LawScorer("neg_crps", crps)
neg_interval_score = LawScorer("neg_interval_score", interval_score)
neg_pinball = LawScorer("neg_pinball", pinball_loss)
