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
else the machine does slows all of them alike. Seconds are of ``fit`` alone: the package
was imported before the clock started. NGBoost is left out where ngboost is not
installed. ``--picture`` needs matplotlib; ``--markdown`` writes the tables of the page
about the defaults.
"""

import argparse
import importlib.util
import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from _uci_fits import (
    METHODS,
    SETS,
    Task,
    append,
    code_of,
    open_folder,
    read_fits,
    run_fit,
    set_path,
)
from _uci_markdown import markdown
from _uci_report import draw, grouped, report

ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")
}


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
    parser.add_argument("--markdown", type=Path, help="where to write tables")
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
    if options.markdown and fits:
        options.markdown.write_text(markdown(grouped(fits), options.data))
    if failed:
        raise SystemExit(f"{failed} fits failed: run again to try them once more.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\nInterrupted: run again to go on from here.")
        sys.stdout.flush()
        os._exit(130)  # and the workers with us, instead of waiting for their fits
