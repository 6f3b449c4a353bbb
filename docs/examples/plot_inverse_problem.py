"""
One x, several answers
======================

A robot arm can often reach the same point with its elbow up or with its elbow down. Ask
a regressor for *the* angle of the elbow and it returns the mean of the two, which
reaches nothing. Problems that run from effects back to causes are often of this kind,
and the law of y has several separate peaks.

The example that mixture density networks are usually introduced by [1]_ is the smallest
of them: every y has one x, but an x may come from several y.

.. [1] C. M. Bishop (1994). Mixture density networks. Technical report NCRG/94/004,
   Aston University.
"""

# %%
# Forward it is a function, backward it is not
# --------------------------------------------
# Take 512 values of y from -1 to 1, and x = 7 sin(5y) + y/2 plus some noise. The wave
# goes up and down, and takes most of its values three times.

import matplotlib.pyplot as plt
import numpy as np

from skmdn import MDNRegressor

rng = np.random.default_rng(0)
y = rng.uniform(-1, 1, 512)
x = 7 * np.sin(5 * y) + 0.5 * y + 0.5 * rng.normal(size=512)
X = x[:, None]

# %%
# Three components, one for each branch
# -------------------------------------
# Three branches, so three components will do. Where the number is not known, leave
# ``n_components`` at its default, or let a grid search find it.

model = MDNRegressor(n_components=3, random_state=0).fit(X, y)
print(model.predict_distribution([[-5.0], [0.0], [5.0]]))

# %%
# Three rows, and in each three narrow components, far apart. At x = -5 and x = 5 the
# mean of y falls between the branches, where no y has ever been. (At x = 0 it falls
# near the middle one, by the symmetry of the toy.)
#
# To see the whole law, evaluate its density on a grid of x and y. And for a test that
# the eye can judge, draw one y from the model at each x of the data: if the model is
# right, nobody can tell the two clouds of points apart.

x_grid, y_grid = np.linspace(-8.4, 8.4, 337), np.linspace(-1.15, 1.15, 461)
law = model.predict_distribution(x_grid[:, None])
density = np.array([law.pdf(np.full(len(law), height)) for height in y_grid])
drawn = model.sample(X, random_state=0)[:, 0]

fig, axes = plt.subplots(
    1, 2, figsize=(9, 4.6), sharex=True, sharey=True, layout="constrained"
)
for ax, points, title in zip(
    axes, [y, drawn], ("observed", "drawn from the model"), strict=True
):
    image = ax.pcolormesh(
        x_grid, y_grid, density, cmap="Blues", vmin=0, vmax=6, rasterized=True
    )
    ax.scatter(x, points, s=8, color="#D55E00", lw=0, alpha=0.8)
    ax.set(title=title, xlabel="x", xticks=[-6, -3, 0, 3, 6], yticks=[-1, 0, 1])
    ax.spines[:].set_visible(False)
axes[0].set_ylabel("y", rotation=0)
axes[1].tick_params(left=False)
bar = fig.colorbar(image, ax=axes, extend="max", aspect=35, ticks=[0, 2, 4, 6])
bar.set_label("predicted density p(y|x)")
bar.outline.set_visible(False)
fig.savefig("inverse_problem.png", dpi=150)
print("Picture saved as inverse_problem.png")
