"""What training and prediction cost, as ratios to what they are made of or rival.

``python docs/benchmarks/speed.py`` prints every ratio with its quartiles and target, on
one thread; names of sections (step, rivals, fit, rows, predict, import, outputs,
threads, gpu) restrict it to these. ``--cpu-time`` counts the processor's time, not the
clock's, for a machine that is busy; ``--markdown FILE`` also writes the table.
"""

import os

os.environ.update(  # heeded only before NumPy and torch are imported
    OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1"
)

import argparse
import subprocess
import sys
import textwrap
import time
import warnings
from pathlib import Path

import _timing
import numpy as np
import torch
from _contestants import (
    HIDDEN,
    PublishedLoop,
    TrainingSteps,
    mlp_steps,
    our_steps,
    products,
    regression_data,
)
from _timing import (
    Contestant,
    Ratio,
    in_turn,
    line,
    machine,
    markdown,
    ratio,
    values_in_turn,
)
from sklearn.neural_network import MLPRegressor

from skmdn import MDNRegressor

SIZES = {(1, 64): 2.5, (1, 256): 2.2, (8, 64): 2.0}  # members, batch: target
RAW = 15  # outputs of the network for K = 5 and one output


def step(rounds):
    """A whole step over its bare matrix products."""
    contestants = {}
    for M, B in SIZES:
        contestants["step", M, B] = our_steps(M, B)
        contestants["step, dropout=0", M, B] = our_steps(M, B, dropout=0.0)
        contestants["products", M, B] = products([8, *HIDDEN, RAW], M, B)
        contestants["products by torch", M, B] = products(
            [8, *HIDDEN, RAW], M, B, device="cpu"
        )
    times = in_turn(contestants, rounds)
    for (M, B), target in SIZES.items():
        for name in ("step", "step, dropout=0"):
            for bare in ("products", "products by torch"):
                label = f"{name} / {bare}, {M} x batch {B}"
                yield ratio(label, times[name, M, B], times[bare, M, B], target)
    for name, target in [("step", 4.5), ("step, dropout=0", 4.5), ("products", None)]:
        label = f"{name}, 8 members / 1 member, batch 64"
        yield ratio(label, times[name, 8, 64], times[name, 1, 64], target)


def rivals(rounds):
    """A whole step over those of two rivals."""
    for B in (64, 256):
        times = in_turn(
            {
                "step": our_steps(1, B),
                "step, dropout=0": our_steps(1, B, dropout=0.0),
                "MLPRegressor": mlp_steps(B),
                "MLPRegressor in float32": mlp_steps(B, dtype=np.float32),
                "published loop": PublishedLoop(B).contestant(),
            },
            rounds,
        )
        for name, target in [
            ("MLPRegressor", 0.5),
            ("MLPRegressor in float32", None),
            ("published loop", 0.17),
        ]:
            for step in ("step", "step, dropout=0"):  # no rival has dropout
                label = f"{step} / {name}'s, batch {B}"
                yield ratio(label, times[step], times[name], target)


class WholeFit:
    """A default fit, and how many steps it took in how many passes."""

    def __init__(self, X, y, n_members, n_steps):
        self.steps = TrainingSteps(X, y, n_steps, n_estimators=n_members)
        self.model = MDNRegressor(n_estimators=n_members, random_state=0)
        self.X, self.y = X, y

    def contestants(self, name):
        fit = Contestant(lambda: self.model.fit(self.X, self.y) and None)
        return {f"fit of {name}": fit, f"step of {name}": self.steps.contestant()}

    def over_steps(self, name, n_rows, times):
        fit, one_step = times[f"fit of {name}"], times[f"step of {name}"]
        taken = self.model.n_iter_ * self.steps.per_pass
        taken += self.model.refit_iterations_.max() * self.steps.per_refit_pass
        values = fit.seconds / (taken * one_step.seconds)
        detail = f"{fit} / ({taken} x {one_step})"
        return Ratio(f"fit of {name} / its steps, n = {n_rows}", values, 1.3, detail)


def fit(rounds):
    """Whole default fits over their steps, and eight members over one."""
    MDNRegressor(max_iter=1).fit(*regression_data(100))
    for n in (500, 5000, 50_000):
        X, y = regression_data(n, 10)
        n_steps = 500 if n < 50_000 else 1000
        one, eight = (WholeFit(X, y, M, n_steps) for M in (1, 8))
        contestants = one.contestants("one") | eight.contestants("eight")
        times = in_turn(contestants, min(rounds, 5 if n < 50_000 else 3), warm_up=False)
        yield one.over_steps("one", n, times)
        yield eight.over_steps("eight", n, times)
        fits = times["fit of eight"], times["fit of one"]
        yield ratio(f"fit of eight / fit of one, n = {n}", *fits, 4.5)


def rows(rounds):
    """Time per row and pass as the rows grow, and memory above X and y."""
    MDNRegressor(max_iter=1).fit(*regression_data(100))
    contestants = {}
    for n, passes in [(1000, 400), (10_000, 40), (100_000, 8), (1_000_000, 5)]:
        X, y = regression_data(n - n % 256, 10)
        model = MDNRegressor(
            hidden_layer_sizes=HIDDEN,
            batch_size=256,
            max_iter=passes,
            early_stopping=False,
            random_state=0,
        )
        contestants[n] = Contestant(
            lambda model=model, X=X, y=y: model.fit(X, y) and None, len(X) * passes
        )
    times = in_turn(contestants, min(rounds, 3), warm_up=False)
    for n in (1000, 10_000, 1_000_000):
        label = f"time per row and pass, n = {n} / n = 100000"
        yield ratio(label, times[n], times[100_000], 1.2)
    if Path("/proc/self/status").exists():
        yield peak_memory(1_000_000, 10)


def peak_memory(n_rows, n_features):
    """How far a fit's peak rises above what the process held before.

    The peak is that of the process's own memory: ``ru_maxrss`` of a subprocess may be
    its parent's.
    """
    code = f"""
        import sys
        from pathlib import Path
        import numpy as np
        from skmdn import MDNRegressor

        def held(what):
            for line in Path("/proc/self/status").read_text().splitlines():
                if line.startswith(what):
                    return int(line.split()[1]) * 1024 / 1e6

        rng = np.random.default_rng(0)
        X = rng.normal(size=({n_rows}, {n_features}))
        y = X[:, 0] + rng.normal(size={n_rows})
        before = held("VmRSS")
        MDNRegressor(batch_size=256, max_iter=1).fit(X, y)
        print(held("VmHWM") - before)
    """
    above = float(output_of(code))
    allowed = n_rows * (n_features + 1) * 4 / 1e6 + 100
    label = "peak memory over X and y / (float32 size + 100 MB)"
    return Ratio(
        label, np.array([above / allowed]), 1, f"{above:.0f} MB / {allowed:.0f} MB"
    )


def output_of(code, **environment):
    """What ``code`` prints in a fresh interpreter."""
    command = [sys.executable, "-c", textwrap.dedent(code)]
    variables = os.environ | environment
    variables = {name: value for name, value in variables.items() if value}
    return subprocess.run(
        command, env=variables, check=True, capture_output=True, text=True
    ).stdout


def predict(rounds):
    """Predictions over those of an MLPRegressor with the same layers."""
    X, y = regression_data(200_000)
    models = {
        "ours": MDNRegressor(max_iter=1, hidden_layer_sizes=HIDDEN),
        "ours with relu": MDNRegressor(
            max_iter=1, hidden_layer_sizes=HIDDEN, activation="relu"
        ),
        "MLPRegressor": MLPRegressor(hidden_layer_sizes=HIDDEN, max_iter=1),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for model in models.values():
            model.fit(X[:1000], y[:1000])
    for n, calls in [(200_000, 1), (1, 200)]:

        def run(model, n=n, calls=calls):
            for _ in range(calls):
                model.predict(X[:n])

        times = in_turn(
            {
                name: Contestant(lambda model=model, run=run: run(model), calls)
                for name, model in models.items()
            },
            rounds,
        )
        for name in list(models)[:2]:
            label = f"predict {n} row{'s' * (n > 1)}, {name} / MLPRegressor"
            yield ratio(label, times[name], times["MLPRegressor"], 1.5)


def imports(rounds):
    """Seconds of an import in a fresh process, and what must not come with it."""
    names = ["skmdn", "sklearn.linear_model"]

    def seconds(name):
        start = "import time; start = time.perf_counter()"
        return float(
            output_of(f"{start}; import {name}\nprint(time.perf_counter() - start)")
        )

    found = values_in_turn(
        {name: lambda name=name: seconds(name) for name in names}, max(rounds, 7)
    )
    ours, theirs = (found[name] for name in names)
    detail = f"{np.median(ours):.2f} s / {np.median(theirs):.2f} s"
    yield Ratio(
        "import skmdn / import sklearn.linear_model", ours / theirs, 1.1, detail
    )
    count = "import sys; print(sum(name.startswith({!r}) for name in sys.modules))"
    fit = "skmdn.MDNRegressor(max_iter=1).fit([[0], [1], [2], [3]], [0, 1, 2, 3])"
    for package, action in [("torch", ""), ("torch", fit)]:
        label = f"modules of {package} after {'fit' if action else 'import skmdn'}"
        code = f"import skmdn\n{action}\n{count.format(package)}"
        yield Ratio(label, np.array([int(output_of(code))]), 0)


def outputs(rounds):
    """Steps with more outputs or components over steps with fewer."""
    for B in (64, 256):
        eight = regression_data(64 * B, n_outputs=8)
        times = in_turn(
            {
                "full": our_steps(1, B, 64, eight, covariance_type="full"),
                "diag": our_steps(1, B, 64, eight, covariance_type="diag"),
                "K = 50": our_steps(1, B, n_components=50),
                "K = 5": our_steps(1, B, n_components=5),
            },
            rounds,
        )
        label = f"step of 8 outputs, full / diag, batch {B}"
        yield ratio(label, times["full"], times["diag"], 4)
        label = f"step, K = 50 / K = 5, batch {B}"
        yield ratio(label, times["K = 50"], times["K = 5"], 10)


def threads(rounds):
    """A fit left to choose its threads over a fit on one."""

    def seconds(hidden, batch_size, **environment):
        code = f"""
            import time
            import numpy as np
            from skmdn import MDNRegressor

            X = np.random.default_rng(0).normal(size=(4096, 8))
            model = MDNRegressor(
                hidden_layer_sizes={hidden}, batch_size={batch_size}, max_iter=8
            )
            model.fit(X[:100], X[:100, 0])
            seconds = []
            for _ in range(3):
                start = time.perf_counter()
                model.fit(X, X[:, 0])
                seconds.append(time.perf_counter() - start)
            print(np.median(seconds))
        """
        return float(output_of(code, **environment))

    any_number = {name: "" for name in os.environ if name.endswith("_NUM_THREADS")}
    for hidden, batch_size in [(HIDDEN, 64), ((256, 256), 1024)]:
        found = values_in_turn(
            {
                "own choice": lambda h=hidden, b=batch_size: seconds(
                    h, b, **any_number
                ),
                "one thread": lambda h=hidden, b=batch_size: seconds(h, b),
            },
            min(rounds, 5),
        )
        label = f"own number of threads / one, {hidden}, batch {batch_size}"
        yield Ratio(label, found["own choice"] / found["one thread"], 1.05)


def gpu(rounds):
    """Steps of eight wide members on a GPU over their products, and over a CPU's."""
    if not torch.cuda.is_available():
        print("(no GPU is at hand)")
        return
    M, B, hidden = 8, 4096, (256, 256)
    data = regression_data(1_000_000, 50)
    parameters = {"data": data, "hidden_layer_sizes": hidden}
    times = in_turn(
        {
            "GPU": our_steps(M, B, 100, device="cuda", **parameters),
            "products": products([50, *hidden, RAW], M, B, 100, device="cuda"),
            "CPU": our_steps(M, B, 2, **parameters),
        },
        min(rounds, 5),
    )
    name = torch.cuda.get_device_name()
    yield ratio(f"step / products, {name}", times["GPU"], times["products"])
    yield ratio(f"step, {name} / CPU, one thread", times["GPU"], times["CPU"])


SECTIONS = {
    "step": step,
    "rivals": rivals,
    "fit": fit,
    "rows": rows,
    "predict": predict,
    "import": imports,
    "outputs": outputs,
    "threads": threads,
    "gpu": gpu,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="section", help="all by default")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--cpu-time", action="store_true")
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    if options.cpu_time:
        _timing.clock = time.process_time
    unknown = set(options.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no such section: {unknown}; there are {', '.join(SECTIONS)}")
    print(*machine(), sep="\n")
    found = {}
    for name in options.sections or SECTIONS:
        print(f"\n{name}: {SECTIONS[name].__doc__}")
        found[name] = []
        for measured in SECTIONS[name](options.rounds):
            found[name].append(measured)
            print(line(measured), flush=True)
    if options.markdown:
        options.markdown.write_text(markdown(found))


if __name__ == "__main__":
    main()
