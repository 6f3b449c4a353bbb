"""
Old Faithful: short or long?
============================

Old Faithful, a geyser in Yellowstone National Park, has just erupted. How long will the
*next* eruption last?

There are two kinds of eruptions, short ones of about two minutes and long ones of more
than four, and hardly any in between. So after some eruptions the honest answer is
*about two minutes or about four and a half, and certainly not three*. This is the
answer that a mean cannot give, nor a single interval.
"""

# %%
# The data
# --------
# 272 eruptions, watched by volunteers in October 1980 [3]_: how long each one lasted,
# in seconds, and how long the wait was for the next one, in minutes. This is the data
# set ``faithful`` of R [1]_ [2]_, which has these seconds as minutes, rounded.

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import norm
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold

from skmdn import (
    ConditionalDensityDisplay,
    MDNRegressor,
    PredictiveDistributionDisplay,
)

SECONDS = """
216 108 200 137 272 173 282 216 117 261 110 235 252 105 282 130 105 288 96 255 108 105
207 184 272 216 118 245 231 266 258 268 202 242 230 121 112 290 110 287 261 113 274 105
272 199 230 126 278 120 288 283 110 290 104 293 223 100 274 259 134 270 105 288 109 264
250 282 124 282 242 118 270 240 119 304 121 274 233 216 248 260 246 158 244 296 237 271
130 240 132 260 112 289 110 258 280 225 112 294 149 262 126 270 243 112 282 107 291 221
284 138 294 265 102 278 139 276 109 265 157 244 255 118 276 226 115 270 136 279 112 250
168 260 110 263 113 296 122 224 254 134 272 289 260 119 278 121 306 108 302 240 144 276
214 240 270 245 108 238 132 249 120 230 210 275 142 300 116 277 115 125 275 200 250 260
270 145 240 250 113 275 255 226 122 266 245 110 265 131 288 110 288 246 238 254 210 262
135 280 126 261 248 112 276 107 262 231 116 270 143 282 112 230 205 254 144 288 120 249
112 256 105 269 240 247 245 256 235 273 245 145 251 133 267 113 111 257 237 140 249 141
296 174 275 230 125 262 128 261 132 267 214 270 249 229 235 267 120 257 286 272 111 255
119 135 285 247 129 265 109 268
"""
WAITS = """
79 54 74 62 85 55 88 85 51 85 54 84 78 47 83 52 62 84 52 79 51 47 78 69 74 83 55 76 78
79 73 77 66 80 74 52 48 80 59 90 80 58 84 58 73 83 64 53 82 59 75 90 54 80 54 83 71 64
77 81 59 84 48 82 60 92 78 78 65 73 82 56 79 71 62 76 60 78 76 83 75 82 70 65 73 88 76
80 48 86 60 90 50 78 63 72 84 75 51 82 62 88 49 83 81 47 84 52 86 81 75 59 89 79 59 81
50 85 59 87 53 69 77 56 88 81 45 82 55 90 45 83 56 89 46 82 51 86 53 79 81 60 82 77 76
59 80 49 96 53 77 77 65 81 71 70 81 93 53 89 45 86 58 78 66 76 63 88 52 93 49 57 77 68
81 81 73 50 85 74 55 77 83 83 51 78 84 46 83 55 81 57 76 84 77 81 87 77 51 78 60 82 91
53 78 46 77 84 49 83 71 80 49 75 64 76 53 94 55 76 50 82 54 75 78 79 78 78 70 79 70 54
86 50 90 54 54 77 79 64 75 47 86 63 85 82 57 82 67 74 54 83 73 73 88 80 71 83 56 79 78
84 58 83 43 60 75 81 46 90 46 74
"""
duration = np.array(SECONDS.split(), dtype=float) / 60
wait = np.array(WAITS.split(), dtype=float)
X, y = duration[:-1, None], duration[1:]

# %%
# The rows are in the order of time, so the next eruption is the next row. That is not
# true of all of them: nobody watched between midnight and six, and the data do not say
# where the nights are. A few of the 271 pairs are therefore of two eruptions that
# did not follow each other. They are noise to any model, this one included.
#
# What follows what
# -----------------
# Two kinds of eruptions, so two components will do. Rows are few, so five members. The
# heat map shows the predicted density of the next eruption for every length of this
# one, and the pairs that were observed.

model = MDNRegressor(n_components=2, n_estimators=5, random_state=0).fit(X, y)

fig, ax = plt.subplots(figsize=(8, 5), layout="constrained")
display = ConditionalDensityDisplay.from_estimator(
    model,
    X,
    y,
    modes=True,
    feature_name="this eruption (minutes)",
    target_name="next eruption (minutes)",
    ax=ax,
)
fig.savefig("old_faithful.png", dpi=150)
print("Picture saved as old_faithful.png")

# %%
# After a short eruption the next one is long, nearly always. After a long one it may be
# either, and the law has two modes, drawn as dotted lines whose dots are larger where
# the mode is higher. The mean runs between them, through minutes in which almost no
# eruption ever ended.
#
# Two laws
# --------
# One question after a short eruption, one after a long one.

law = model.predict_distribution([[2.0], [4.5]])
for minutes, modes in zip((2.0, 4.5), law.modes(), strict=True):
    print(f"after {minutes} minutes, modes at", modes.round(1))
print("probability of more than 3 minutes:", law.sf([3.0, 3.0]).round(2))

fig, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
PredictiveDistributionDisplay.from_predictions(
    None,
    law,
    row_names=["after 2 min", "after 4.5 min"],
    target_name="next eruption (minutes)",
    ax=ax,
)
fig.savefig("old_faithful_laws.png", dpi=150)
print("Picture saved as old_faithful_laws.png")

# %%
# Both of the regions in the picture hold the next eruption with a probability of 90 %.
# The line is the equal-tailed interval: it leaves out 5 % at either end, and so it must
# cross the empty middle. The dark area is the highest-density region, the shortest set
# of that probability. It may be in several pieces, as it is here.

for name, low_high in [
    ("equal-tailed interval", law.interval(0.9)[1:]),
    ("highest-density region", law.highest_density_region(0.9)[1]),
]:
    pieces = " and ".join(f"{low:.1f} to {high:.1f}" for low, high in low_high)
    print(f"{name}: {pieces}, {np.diff(low_high).sum():.1f} minutes in all")

# %%
# Does the wait say more?
# -----------------------
# When the next eruption begins, one more thing is known: how long it took to come. Fit
# both, and look along the wait after a long eruption. Short eruptions have short waits
# and are another world, so the heat map takes its range from the long ones only.

both = np.column_stack([duration[:-1], wait[:-1]])
with_wait = MDNRegressor(n_components=2, n_estimators=5, random_state=0).fit(both, y)
after_long = both[:, 0] > 3

fig, ax = plt.subplots(figsize=(8, 5), layout="constrained")
ConditionalDensityDisplay.from_estimator(
    with_wait,
    both[after_long],
    y[after_long],
    feature=1,
    held={0: 4.5},
    feature_name="wait after an eruption of 4.5 minutes (minutes)",
    target_name="next eruption (minutes)",
    ax=ax,
)
fig.savefig("old_faithful_wait.png", dpi=150)
print("Picture saved as old_faithful_wait.png")

# %%
# The longer the wait, the likelier is a short eruption. (The dots are all pairs after a
# long eruption, not only after one of 4.5 minutes.)
#
# Does it hold?
# -------------
# A picture of the rows that were fitted proves little. So hold out one fifth of the
# month after the other, predict it from the rest, and compare with a straight line and
# its Gaussian error. The last columns are about the regions of 90 %: the share of
# held-out eruptions in them, and their length in minutes.


def held_out(X, fit):
    """Log-likelihood, coverage and length of 90 % regions, means over all rows."""
    answers = []
    for train, test in KFold(5).split(X):
        law = fit(X[train], y[train])(X[test])
        answers.append([law.logpdf(y[test]), *regions_hold(law, y[test])])
    return np.concatenate(answers, axis=1).mean(axis=1)


def regions_hold(law, y):
    """Whether each y is within its region of 90 %, and how long that region is."""
    if hasattr(law, "highest_density_region"):
        regions = law.highest_density_region(0.9)
    else:  # scipy's Gaussian: its shortest region is the interval
        regions = np.stack(law.interval(0.9), axis=1)[:, None]
    pairs = zip(regions, y, strict=True)
    hits = [np.any((region[:, 0] <= v) & (v <= region[:, 1])) for region, v in pairs]
    return hits, [np.diff(region).sum() for region in regions]


def line(X, y):
    model = LinearRegression().fit(X, y)
    std = np.std(y - model.predict(X))
    return lambda X: norm(model.predict(X), std)


def mixture(X, y):
    model = MDNRegressor(n_components=2, n_estimators=5, random_state=0)
    return model.fit(X, y).predict_distribution


print(f"{'':<28}{'log-likelihood':>15}{'coverage':>10}{'minutes':>9}")
for name, features, fit in [
    ("straight line, duration", X, line),
    ("mixture, duration", X, mixture),
    ("mixture, duration and wait", both, mixture),
]:
    score, coverage, length = held_out(features, fit)
    print(f"{name:<28}{score:15.2f}{coverage:10.2f}{length:9.1f}")

# %%
# The regions of the mixture are far shorter than those of the line and hold roughly
# what they promise, on rows that are few. The wait adds a little. Two answers remain:
# after a long eruption, with all that was written down about it, the next may be
# either.
#
# .. [1] W. Härdle (1991). Smoothing Techniques with Implementation in S. Springer.
# .. [2] A. Azzalini, A. W. Bowman (1990). A look at some data on the Old Faithful
#    geyser. Applied Statistics 39, 357-365. It analyses a longer record, of August
#    1985.
# .. [3] S. Weisberg (2005). Applied Linear Regression, 3rd edition. Wiley, problem 1.4,
#    whose data set ``oldfaith`` has 270 of these rows.
