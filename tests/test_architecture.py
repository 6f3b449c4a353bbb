"""The house: who may import whom, what an import costs, what every name explains."""

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from numpydoc.validate import validate

import skmdn

ROOT = Path(skmdn.__file__).parent
DOCS = Path(__file__).parents[1] / "docs"
PAGES = [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))]

# A module may import only what its row names, and no row above may name it.
ARROWS = {
    "_rows": set(),
    "_folds": set(),
    "_budget": set(),
    "_covariance": set(),
    "_one_thread": set(),
    "_line": {"_one_thread"},
    "_tails": set(),
    "_scaling": {"_line", "_rows", "_tails"},
    "_blocks": set(),
    "_gaussian": {"_blocks"},
    "_checks": {"_gaussian"},
    "_roots": set(),
    "_univariate": {"_blocks"},
    "_quantile": {"_blocks", "_roots"},
    "_quadrature": {"_blocks"},
    "_modes": {"_blocks", "_roots", "_univariate"},
    "_highest_density": {"_blocks", "_modes", "_quantile", "_roots", "_univariate"},
    "_mean_shift": {"_blocks", "_gaussian"},
    "_energy": {"_blocks"},
    "_ensemble": set(),
    "_law_text": {"_gaussian"},
    "_questions": {
        "_checks",
        "_highest_density",
        "_mean_shift",
        "_modes",
        "_quantile",
        "_univariate",
    },
    "_joint": {"_checks", "_energy", "_gaussian", "_quadrature"},
    "_distribution": {
        "_checks",
        "_ensemble",
        "_gaussian",
        "_joint",
        "_law_text",
        "_questions",
    },
    "_network": {"_blocks", "_gaussian", "_covariance", "_scaling"},
    "_constraints": {"_checks", "_covariance", "_network"},
    "_pooling": {"_distribution", "_folds", "_network", "_rows"},
    "_seen_widths": {"_covariance", "_network", "_one_thread", "_rows"},
    "nn.arrays": set(),
    "nn.adam": {"nn.arrays"},
    "nn.activations": {"nn.arrays"},
    "nn.batches": {"nn.arrays"},
    "nn.record": {"nn.arrays"},
    "nn.countdown": {"nn.record"},
    "nn.initialization": {"_folds"},
    "_line_law": {"_gaussian", "_network", "_scaling", "nn.initialization"},
    "nn.likelihood": {"_covariance", "nn.arrays"},
    "nn.gradient": {"nn.activations", "nn.likelihood", "nn.arrays"},
    "nn.validation": {"_folds", "nn.batches", "nn.gradient", "nn.arrays"},
    "nn.widths": {"_folds", "nn.arrays", "nn.validation"},
    "nn.schedule": set(),
    "nn.steps": {"nn.adam", "nn.arrays", "nn.batches", "nn.gradient"},
    "nn.training": {
        "_one_thread",
        "nn.arrays",
        "nn.countdown",
        "nn.gradient",
        "nn.record",
        "nn.schedule",
        "nn.steps",
        "nn.validation",
        "nn.widths",
    },
    "nn.network": {
        "_constraints",
        "_covariance",
        "_gaussian",
        "_scaling",
        "_tails",
        "nn.initialization",
    },
    "nn": {"nn.network"},
    "_fitting": {
        "_budget",
        "_constraints",
        "_covariance",
        "_folds",
        "_line_law",
        "_network",
        "_pooling",
        "_rows",
        "_scaling",
        "_seen_widths",
        "nn.batches",
        "nn.initialization",
        "nn.training",
    },
    "_inputs": {"_checks", "_rows"},
    "_fitted": {"_covariance", "_fitting", "_network", "_scaling"},
    "_predictions": {"_checks", "_distribution", "_network", "nn"},
    "_regressor": {
        "_constraints",
        "_fitted",
        "_fitting",
        "_inputs",
        "_predictions",
    },
    "_transformed_law": set(),
    "_predicted_law": {"_transformed_law"},
    "_averages": {"_checks"},
    "_plot.axes": set(),
    "_plot.chance": set(),
    "_plot.laws": {"_checks", "_predicted_law"},
    "_plot.rows": {"_checks"},
    "_plot.grids": {"_plot.laws"},
    "_plot.conditional_density": {
        "_plot.axes",
        "_plot.grids",
        "_plot.laws",
        "_plot.rows",
    },
    "_plot.predictive_distribution": {"_plot.axes", "_plot.grids", "_plot.laws"},
    "_plot.pit": {
        "_averages",
        "_checks",
        "_folds",
        "_plot.axes",
        "_plot.chance",
        "_plot.laws",
    },
    "_plot.reliability": {
        "_averages",
        "_checks",
        "_folds",
        "_plot.axes",
        "_plot.chance",
        "_plot.laws",
    },
    "_plot.loss_curve": {"_plot.axes", "_predicted_law"},
    "_plot": {
        "_plot.conditional_density",
        "_plot.loss_curve",
        "_plot.pit",
        "_plot.predictive_distribution",
        "_plot.reliability",
    },
    "_scorer": {"_predicted_law"},
    "_scores": {"_averages", "_checks"},
    "_calibration": {"_averages", "_checks"},
    "metrics": {"_calibration", "_scorer", "_scores"},
    "": {"_distribution", "_plot", "_regressor"},
}
PUBLIC = {
    "skmdn": [
        "ConditionalDensityDisplay",
        "LossCurveDisplay",
        "MDNRegressor",
        "MixtureDistribution",
        "PITDisplay",
        "PredictiveDistributionDisplay",
        "ReliabilityDisplay",
        "__version__",
    ],
    "skmdn.nn": ["MixtureDensityNetwork"],
    "skmdn.metrics": [
        "calibration_error",
        "crps",
        "energy_score",
        "interval_coverage",
        "interval_score",
        "interval_width",
        "neg_crps",
        "neg_interval_score",
        "neg_log_likelihood",
        "neg_pinball",
        "negative_log_likelihood",
        "pinball_loss",
        "pit_values",
    ],
}
# numpydoc's codes for what the house does otherwise: the first line need not be an
# imperative, one line may be enough, a property explains itself in its class.
NOT_ASKED = {
    "ES01",
    "GL01",
    "SA01",
    "SS05",
    "SS06",
    "RT02",
    "RT03",
    "RT05",
    "PR09",
}


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def source_files():
    return sorted(ROOT.rglob("*.py"))


def imported_modules(tree):
    """Our own modules that a source file imports, anywhere in it."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    ours = {name.removeprefix("skmdn.") for name in found if name.startswith("skmdn.")}
    known = set(ARROWS)
    return {
        name if name in known else name.rpartition(".")[0]
        for name in ours
        if name in known or name.rpartition(".")[0] in known
    }


@pytest.mark.parametrize("path", source_files(), ids=module_name)
def test_arrows_are_those_of_the_drawing(path):
    assert imported_modules(ast.parse(path.read_text())) == ARROWS[module_name(path)]


def test_arrows_point_one_way():
    done = []
    for module, targets in ARROWS.items():
        assert targets <= set(done), f"{module} imports something drawn below it"
        done.append(module)


@pytest.mark.parametrize("path", source_files(), ids=module_name)
def test_every_file_states_its_one_idea(path):
    tree = ast.parse(path.read_text())
    first = ast.get_docstring(tree).splitlines()[0]
    assert first.endswith((".", ":"))
    assert len(path.read_text().splitlines()) <= 500


@pytest.mark.parametrize("path", source_files(), ids=module_name)
def test_functions_are_short(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            body = node.body[bool(ast.get_docstring(node)) :]
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 40, f"{node.name} has {lines} lines"


def test_every_module_is_drawn():
    found = {
        module.name.removeprefix("skmdn.")
        for module in pkgutil.walk_packages([str(ROOT)], "skmdn.")
    }
    assert found == set(ARROWS) - {""}


@pytest.mark.parametrize("module", PUBLIC)
def test_the_public_face_is_a_handful_of_names(module):
    assert sorted(importlib.import_module(module).__all__) == sorted(PUBLIC[module])


def public_objects():
    for module, names in PUBLIC.items():
        for name in names:
            thing = getattr(importlib.import_module(module), name)
            if callable(thing):
                yield f"{module}.{name}"
            if inspect.isclass(thing):
                for method, value in inspect.getmembers(thing, inspect.isroutine):
                    ours = (getattr(value, "__module__", "") or "").startswith("skmdn.")
                    if ours and not method.startswith("_"):
                        yield f"{module}.{name}.{method}"


@pytest.mark.parametrize("name", list(public_objects()))
def test_docstrings_are_numpydoc(name):
    errors = validate(name)["errors"]
    assert [error for error in errors if error[0] not in NOT_ASKED] == []


TORCH_FREE = """
import pickle, sys
import numpy as np
import skmdn
from sklearn.base import clone

model = pickle.load(open(sys.argv[1], "rb"))
clone(model).get_params()
X = np.zeros((2, 2))
model.predict(X, return_std=True)
model.sample(X, random_state=0)
model.score_samples(X, np.zeros(2))
model.score(X, np.arange(2.0))
assert "torch" not in sys.modules
model.fit(np.eye(4)[:, :2], np.arange(4.0))
model.partial_fit(np.eye(4)[:, :2], np.arange(4.0))
assert "torch" not in sys.modules
from skmdn.nn import MixtureDensityNetwork
assert "torch" in sys.modules
"""


def test_only_gpus_and_modules_import_torch(tmp_path):
    import pickle

    import numpy as np

    X = np.random.default_rng(0).normal(size=(50, 2))
    model = skmdn.MDNRegressor(max_iter=2, random_state=0).fit(X, X[:, 0])
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(model))
    subprocess.run([sys.executable, "-c", TORCH_FREE, path], check=True)


def test_submodules_are_imported_when_they_are_asked_for():
    code = (
        "import sys, skmdn;"
        "assert 'skmdn.metrics' not in sys.modules and 'metrics' in dir(skmdn);"
        "skmdn.metrics.crps, skmdn.nn.MixtureDensityNetwork"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="has no attribute 'metric'"):
        _ = skmdn.metric


def test_fit_imports_no_compiler():
    code = (
        "import sys, numpy as np, skmdn;"
        "skmdn.MDNRegressor(max_iter=2).fit(np.eye(20), np.arange(20.));"
        "assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_top_level_is_the_agreed_one():
    agreed = {"pyproject.toml", "README.md", "LICENSE", "skmdn", "tests", "docs"}
    if not (DOCS.parent / ".git").exists():
        pytest.skip("a copy without its history, of which no file is tracked")
    command = ["git", "ls-files"]
    tracked = subprocess.run(
        command, cwd=DOCS.parent, check=True, capture_output=True, text=True
    ).stdout.split()
    top = {name.split("/")[0] for name in tracked}
    assert {name for name in top if not name.startswith(".")} == agreed


def test_equations_are_numbered_in_order_and_cited_by_their_numbers():
    tags = re.findall(r"\\tag\{(\d+)\}", (DOCS / "theory.md").read_text())
    assert tags == [str(number) for number in range(1, len(tags) + 1)]
    cited = set()
    for path in [*source_files(), *DOCS.glob("*.md")]:
        for numbers in re.findall(
            r"\b(?:[Ee]quations?|[Ee]qs?\.)((?:\s+(?:to |and )?\(\d+\),?)+)",
            path.read_text(),
        ):
            cited |= set(re.findall(r"\d+", numbers))
    assert cited <= set(tags)
    assert {"1", "2", "9", "16", "19"} <= cited


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_between_pages_end_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        if ":" in path:
            continue
        linked = page.parent / path if path else page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(), flags=re.MULTILINE)
            anchors = {
                re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings
            }
            assert anchor in anchors, target


def test_the_page_on_how_to_use_it_runs():
    page = (DOCS / "how_to.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    names = {}
    exec("\n".join(blocks), names)
    assert names["density"].shape == (500,)


def test_an_import_brings_nothing_that_a_linear_model_does_not():
    def brought(module):
        code = f"import {module}, sys; print(*sys.modules)"
        command = [sys.executable, "-c", code]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
        return set(answer.stdout.split())

    more = brought("skmdn") - brought("sklearn.linear_model")
    assert {name for name in more if name.split(".")[0] != "skmdn"} == set()
