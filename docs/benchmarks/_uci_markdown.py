"""The tables of docs/defaults.md: scores, errors, and what intervals hold and cost."""

from math import floor, log10

import numpy as np
from _uci_fits import COVERAGE
from _uci_report import measured, published

COLUMNS = {
    "one network": "one network",
    "eight networks": "`n_estimators=8`",
    "NGBoost": "NGBoost",
}


def markdown(groups, data):
    """The text of all three tables, a row for each set."""
    ours = {(f.set, f.method, f.metric): f for f in measured(groups)}
    others = published(data)
    tables = [score_table(ours, others), error_table(ours, others), held_table(groups)]
    return "\n".join(tables)


def score_table(ours, others):
    """Negative log-likelihoods beside the best that were published."""
    titles = ["NLL", "splits", *COLUMNS.values()]
    lines = header(*titles, "best published but TabPFN", "TabPFN")
    for name in names(ours):
        figures = in_columns(ours, name, "nll")
        scores = [cell(figure, 2) for figure in figures]
        rivals = [best(others, name), figure_of(others, name, "TabPFN", "nll")]
        lines += line(name, n_splits(figures), *scores, *rivals)
    return lines


def error_table(ours, others):
    """Errors of the predicted means, small ones with two digits."""
    lines = header("RMSE", *COLUMNS.values(), "NGBoost, published")
    for name in names(ours):
        figures = in_columns(ours, name, "rmse")
        smallest = min(float(figure.mean) for figure in figures if figure)
        digits = max(2, 1 - floor(log10(smallest)))
        errors = [cell(figure, digits) for figure in figures]
        theirs = figure_of(others, name, "NGBoost", "rmse")
        lines += line(name, *errors, theirs)
    return lines


def held_table(groups):
    """What intervals hold of all test rows, and what a fit costs."""
    asked = (
        f"{COVERAGE:.0%} intervals hold, all test rows pooled; seconds a fit, median"
    )
    lines = header(asked, *COLUMNS.values())
    for name in dict.fromkeys(name for name, _ in groups):
        cells = [held(groups.get((name, method))) for method in COLUMNS]
        lines += line(name, *cells)
    return lines


def header(*titles):
    return line(*titles) + "|---" * len(titles) + "|\n"


def line(*cells):
    return f"| {' | '.join(cells)} |\n".replace("| -", "| −")


def names(ours):
    """The sets, in their order."""
    return dict.fromkeys(name for name, _, _ in ours)


def in_columns(ours, name, metric):
    """Our figures, or None where a method was not run."""
    return [ours.get((name, method, metric)) for method in COLUMNS]


def cell(figure, digits):
    """Mean and standard error of one of our figures."""
    if figure is None:
        return ""
    mean = f"{float(figure.mean):.{digits}f}"
    return f"{mean} ± {float(figure.se):.{digits}f}" if figure.se else mean


def n_splits(figures):
    """How many splits, and of which method fewer."""
    counts = {f.method: int(f.n_splits) for f in figures if f}
    most = max(counts.values())
    fewer = [f"{n} of {method}" for method, n in counts.items() if n < most]
    return f"{most} ({', '.join(fewer)})" if fewer else str(most)


def best(others, name):
    """The lowest published score, TabPFN's left out."""
    found = [
        figure
        for figure in others
        if (figure.set, figure.metric) == (name, "nll")
        and not figure.method.startswith("TabPFN")
    ]
    if not found:
        return "not comparable"
    first = min(found, key=lambda figure: float(figure.mean))
    return f"{printed(first)} {first.method.split(' (')[0]}"


def figure_of(others, name, method, metric):
    """The figure published for a method, or nothing."""
    for figure in others:
        same = (figure.set, figure.metric) == (name, metric)
        if same and figure.method.startswith(method):
            return printed(figure)
    return ""


def printed(figure):
    """A published figure, with a star if its splits are not surely ours."""
    star = "" if figure.same_splits.startswith("yes") else r"\*"
    return f"{float(figure.mean):.2f}{star}"


def held(fits):
    if not fits:
        return ""
    share = sum(fit.covered for fit in fits) / sum(fit.n_test for fit in fits)
    seconds = np.median([fit.fit_seconds for fit in fits])
    return f"{share:.1%}; {seconds:.1f} s"
