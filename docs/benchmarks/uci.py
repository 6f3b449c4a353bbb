"""Nine UCI sets on their published splits: our defaults beside what others report.

``python docs/benchmarks/uci.py --data DIR`` reads ``DIR/uci/NAME.npz`` (or
``DIR/NAME.npz``; arrays X and y) and ``DIR/published.csv``, and follows the protocol of
Hernández-Lobato & Adams (2015): 20 splits, 5 of protein; a tenth of the rows for test;
a fit on the other nine tenths and nothing else; the negative log-likelihood, in nats
and units of y, and the error of the predicted mean; then mean and standard error over
splits. Every method has its defaults, and the number of the split for its seed. y of
wine takes six values, so that its density is unbounded: uniform noise of width 1 is
added to it first, no published figure is comparable, and it is reported apart.

Every finished fit leaves a row in ``OUT/fits.csv`` and the PIT values of its test rows
in ``OUT/pit``. A run that was interrupted goes on from there when it is started again;
``--report`` fits nothing and reports what is there. OUT is a folder ``uci_results``
where you stand unless ``--out`` says otherwise. It hides from git; a new one is due
whenever the defaults change, and the report says if rows of several versions meet.

Fits run side by side, each on one thread, and the methods take turns, so that whatever
else the machine does slows all of them alike. Seconds are of ``fit`` alone: torch, or
ngboost, was imported before the clock started. NGBoost is left out where ngboost is not
installed. ``--picture`` needs matplotlib.
"""

import argparse
import csv
import hashlib
import importlib
import importlib.util
import multiprocessing
import os
import platform
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np

import skmdn
from skmdn import MDNRegressor

# Splits of each set, those whose fits take longest first.
SETS = {
    "protein": 5,
    "naval": 20,
    "power": 20,
    "kin8nm": 20,
    "wine": 20,
    "concrete": 20,
    "energy": 20,
    "boston": 20,
    "yacht": 20,
}
DEQUANTISED = "wine"
STYLES = {"nll": ".3f", "rmse": "#.3g"}  # of our figures; others' stay as printed
COVERAGE = 0.9
THIS_RUN = "this run"
ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")
}


class Method(NamedTuple):
    """How to fit, and how to ask for a law with logpdf, cdf and mean."""

    package: str
    make: Callable
    law: Callable


class Task(NamedTuple):
    """One fit to make."""

    set: str
    method: str
    split: int


class Fit(NamedTuple):
    """One row of fits.csv."""

    set: str
    method: str
    split: int
    nll: float
    rmse: float
    covered: int
    fit_seconds: float
    predict_seconds: float
    n_test: int
    n_train: int
    code: str

    @property
    def task(self):
        return Task(self.set, self.method, self.split)


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


def ngboost(split):
    np.random.seed(split)  # noqa: NPY002  (its trees do not see its random_state)
    package = importlib.import_module("ngboost")
    return package.NGBRegressor(verbose=False, random_state=split)


METHODS = {
    "eight networks": Method(
        "skmdn.nn",
        lambda split: MDNRegressor(n_estimators=8, random_state=split),
        MDNRegressor.predict_distribution,
    ),
    "NGBoost": Method("ngboost", ngboost, lambda model, X: model.pred_dist(X).dist),
    "one network": Method(
        "skmdn.nn",
        lambda split: MDNRegressor(random_state=split),
        MDNRegressor.predict_distribution,
    ),
}


# The protocol


def set_path(data, name):
    for path in (data / "uci" / f"{name}.npz", data / f"{name}.npz"):
        if path.exists():
            return path
    raise SystemExit(
        f"{data} has neither uci/{name}.npz nor {name}.npz. Take another --data, or "
        "name the sets that are there by --sets."
    )


def load(data, name):
    """X (n, d) and y (n,) of a set."""
    with np.load(set_path(data, name)) as arrays:
        X, y = arrays["X"], arrays["y"]
    if name == DEQUANTISED:
        y = y + np.random.default_rng(0).uniform(-0.5, 0.5, len(y))
    return X, y


def split_rows(n, split):
    """Rows to train on and rows to test on, of one published split."""
    generator = np.random.RandomState(1)
    for _ in range(split + 1):
        order = generator.choice(range(n), n, replace=False)
    n_train = round(0.9 * n)
    return order[:n_train], order[n_train:]


def run_fit(task, data, out, code):
    """Fit, judge on the test rows and keep their PIT values; for a worker."""
    X, y = load(data, task.set)
    train, test = split_rows(len(y), task.split)
    method = METHODS[task.method]
    importlib.import_module(method.package)
    model = method.make(task.split)
    start = time.perf_counter()
    model.fit(X[train], y[train])
    fitted = time.perf_counter()
    law = method.law(model, X[test])
    predicted = time.perf_counter()
    pit = law.cdf(y[test])
    save_pit(pit, out, task)
    return Fit(
        *task,
        nll=float(-np.mean(law.logpdf(y[test]))),
        rmse=float(np.sqrt(np.mean((law.mean() - y[test]) ** 2))),
        covered=n_covered(pit),
        fit_seconds=round(fitted - start, 4),
        predict_seconds=round(predicted - fitted, 4),
        n_test=len(test),
        n_train=len(train),
        code=code,
    )


def n_covered(pit):
    """Observations in their equal-tailed interval: the PIT value is not in a tail."""
    return int(np.sum(np.abs(pit - 0.5) <= COVERAGE / 2))


# What is kept


def pit_path(out, task):
    method = task.method.lower().replace(" ", "-")
    return out / "pit" / f"{task.set}-{method}-{task.split}.npy"


def save_pit(pit, out, task):
    """Write the whole file or none, whenever the run is killed."""
    path = pit_path(out, task)
    unfinished = path.with_suffix(".tmp")
    with unfinished.open("wb") as file:
        np.save(file, pit)
    unfinished.replace(path)


def whole_lines(path):
    """The text without a last line that was only half written."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return text[: text.rfind("\n") + 1]


def read_fits(path):
    """The finished fits by task, of several of one task the last."""
    kinds = Fit.__annotations__.values()
    rows = list(csv.reader(whole_lines(path).splitlines()))[1:]
    fits = [
        Fit._make(kind(cell) for kind, cell in zip(kinds, row, strict=True))
        for row in rows
        if len(row) == len(kinds)
    ]
    return {fit.task: fit for fit in fits}


def open_folder(out):
    """Make the folder of results, or mend what an interrupted run left in it."""
    (out / "pit").mkdir(parents=True, exist_ok=True)
    (out / ".gitignore").write_text("*\n")
    for unfinished in (out / "pit").glob("*.tmp"):
        unfinished.unlink()
    header = ",".join(Fit._fields) + "\n"
    lines = whole_lines(out / "fits.csv") or header
    if not lines.startswith(header):
        raise SystemExit(
            f"{out / 'fits.csv'} has other columns than this script writes. "
            "Take another --out."
        )
    mended = out / "fits.csv.tmp"
    mended.write_text(lines, encoding="utf-8")
    mended.replace(out / "fits.csv")


def append(fit, path):
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow(fit)


def code_of(method):
    """Version of what is fitted; of ours a digest of the source too."""
    if METHODS[method].package == "ngboost":
        return f"ngboost {version('ngboost')}"
    root = Path(skmdn.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.read_bytes())
    return f"skmdn {skmdn.__version__} {digest.hexdigest()[:8]}"


# The run


def asked_tasks(options):
    """The fits asked for, those that take longest first, the methods in turns."""
    return [
        Task(name, method, split)
        for name, n_splits in SETS.items()
        if name in options.sets
        for split in range(min(n_splits, options.splits))
        for method in METHODS
        if method in options.methods
    ]


def able(methods):
    """The methods whose package is installed."""
    if "NGBoost" in methods and importlib.util.find_spec("ngboost") is None:
        print("NGBoost is left out: pip install ngboost")
        return [method for method in methods if method != "NGBoost"]
    return methods


def end_with_parent():
    """Leave Ctrl-C to the parent, but do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def run(tasks, options):
    """Make the fits and append each as it ends; how many failed."""
    os.environ.update(ONE_THREAD)  # workers read it when they import NumPy
    codes = {method: code_of(method) for method in {task.method for task in tasks}}
    failed = 0
    pool = ProcessPoolExecutor(  # no "with": it would finish all fits after Ctrl-C
        min(options.jobs, len(tasks)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=end_with_parent,
    )
    futures = {
        pool.submit(run_fit, task, options.data, options.out, codes[task.method]): task
        for task in tasks
    }
    for done, future in enumerate(as_completed(futures), 1):
        counter = f"{done:{len(str(len(tasks)))}}/{len(tasks)}"
        failed += keep(future, futures[future], counter, options.out)
    pool.shutdown()
    return failed


def keep(future, task, counter, out):
    """Append a fit that ended and say so; whether it failed."""
    start = f"{counter}  {task.set:<8}  {task.method:<14}  split {task.split:2}"
    try:
        fit = future.result()
    except BrokenProcessPool:
        raise SystemExit("A worker died: run again, with fewer --jobs?") from None
    except Exception as error:  # the other fits should not be lost
        print(f"{start}  failed: {error!r}", flush=True)
        return True
    append(fit, out / "fits.csv")
    print(
        f"{start}  NLL {fit.nll:7.3f}  RMSE {fit.rmse:#.3g}  {fit.fit_seconds:.1f} s",
        flush=True,
    )
    return False


# The report


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


# The command line


def chosen_from(known):
    """Parser of a list, which forgives the case and hyphens for spaces."""
    names = {name.lower(): name for name in known}

    def parse(text):
        words = [word.strip().lower().replace("-", " ") for word in text.split(",")]
        for word in words:
            if word not in names:
                raise argparse.ArgumentTypeError(
                    f"{word!r} is none of {', '.join(known)}"
                )
        return [names[word] for word in words]

    return parse


def parsed_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the sets")
    parser.add_argument("--out", type=Path, default=Path("uci_results"))
    for option, known in {"--sets": SETS, "--methods": METHODS}.items():
        parser.add_argument(
            option, type=chosen_from(known), default=list(known), help=", ".join(known)
        )
    parser.add_argument("--splits", type=int, default=20, help="at most")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--report", action="store_true", help="fit nothing")
    parser.add_argument("--picture", type=Path, help="where to draw PIT histograms")
    return parser.parse_args()


def main():
    options = parsed_options()
    tasks = asked_tasks(options)
    path = options.out / "fits.csv"
    failed = 0
    if not options.report:
        for name in options.sets:
            set_path(options.data, name)
        open_folder(options.out)
        methods, done = able(options.methods), read_fits(path)
        todo = [task for task in tasks if task.method in methods and task not in done]
        print(f"{len(todo)} fits to make, {options.jobs} at a time, into {options.out}")
        failed = run(todo, options) if todo else 0
    done = read_fits(path)
    fits = [done[task] for task in tasks if task in done]
    report(fits, options)
    if options.picture and fits:
        draw(fits, options)
    if failed:
        raise SystemExit(f"{failed} fits failed: run again to try them once more.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\nInterrupted: run again to go on from here.")
        sys.stdout.flush()
        os._exit(130)  # and the workers with us, instead of waiting for their fits
