"""Tables and a picture of the fits of the UCI benchmark, beside published figures."""

import csv
import platform
from collections import defaultdict
from typing import NamedTuple

import numpy as np
from _uci_fits import COVERAGE, DEQUANTISED, METHODS, SETS, pit_path

STYLES = {"nll": ".3f", "rmse": "#.3g"}  # of our figures; others' stay as printed
THIS_RUN = "this run"


class Figure(NamedTuple):
    """One row of table.csv, ours or published."""

    set: str
    method: str
    metric: str
    mean: str
    se: str
    n_splits: str
    source: str
    same_splits: str


def grouped(fits):
    """Fits of each (set, method), sets and methods in the order of the tables."""
    groups = defaultdict(list)
    for fit in fits:
        groups[fit.set, fit.method].append(fit)
    return {
        (name, method): groups[name, method]
        for name in sorted(SETS, key=lambda name: (name == DEQUANTISED, name))
        for method in METHODS
        if (name, method) in groups
    }


def measured(groups):
    """Our figures: mean and standard error over splits."""
    for (name, method), fits in groups.items():
        label = name + " + noise" if name == DEQUANTISED else name
        for metric in STYLES:
            values = np.array([getattr(fit, metric) for fit in fits])
            n = len(values)
            se = f"{values.std(ddof=1) / np.sqrt(n):.6g}" if n > 1 else ""
            mean = f"{values.mean():.6g}"
            yield Figure(label, method, metric, mean, se, str(n), THIS_RUN, "yes")


def published(data):
    """Figures of others, as they were printed."""
    for path in (data / "published.csv", data.parent / "published.csv"):
        if path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                return [published_figure(row) for row in csv.DictReader(file)]
    print(f"No published figures: {data} has no published.csv.")
    return []


def published_figure(row):
    return Figure(
        *(row[column] for column in ("dataset", "method", "metric", "mean", "se")),
        n_splits="",
        source=row["reference"],
        same_splits=row["same_splits"],
    )


def print_figures(name, metric, figures):
    """One table, the best first."""
    ours = [figure.n_splits for figure in figures if figure.source == THIS_RUN]
    print(f"\n{name}, {metric.upper()}, {' '.join(sorted(set(ours)))} splits")
    for figure in sorted(figures, key=lambda figure: float(figure.mean)):
        same = figure.same_splits.startswith("yes")
        mark = ">" if figure.source == THIS_RUN else " " if same else "*"
        note = "" if figure.same_splits == "yes" else figure.same_splits
        style = STYLES[metric] if figure.source == THIS_RUN else ""
        mean = styled(figure.mean, style)
        se = f"± {styled(figure.se, style)}" if figure.se else ""
        print(f"{mark} {figure.method:<38}{mean:>10} {se:<10} {note}".rstrip())


def styled(number, style):
    return format(float(number), style) if style else number


def print_tables(figures):
    """A table for each set and metric of which this run has something."""
    print(
        "> this run   * not the same splits, or not surely, or a choice made on them\n"
        "ours: mean ± standard error over splits; lower is better"
    )
    tables = defaultdict(list)
    for figure in figures:
        tables[figure.set, figure.metric].append(figure)
    for (name, metric), rows in tables.items():
        if any(figure.source == THIS_RUN for figure in rows):
            print_figures(name, metric, rows)


def print_coverage_and_seconds(groups):
    """Coverage pooled over test rows, and what a fit takes beside NGBoost's."""
    print(
        f"\n{'set':<10}{'method':<16}{'splits':>6}{'test rows':>11}"
        f"{f'{COVERAGE:.0%} covers':>12}{'median fit':>13}{'/ NGBoost':>11}"
    )
    seconds = {
        key: np.median([fit.fit_seconds for fit in fits])
        for key, fits in groups.items()
    }
    for (name, method), fits in groups.items():
        rows = sum(fit.n_test for fit in fits)
        covered = sum(fit.covered for fit in fits) / rows
        ratio = seconds[name, method] / seconds.get((name, "NGBoost"), np.nan)
        print(
            f"{name:<10}{method:<16}{len(fits):>6}{rows:>11}{covered:>12.1%}"
            f"{seconds[name, method]:>11.2f} s"
            + ("" if np.isnan(ratio) else f"{ratio:>11.2f}")
        )


def print_origin(fits):
    """What was fitted, and a warning where it changed on the way."""
    codes = defaultdict(set)
    for fit in fits:
        codes[fit.method].add(fit.code)
    print(f"{platform.platform()}, Python {platform.python_version()}")
    for method, found in sorted(codes.items()):
        print(f"{method}: {', '.join(sorted(found))}")
        if len(found) > 1:
            print("  WARNING: rows of several versions. Take a new --out.")
    print()


def report(fits, options):
    """Print all tables and write OUT/table.csv."""
    if not fits:
        print(f"Nothing to report: {options.out} has no fit that was asked for.")
        return
    groups = grouped(fits)
    shown = {name for name, _ in groups}
    figures = list(measured(groups))
    figures += [row for row in published(options.data) if row.set in shown]
    print_origin(fits)
    print_tables(figures)
    print_coverage_and_seconds(groups)
    with (options.out / "table.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([Figure._fields, *figures])


def draw(fits, options, methods=("one network", "eight networks")):
    """PIT histograms: a panel for each set, methods as outlines."""
    from matplotlib.figure import Figure as Canvas

    groups = {key: group for key, group in grouped(fits).items() if key[1] in methods}
    names = list(dict.fromkeys(name for name, _ in groups))
    n_columns = min(3, max(1, len(names)))
    n_rows = -(-len(names) // n_columns) or 1
    canvas = Canvas(figsize=(3 * n_columns, 2.2 * n_rows), layout="constrained")
    panels = canvas.subplots(n_rows, n_columns, squeeze=False, sharex=True, sharey=True)
    for panel in panels.flat[len(names) :]:
        panel.set_axis_off()
    for name, panel in zip(names, panels.flat, strict=False):
        panel.axhline(1, color="0.7", linewidth=0.8)
        panel.set_title(name + " + noise" if name == DEQUANTISED else name)
        for colour, method in enumerate(methods):
            if (name, method) in groups:
                outline(panel, groups[name, method], options.out, f"C{colour}")
    labels = panels.flat[0].get_legend_handles_labels()
    canvas.legend(*labels, loc="outside upper center", ncols=len(methods))
    canvas.supxlabel("PIT value of a test row")
    canvas.supylabel("density")
    canvas.savefig(options.picture, dpi=150)


def outline(panel, fits, out, colour):
    """One histogram of the PIT values of all splits together."""
    pit = np.concatenate([np.load(pit_path(out, fit.task)) for fit in fits])
    heights, edges = np.histogram(pit, bins=20, range=(0, 1), density=True)
    panel.stairs(heights, edges, color=colour, label=fits[0].method)
