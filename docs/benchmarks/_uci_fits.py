"""One fit of the UCI benchmark, and the folder that keeps what came of it."""

import csv
import hashlib
import importlib
import time
from collections.abc import Callable
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
COVERAGE = 0.9


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
