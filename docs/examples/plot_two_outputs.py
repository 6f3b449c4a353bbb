"""
One blood sample, two answers
=============================

A laboratory reports the total cholesterol of a patient. LDL, the part of it that
doctors worry about, takes more work. What does the first number say about the second,
and what could have been said before either of them?

Two numbers of one patient go together. Predict each of them by itself, and that is
lost. A law of both keeps it, and answers questions that come later: about one output
alone, or about one output once the other is known.
"""

# %%
# Two outputs in one law
# ----------------------
# The diabetes data of scikit-learn have both values for 442 patients. They do not name
# the unit; the values are those of milligrams per decilitre. The features are what
# anybody can measure: age, sex, body mass index, blood pressure. With
# ``covariance_type="full"`` every component has a covariance matrix of its own, and its
# axes may point in any direction.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from skmdn import MDNRegressor, PredictiveDistributionDisplay

data = load_diabetes(scaled=False).data
X, y = data[:, :4], data[:, 4:6]  # s1 and s2 are total cholesterol and LDL
TOTAL, LDL = 0, 1
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)


def fit(covariance_type):
    return MDNRegressor(
        n_components=2, covariance_type=covariance_type, n_estimators=5, random_state=0
    ).fit(X_train, y_train)


law = fit("full").predict_distribution(X_test)
print(law)

# %%
# One patient
# -----------
# Take a held-out patient whose total cholesterol is much higher than his or her age and
# weight would suggest. The map is the joint density. What stands at its sides are the
# marginals, ``law.marginal(0)`` and ``law.marginal(1)``: the law of one output,
# whatever the other may be. They are exact, and are laws like any other.

surprise = law.marginal(TOTAL).cdf(y_test[:, TOTAL])
patient = int(np.argmin(np.abs(surprise - 0.95)))
total, ldl = y_test[patient]
print(f"measured: total {total:.0f}, LDL {ldl:.0f}")

total_grid, ldl_grid = np.linspace(80, 300, 221), np.linspace(30, 220, 191)
points = np.stack(np.meshgrid(total_grid, ldl_grid, indexing="ij"), axis=-1)


def density(law, values):
    """Density of one patient at many values."""
    return law[[patient] * len(values)].pdf(values)


joint = density(law, points.reshape(-1, 2)).reshape(points.shape[:2])

# %%
# Now the laboratory reports the total. ``law.conditional(0, y_test[:, 0])`` is what is
# left of the law of LDL: a cut through the map at the value that was measured, scaled
# to one. Again it is exact, and again it is a law.

informed = law.conditional(TOTAL, y_test[:, TOTAL])

blue, orange, ink = "#0072B2", "#D55E00", "#222222"
fig, axes = plt.subplot_mosaic(
    [["total", "."], ["joint", "ldl"]],
    figsize=(8, 7),
    width_ratios=[3, 1.4],
    height_ratios=[1, 3],
    layout="constrained",
)
ax = axes["joint"]
ax.pcolormesh(total_grid, ldl_grid, joint.T, cmap="Blues", rasterized=True)
ax.axvline(total, color=orange, lw=1.5)
ax.plot(total, ldl, "o", color=ink, ms=7, mec="white")
ax.annotate(
    "measured", (total, ldl), xytext=(9, -4), textcoords="offset points", color=ink
)
ax.set(xlabel="total cholesterol (mg/dl)", ylabel="LDL (mg/dl)")

ax = axes["total"]
ax.sharex(axes["joint"])
before = density(law.marginal(TOTAL), total_grid)
ax.fill_between(total_grid, before, color=blue, alpha=0.4, lw=0)
ax.axvline(total, color=orange, lw=1.5)
ax.annotate(
    "total known",
    (total, before.max()),
    xytext=(6, -8),
    textcoords="offset points",
    color=orange,
)

ax = axes["ldl"]
ax.sharey(axes["joint"])
before, after = density(law.marginal(LDL), ldl_grid), density(informed, ldl_grid)
ax.fill_betweenx(ldl_grid, before, color=blue, alpha=0.4, lw=0)
visible = after > 1e-3 * after.max()
ax.plot(after[visible], ldl_grid[visible], color=orange, lw=1.8)
ax.plot(0, ldl, "o", color=ink, ms=7, mec="white", clip_on=False, zorder=3)
for text, curve, colour in [("before", before, blue), ("after", after, orange)]:
    top = int(np.argmax(curve))
    ax.annotate(
        text,
        (curve[top], ldl_grid[top]),
        xytext=(5, 0),
        textcoords="offset points",
        color=colour,
        va="center",
        annotation_clip=False,
    )

for name, ax in axes.items():
    ax.spines[:].set_visible(name == "joint")
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(
        left=name == "joint",
        labelleft=name == "joint",
        bottom=name == "joint",
        labelbottom=name == "joint",
    )
fig.savefig("two_outputs.png", dpi=150)
print("Picture saved as two_outputs.png")

# %%
# The map is a narrow ridge: LDL is the largest part of the total, and whoever has more
# of one has more of the other. The number from the laboratory does two things to the
# law of LDL. It moves it to where the ridge is at this total, and it makes it narrow.
#
# Before and after
# ----------------
# The same for five patients, from low to high total cholesterol.

rows = np.argsort(y_test[:, TOTAL])[np.linspace(4, len(y_test) - 5, 5).astype(int)]
totals = [f"{value:.0f}" for value in y_test[rows, TOTAL]]
fig, axes = plt.subplots(
    1, 2, figsize=(9, 4.8), sharex=True, sharey=True, layout="constrained"
)
for ax, law_of_ldl, title in [
    (axes[0], law.marginal(LDL), "total not known"),
    (axes[1], informed, "total known"),
]:
    PredictiveDistributionDisplay.from_predictions(
        y_test[rows, LDL],
        law_of_ldl[rows],
        row_names=totals,
        target_name="LDL (mg/dl)",
        ax=ax,
    )
    ax.set_title(title, loc="left", pad=24)
axes[0].set_ylabel("total cholesterol of the patient (mg/dl)")
axes[1].get_legend().remove()
fig.savefig("two_outputs_patients.png", dpi=150)
print("Picture saved as two_outputs_patients.png")

# %%
# Is it true?
# -----------
# For all patients that were held out: how long the interval of 90 % is, how many of the
# measured values it holds, and the log-likelihood of LDL, before and after. The last
# two lines are the same for components without a covariance. Upright pieces can only
# imitate a slanted ridge, and it shows once the total is known.


def print_row(name, law, y):
    low, high = law.interval(0.9).T
    inside = np.mean((low <= y) & (y <= high))
    score = np.mean(law.logpdf(y))
    print(f"{name:<28}{np.mean(high - low):8.0f}{inside:8.2f}{score:16.2f}")


upright = fit("diag").predict_distribution(X_test)
print(f"{'law of LDL':<28}{'length':>8}{'inside':>8}{'log-likelihood':>16}")
for name, model in [("full", law), ("diag", upright)]:
    print_row(f"{name}, total not known", model.marginal(LDL), y_test[:, LDL])
    after = model.conditional(TOTAL, y_test[:, TOTAL])
    print_row(f"{name}, total known", after, y_test[:, LDL])

# %%
# An interval that becomes shorter and still holds what it promises is knowledge gained.
# With "diag" less is gained, though its law of LDL alone is as good. Choose "full" when
# outputs will be asked about together; where each is asked about by itself, "diag" is
# enough, and cheaper.
