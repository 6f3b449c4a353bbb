"""
A law instead of a number
=========================

A regressor answers with one number. Often the honest answer is longer: *about 500, give
or take 30*, or *about 2000, but 3000 would be no surprise*. :class:`skmdn.MDNRegressor`
gives that answer. For every row it predicts a whole probability distribution of y, here
called the *law* of that row.

This page fits one on real data, asks what it is worth beside a Gaussian model, and
draws what it says.
"""

# %%
# A question with an uneven answer
# --------------------------------
# A pathologist photographs the cells of a tumour and measures their nuclei. Ten
# measurements are averages over all nuclei in the picture, the mean radius, the mean
# texture and so on. From these averages alone: how large are the *largest* nuclei?
#
# scikit-learn carries these measurements of 569 tumours as its breast cancer data. What
# is held out here, a quarter of them, no model gets to see before it is judged.

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import lognorm, norm
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import BayesianRidge
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmdn import MDNRegressor

data = load_breast_cancer()
names = list(data.feature_names)
X = data.data[:, :10]  # the columns called "mean ..."
y = data.data[:, names.index("worst area")]  # "worst" means the three largest
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

# %%
# Fit, then ask
# -------------
# The estimator is used like any other. Nothing has to be scaled, neither X nor y.

model = MDNRegressor(random_state=0).fit(X_train, y_train)
law = model.predict_distribution(X_test)
print(law)

# %%
# That is the prediction: for each row a mixture of Gaussians, spelt out for the first
# three rows as weights times N(mean, standard deviation²), all in the units of y.
#
# The law has the words of ``scipy.stats``: ``law.mean()``, ``law.std()``,
# ``law.pdf(y)``, ``law.logpdf(y)``. So it can stand in one table with laws that were
# made in other ways. The first of these is the classic: a linear model that draws the
# same bell around every prediction. The second is what a statistician would try next,
# the same linear model of log y, whose bells are skewed and grow with the mean.


def held_out_laws(X_train, y_train, X_test):
    """Laws of the held-out rows by four models."""

    def ridge(y):
        model = make_pipeline(StandardScaler(), BayesianRidge()).fit(X_train, y)
        return model.predict(X_test, return_std=True)

    def mixture(**parameters):
        model = MDNRegressor(random_state=0, **parameters).fit(X_train, y_train)
        return model.predict_distribution(X_test)

    mean_of_log, std_of_log = ridge(np.log(y_train))
    return {
        "BayesianRidge": norm(*ridge(y_train)),
        "BayesianRidge of log y": lognorm(std_of_log, scale=np.exp(mean_of_log)),
        "MDNRegressor": mixture(),
        "MDNRegressor, 5 members": mixture(n_estimators=5),
    }


def print_table(laws, y_test):
    print(f"{'':<24}{'R²':>6}{'log-likelihood':>17}")
    for name, law in laws.items():
        r2 = r2_score(y_test, law.mean())
        print(f"{name:<24}{r2:6.2f}{law.logpdf(y_test).mean():17.2f}")


laws = held_out_laws(X_train, y_train, X_test)
print_table(laws, y_test)

# %%
# R² only sees the mean of a law, and by R² there is little to choose: the mean of the
# largest nuclei is close to a straight line in the averages, and a linear model finds
# it. The log-likelihood sees the whole law. It is the mean of log p(y|x) over held-out
# rows, in nats: half a nat more says that, typically, the density a model gave to what
# then happened was 1.6 times as high. By that measure the models differ. Taking the
# logarithm brings a good part of the gain, if one thinks of it; the mixture brings more
# and does not have to be told.
#
# The last row is an ensemble, which leaves less to luck. Its five networks are trained
# side by side, and five mixtures pooled are a mixture again, so what comes back is a
# law like any other.
#
# What the difference looks like
# ------------------------------
# Eight held-out tumours, ordered by the predicted mean from small to large. Each strip
# shows two laws of the same tumour and the value that was measured.

gaussian = laws["BayesianRidge"]
order = np.argsort(law.mean())
rows = order[np.linspace(4, len(order) - 5, 8).astype(int)]
grid = np.linspace(-200, 2800, 1501)

blue, orange, ink = "#0072B2", "#D55E00", "#222222"
fig, ax = plt.subplots(figsize=(8, 5.6), layout="constrained")
for height, row in enumerate(rows):
    mixture = law[[row] * len(grid)].pdf(grid)
    bell = norm(gaussian.mean()[row], gaussian.std()[row]).pdf(grid)
    unit = 0.8 / max(mixture.max(), bell.max())
    ax.axhline(height, color="0.85", lw=0.8, zorder=0)
    ax.fill_between(
        grid,
        height,
        height + unit * mixture,
        where=unit * mixture > 1e-3,
        color=blue,
        alpha=0.45,
        lw=0,
        label="MDNRegressor" if height == 0 else None,
    )
    ax.plot(
        grid,
        np.where(unit * bell > 1e-3, height + unit * bell, np.nan),
        color=orange,
        lw=1.4,
        ls=(0, (4, 2)),
        label="BayesianRidge" if height == 0 else None,
    )
ax.plot(
    y_test[rows],
    range(len(rows)),
    "o",
    color=ink,
    ms=6,
    clip_on=False,
    label="measured",
)
ax.set(
    title="Predicted laws of eight held-out tumours",
    xlabel="area of the largest nuclei",
    ylabel="mean area of all nuclei of the tumour",
    xlim=(grid[0], grid[-1]),
    ylim=(-0.25, len(rows)),
)
ax.set_yticks(range(len(rows)), [f"{x:.0f}" for x in X_test[rows, 3]])
ax.tick_params(left=False)
ax.spines[["left", "right", "top"]].set_visible(False)
ax.legend(loc="lower right", facecolor="white", framealpha=1, edgecolor="none")
fig.savefig("quickstart.png", dpi=150)
print("Picture saved as quickstart.png")

# %%
# The straight line finds the middle, but its bell is as wide for the smallest nuclei as
# for the largest: too vague below, where it even allows for negative areas, and too
# sure of itself above. The mixture is narrow where the answer is certain, wide where it
# is not, and lopsided where large surprises are likelier than small ones.
#
# When a Gaussian is enough
# -------------------------
# A law is worth its price where the *shape* of the uncertainty changes from row to row
# and there are rows enough to learn it from. The diabetes data are the other case: 442
# patients, a weak signal, and noise that is not far from one bell for all.

X_train, X_test, y_train, y_test = train_test_split(
    *load_diabetes(return_X_y=True), random_state=0
)
print_table(held_out_laws(X_train, y_train, X_test), y_test)

# %%
# Here the linear Gaussian model is hard to beat, and one network alone is easily too
# sure of what it has seen. Two habits follow. Put a plain baseline into the table,
# always. And where rows are few, set ``n_estimators`` to 5 or more: where the members
# disagree, their mixture gets wider, as it should.
