"""Where matplotlib begins: the axes to draw on, the colours to draw with."""

import numpy as np

# Told apart by colour-blind eyes too (Okabe and Ito, 2008), and by their lightness.
BLUE = "#0072B2"
ORANGE = "#D55E00"
INK = "#222222"
PALE_BLUE = "#7FB8D8"
PALE_GREY = "0.87"


def axes_to_draw_on(ax):
    """The axes given, or those of a new figure; and their figure."""
    if ax is not None:
        return ax, ax.figure
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "Drawing needs matplotlib, which is not installed: pip install "
            "skmdn[plots]."
        ) from error
    figure, ax = plt.subplots(layout="constrained")
    return ax, figure


def style(artist, given, **defaults):
    """Keywords for an artist of matplotlib: ours, unless the user has others.

    ``artist`` names its class, which knows that lw is short for linewidth.
    """
    from matplotlib import cbook, collections, lines, patches

    classes = {
        "Line2D": lines.Line2D,
        "Patch": patches.Patch,
        "QuadMesh": collections.QuadMesh,
    }
    return {**defaults, **cbook.normalize_kwargs(given, classes[artist])}


def percent(probability):
    """As it is read: 90%, 99.5%."""
    return f"{100 * probability:g}%"


def finish(ax, **labels):
    """Labels, a legend above the data and none of the frame that says nothing."""
    ax.set(**labels)
    ax.spines[["top", "right"]].set_visible(False)
    if ax.get_legend_handles_labels()[1]:
        ax.legend(
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=3,
            frameon=False,
            borderpad=0,
        )


def dots(ax, x, y):
    """Observations, fainter the more there are."""
    alpha = np.clip(10 / np.sqrt(len(x) + 1), 0.15, 0.8)
    return ax.scatter(x, y, s=14, color=ORANGE, alpha=alpha, lw=0, label="observed")


def add_colorbar(mesh, ax, label):
    beyond = mesh.get_array().max() > mesh.get_clim()[1]
    bar = ax.figure.colorbar(mesh, ax=ax, extend="max" if beyond else "neither")
    bar.set_label(label)
    bar.outline.set_visible(False)
