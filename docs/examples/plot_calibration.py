"""
Can the ninety per cent be believed?
====================================

A law is a promise. If a model says *with a probability of 90 % between 80 and 250*,
then of a hundred such intervals about ninety should hold what they were made for. A
model that keeps such promises at every level is calibrated. Whether yours does can be
seen in two pictures, and the numbers in them need no assumption beyond rows that the
model has not seen.
"""

# %%
# Four models of one disease
# --------------------------
# scikit-learn carries the data of 442 diabetes patients: ten measurements, and how far
# the disease had progressed a year later. Few rows and a weak signal are what tempts a
# network into believing too much. Half of the patients are held out here, more than one
# usually would, because the pictures are about them.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from skmdn import MDNRegressor, PITDisplay, ReliabilityDisplay

X, y = load_diabetes(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=0)

# %%
# The first model is as it comes. It holds out some of its rows to see when to stop, and
# lets its weights decay. (Of 221 patients it learned nothing beyond a line with one law
# around it, and predicts that: its ``best_iteration_`` is 0.) The second has all of
# this switched off and trains on, as networks do if nobody stops them. The third is
# five of the second kind, pooled. The last knows nothing at all: it gets to see a
# constant instead of X, and predicts the same law for everybody, that of the whole
# population.

unstopped = {"early_stopping": False, "max_iter": 400, "alpha": 0.0, "dropout": 0.0}
laws = {
    "as it comes": MDNRegressor(random_state=0)
    .fit(X_train, y_train)
    .predict_distribution(X_test),
    "unstopped": MDNRegressor(random_state=0, **unstopped)
    .fit(X_train, y_train)
    .predict_distribution(X_test),
    "five unstopped": MDNRegressor(n_estimators=5, random_state=0, **unstopped)
    .fit(X_train, y_train)
    .predict_distribution(X_test),
    "blind": MDNRegressor(random_state=0)
    .fit(0 * X_train, y_train)
    .predict_distribution(0 * X_test),
}

# %%
# Where the observations fell
# ---------------------------
# Ask every law for the probability that it gave to values up to the one that was then
# observed, ``law.cdf(y)``. If the laws are right, these numbers are as good as drawn
# from a uniform distribution, whatever the laws look like. Their histogram should be
# flat, give or take what chance does to so many rows. The grey band says how much that
# is: all ten bars of a calibrated model stay within it, 95 times in 100.

fig, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained", sharey=True)
for ax, name in zip(axes, ["as it comes", "unstopped"], strict=True):
    PITDisplay.from_predictions(y_test, laws[name], ax=ax)
    ax.set_title(name, loc="left")
axes[1].get_legend().remove()
axes[1].set_ylabel(None)
fig.savefig("calibration_pit.png", dpi=150)
print("Picture saved as calibration_pit.png")

# %%
# The valley on the right is what overconfidence looks like. Observations fall into the
# tails of their laws far too often, the outermost bars are many times as high as they
# should be, and the middle is deserted. A hill would say the opposite, laws that are
# too wide, and a slope that they lie too high or too low.
#
# What the intervals hold
# -----------------------
# The second picture answers the question of the title, for every probability at once:
# how many of the observations are in the central interval that promises so much?

colours = {
    "as it comes": "#0072B2",
    "unstopped": "#D55E00",
    "five unstopped": "#E69F00",
    "blind": "#222222",
}
fig, ax = plt.subplots(figsize=(6.4, 6.4), layout="constrained")
for name, law in laws.items():
    ReliabilityDisplay.from_predictions(
        y_test,
        law,
        chance=name == "as it comes",
        line_kw={"color": colours[name], "label": name},
        ax=ax,
    )
fig.savefig("calibration_reliability.png", dpi=150)
print("Picture saved as calibration_reliability.png")

# %%
# Below the diagonal less is held than was promised. The unstopped network breaks its
# word at every level, and pooling five of it mends some of that, but not all: five
# narrow laws side by side still leave gaps for the truth to fall into.
#
# Calibrated is not enough
# ------------------------
# The blind model is calibrated up to the luck of the split (here it is a little too
# wide): patients that are held out are a sample of the same population, and it says
# nothing but how that is spread. So calibration alone is no merit: what is wanted is
# the sharpest law among the calibrated ones. A proper score asks for both at once, and
# the log-likelihood and the CRPS are such scores.

print(f"{'':<16}{'in 90 %':>9}{'length':>8}{'CRPS':>7}{'log-likelihood':>16}")
for name, law in laws.items():
    low, high = law.interval(0.9).T
    print(
        f"{name:<16}{np.mean((low <= y_test) & (y_test <= high)):9.2f}"
        f"{np.mean(high - low):8.0f}{np.mean(law.crps(y_test)):7.1f}"
        f"{np.mean(law.logpdf(y_test)):16.2f}"
    )

# %%
# The CRPS is in units of y, and lower is better; of the log-likelihood higher is. By
# the first the unstopped network is worse than the blind one. By the second it is a
# disaster: it gave densities near zero to things that happened.
#
# What to do
# ----------
# * Look at rows that were not fitted. On its own training rows the unstopped network
#   is the best of all.
# * If there is a valley, the laws are too narrow: leave ``early_stopping`` on, raise
#   ``alpha`` or ``dropout``, and only then add members with ``n_estimators``.
# * If there is a hill, the laws are too wide: a longer ``max_iter``, more components,
#   or a feature that is missing.
# * If the curve stays within its band, there is nothing to mend that these rows could
#   show. With few rows the band is wide, and that is information too.
