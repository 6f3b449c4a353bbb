"""Ratios of times taken in turn: measured, judged against a target, and printed.

Contestants take turns round after round, so that whatever else the machine does meets
all of them alike; a ratio is taken within each round and its median is reported.
"""

import datetime
import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np

clock = time.perf_counter  # or time.process_time


class Contestant(NamedTuple):
    """Work that takes ``steps`` steps, and returns its loss if it has one."""

    run: Callable
    steps: int = 1


class Times(NamedTuple):
    """Seconds a step (rounds,), and the loss of each round that had one."""

    seconds: np.ndarray
    losses: list

    def check_learning(self, name):
        """Refuse the times of a training that does not learn."""
        if self.losses and not self.losses[-1] < self.losses[0]:
            raise RuntimeError(
                f"{name} does not learn: its loss went from {self.losses[0]} to "
                f"{self.losses[-1]}, so its times mean nothing."
            )

    def __str__(self):
        return duration(np.median(self.seconds))


class Ratio(NamedTuple):
    """One line of the report: what was measured, and what was asked for."""

    name: str
    values: np.ndarray  # of each round
    target: float | None = None  # at most this; None where nothing is asked for
    detail: str = ""

    @property
    def median(self):
        return np.median(self.values)

    @property
    def measured(self):
        low, high = np.quantile(self.values, [0.25, 0.75])
        return f"{self.median:.2f} [{low:.2f} - {high:.2f}]"

    @property
    def verdict(self):
        if self.target is None:
            return ""
        return "ok" if self.median <= self.target else "MISSED"

    @property
    def asked(self):
        return "" if self.target is None else f"<= {self.target:g}"


def in_turn(contestants, rounds, warm_up=True):
    """Times of each contestant, by name; one more round goes first, unless told not."""
    names = list(contestants)
    seconds, losses = ({name: [] for name in names} for _ in range(2))
    for this in range(rounds + warm_up):
        for name in names if this % 2 else reversed(names):
            run, steps = contestants[name]
            start = clock()
            loss = run()
            taken = clock() - start
            if isinstance(loss, float):
                losses[name].append(loss)
            if this >= warm_up:
                seconds[name].append(taken / steps)
    times = {name: Times(np.array(seconds[name]), losses[name]) for name in names}
    for name, taken in times.items():
        taken.check_learning(name)
    return times


def values_in_turn(functions, rounds):
    """Numbers (rounds,) that each function returns, by name, called in turn."""
    values = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            values[name].append(function())
    return {name: np.array(found) for name, found in values.items()}


def ratio(name, ours, theirs, target=None):
    """The line for two `Times` of one run."""
    values = ours.seconds / theirs.seconds
    return Ratio(name, values, target, f"{ours} / {theirs}")


def duration(seconds):
    """A time with three digits and its unit."""
    units = {"s": 1, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}
    unit = next((unit for unit, size in units.items() if seconds >= size), "ns")
    return f"{seconds / units[unit]:.3g} {unit}"


def machine():
    """Where and when this runs, in lines."""
    packages = ["torch", "numpy", "scikit-learn"]
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return [
        f"{_processor()}, {os.cpu_count()} cores; {platform.system()}",
        f"Python {platform.python_version()}, {versions}",
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
    ]


def _processor():
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def line(ratio):
    """A ratio for the terminal."""
    return (
        f"{ratio.name:<56} {ratio.measured:<22} {ratio.asked:<9} {ratio.verdict:<7} "
        f"{ratio.detail}"
    ).rstrip()


def markdown(sections):
    """A page's table of lists of ratios, by section."""
    lines = [*(f"{text}  " for text in machine()), ""]
    lines += ["| | measured | asked | | times |", "|---|---|---|---|---|"]
    for name, ratios in sections.items():
        lines.append(f"| **{name}** | | | | |")
        for r in ratios:
            cells = [r.name, r.measured, r.asked, r.verdict, r.detail]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
