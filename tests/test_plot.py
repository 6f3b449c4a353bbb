"""Displays: the numbers in the picture are the law's answers."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import random_law
from scipy.integrate import trapezoid
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmdn import MDNRegressor, MixtureDistribution
from skmdn._plot import (
    ConditionalDensityDisplay,
    LossCurveDisplay,
    PITDisplay,
    PredictiveDistributionDisplay,
    ReliabilityDisplay,
)
from skmdn._plot.chance import band_of_counts

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

OF_OBSERVATIONS = [PITDisplay, ReliabilityDisplay, PredictiveDistributionDisplay]


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    return X, X[:, 0] * rng.choice([-1, 1], 200) + 0.1 * rng.normal(size=200)


@pytest.fixture(scope="module")
def model(data):
    return MDNRegressor(n_components=3, max_iter=20, random_state=0).fit(*data)


@pytest.fixture(scope="module")
def ensemble(data):
    return MDNRegressor(2, n_estimators=3, max_iter=40, random_state=0).fit(*data)


def one_output(rng, n=20):
    return random_law(rng, n, n_outputs=1)


def two_needles(n=5):
    """Laws far narrower than the distance of their modes."""
    weights = np.full((n, 2), [0.3, 0.7])
    return MixtureDistribution(weights, np.full((n, 2), [-1.0, 1.0]), weights * 1e-8)


# Heat map


@pytest.mark.parametrize("make", [lambda: two_needles(5), None], ids=["needles", "any"])
def test_a_heat_map_integrates_to_one(rng, make):
    law = make() if make else one_output(rng, 5)
    display = ConditionalDensityDisplay.from_predictions(None, law, np.arange(5.0))
    mass = display.density @ np.diff(display.y_edges)
    np.testing.assert_allclose(mass, 1, atol=0.002 + 1e-9)


def test_a_heat_map_has_the_densities_of_the_law(rng):
    law = one_output(rng, 5)
    display = ConditionalDensityDisplay.from_predictions(None, law, np.arange(5.0))
    middles = (display.y_edges[1:] + display.y_edges[:-1]) / 2
    for row, density in enumerate(display.density):
        expected = law[[row] * len(middles)].pdf(middles)
        np.testing.assert_allclose(density, expected, atol=0.01 * expected.max())


def test_a_heat_map_has_the_interval_and_the_modes_of_the_law(rng):
    law, x = one_output(rng, 5), np.arange(5.0)
    display = ConditionalDensityDisplay.from_predictions(
        None, law, x, coverage=0.8, modes=True
    )
    np.testing.assert_array_equal(display.interval, law.interval(0.8))
    for value, modes in zip(x, law.modes(), strict=True):
        of_row = display.modes[display.modes[:, 0] == value]
        np.testing.assert_array_equal(of_row[:, 1], modes)
        assert of_row[0, 2] == 1
        assert (np.diff(of_row[:, 2]) <= 0).all()


def test_the_order_of_laws_does_not_matter(rng):
    law, x = one_output(rng, 6), np.arange(6.0)
    order = rng.permutation(6)
    one = ConditionalDensityDisplay.from_predictions(None, law, x)
    other = ConditionalDensityDisplay.from_predictions(None, law[order], x[order])
    np.testing.assert_array_equal(one.x, other.x)
    np.testing.assert_array_equal(one.density, other.density)


def test_a_heat_map_shows_what_was_observed(model, data):
    X, y = data
    display = ConditionalDensityDisplay.from_estimator(model, X, y, feature=1)
    np.testing.assert_array_equal(display.observed, np.column_stack([X[:, 1], y]))
    np.testing.assert_array_equal(display.observations_.get_offsets(), display.observed)
    assert display.y_edges[0] <= y.min()
    assert display.y_edges[-1] >= y.max()


@pytest.mark.parametrize("held", [None, {0: 1.5}])
def test_other_features_are_held(model, data, held):
    X, _ = data
    x = np.linspace(-1, 1, 7)
    display = ConditionalDensityDisplay.from_estimator(
        model, X, feature=1, held=held, x=x
    )
    first = np.median(X[:, 0]) if held is None else 1.5
    law = model.predict_distribution(np.column_stack([np.full(7, first), x]))
    same = ConditionalDensityDisplay.from_predictions(None, law, x)
    np.testing.assert_array_equal(display.density, same.density)
    np.testing.assert_array_equal(display.interval, same.interval)


def mixed_frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "length": rng.normal(size=60),
            "colour": pd.Categorical(["red", "blue", "blue"] * 20),
            "number": rng.integers(5, size=60),
        }
    )


def test_a_frame_keeps_its_names_and_its_words():
    from sklearn.compose import make_column_transformer
    from sklearn.preprocessing import OneHotEncoder

    X = mixed_frame()
    y = pd.Series(X["length"] + (X["colour"] == "red"), name="weight")
    encode = make_column_transformer(
        (OneHotEncoder(), ["colour"]), remainder="passthrough"
    )
    model = make_pipeline(encode, MDNRegressor(2, max_iter=5, random_state=0))
    model.fit(X, y)
    one, other = (
        ConditionalDensityDisplay.from_estimator(
            model, X, y, feature=feature, held=held
        )
        for feature, held in [("length", {"colour": "blue"}), (0, None)]
    )
    np.testing.assert_array_equal(one.density, other.density)
    assert one.ax_.get_xlabel() == "length"
    assert one.ax_.get_ylabel() == "weight"


def test_an_array_has_the_names_of_the_fit():
    X = mixed_frame()[["length", "number"]]
    model = MDNRegressor(2, max_iter=2, random_state=0).fit(X, X["length"])
    with pytest.warns(UserWarning, match="valid feature names"):
        display = ConditionalDensityDisplay.from_estimator(
            model, X.to_numpy(), feature="number"
        )
    assert display.ax_.get_xlabel() == "number"


# A few rows


def test_curves_are_the_densities_of_the_law(rng):
    law = one_output(rng, 4)
    display = PredictiveDistributionDisplay.from_predictions(None, law)
    for row in range(4):
        law_of_row = law[[row] * display.y_grid.shape[1]]
        np.testing.assert_array_equal(
            display.density[row], law_of_row.pdf(display.y_grid[row])
        )
    np.testing.assert_array_equal(display.interval, law.interval(0.9))
    for ours, regions in zip(
        display.regions, law.highest_density_region(0.9), strict=True
    ):
        np.testing.assert_array_equal(ours, regions)


def test_no_peak_falls_between_the_points_of_a_curve(rng):
    for law in [two_needles(2), one_output(rng, 4)]:
        display = PredictiveDistributionDisplay.from_predictions(None, law)
        np.testing.assert_allclose(
            trapezoid(display.density, display.y_grid, axis=1), 1, atol=0.01
        )
        np.testing.assert_array_equal(display.density.max(axis=1), law.pdf(law.mode()))


def test_the_pieces_of_a_region_are_drawn():
    display = PredictiveDistributionDisplay.from_predictions([0.5, 1.0], two_needles(2))
    assert [len(area.get_paths()) for area in display.areas_] == [2, 2]
    np.testing.assert_array_equal(display.dots_.get_xdata(), [0.5, 1.0])


def test_rows_have_the_names_they_are_given(rng):
    display = PredictiveDistributionDisplay.from_predictions(
        None, one_output(rng, 2), row_names=["you", 7]
    )
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels == ["you", "7"]


# Calibration


def test_the_bars_of_draws_stay_inside_their_band():
    from scipy.stats import kstest

    law = one_output(np.random.default_rng(0), 2000)
    display = PITDisplay.from_predictions(law.sample(random_state=0)[:, 0], law)
    assert kstest(display.pit_values, "uniform").pvalue > 0.05
    assert (display.density >= display.band[0]).all()
    assert (display.density <= display.band[1]).all()
    np.testing.assert_allclose(display.density.mean(), 1)


def test_the_curve_of_draws_stays_inside_its_band():
    law = one_output(np.random.default_rng(1), 2000)
    display = ReliabilityDisplay.from_predictions(law.sample(random_state=0)[:, 0], law)
    assert (display.observed >= display.band[0]).all()
    assert (display.observed <= display.band[1]).all()


@pytest.mark.parametrize("width", [0.5, 2.0])
def test_laws_of_a_wrong_width_leave_the_bands(width):
    right = MixtureDistribution(*np.ones((3, 500, 1)))
    wrong = MixtureDistribution(right.weights, np.ones((500, 1)), [[width**2]] * 500)
    y = right.sample(random_state=0)[:, 0]
    pit = PITDisplay.from_predictions(y, wrong)
    curve = ReliabilityDisplay.from_predictions(y, wrong)
    ends = pit.density[[0, -1]]
    assert (ends > pit.band[1]).all() if width < 1 else (ends < pit.band[0]).all()
    middle = len(curve.nominal) // 2
    if width < 1:
        assert curve.observed[middle] < curve.band[0, middle]
    else:
        assert curve.observed[middle] > curve.band[1, middle]


def test_coverage_is_that_of_the_law_s_intervals(rng):
    law = one_output(rng, 300)
    y = rng.normal(scale=2, size=300)
    display = ReliabilityDisplay.from_predictions(y, law, coverage=[0.9, 0.2, 0.5])
    np.testing.assert_array_equal(display.nominal, [0.2, 0.5, 0.9])
    for nominal, observed in zip(display.nominal, display.observed, strict=True):
        low, high = law.interval(nominal).T
        assert observed == np.mean((low <= y) & (y <= high))


def test_a_row_of_weight_two_is_that_row_twice(rng):
    law, y = one_output(rng, 60), rng.normal(scale=2, size=60)
    weights = rng.integers(0, 4, size=60)
    rows = np.repeat(np.arange(60), weights)
    pits, curves = (
        [
            display.from_predictions(y, law, sample_weight=weights),
            display.from_predictions(y[rows], law[rows]),
        ]
        for display in (PITDisplay, ReliabilityDisplay)
    )
    np.testing.assert_allclose(pits[0].density, pits[1].density, rtol=1e-12)
    np.testing.assert_allclose(curves[0].observed, curves[1].observed, rtol=1e-12)


@pytest.mark.parametrize("display", [PITDisplay, ReliabilityDisplay])
def test_chance_is_that_of_as_many_rows_as_the_weights_are_worth(rng, display):
    law, y = one_output(rng, 90), rng.normal(size=90)
    weights = np.where(np.arange(90) < 30, 0.7, 0)
    weighted = display.from_predictions(y, law, sample_weight=weights)
    alone = display.from_predictions(y[:30], law[:30])
    np.testing.assert_array_equal(weighted.band, alone.band)
    with pytest.raises(ValueError, match=r"sample_weight must have shape \(90,\)"):
        display.from_predictions(y, law, sample_weight=weights[:4])


@pytest.mark.parametrize("cumulative", [False, True])
@pytest.mark.parametrize("n", [40, 1000])
def test_right_laws_stay_inside_a_band_as_often_as_it_says(n, cumulative):
    edges = np.linspace(0.1, 0.9, 9) if cumulative else np.linspace(0, 1, 11)
    probabilities = edges if cumulative else np.diff(edges)
    low, high = band_of_counts(n, probabilities, 0.9, cumulative)
    values = np.random.default_rng(7).uniform(size=(4000, n))
    if cumulative:
        counts = (values[..., None] <= edges).sum(axis=1)
    else:
        counts = np.stack([np.histogram(row, edges)[0] for row in values])
    inside = ((counts >= low) & (counts <= high)).all(axis=1).mean()
    assert 0.885 < inside < 0.965  # counts are discrete, so a little more than 0.9


def test_a_band_narrows_with_rows_and_widens_with_confidence():
    def width(n, confidence):
        return np.ptp(band_of_counts(n, [0.5], confidence)) / n

    assert width(1000, 0.9) < width(100, 0.9) < width(100, 0.99)


# The history of a fit


@pytest.mark.parametrize("name", ["model", "ensemble"])
def test_the_marked_iteration_is_the_restored_one(name, request):
    fitted = request.getfixturevalue(name)
    display = LossCurveDisplay.from_estimator(fitted)
    np.testing.assert_array_equal(display.best_.get_xdata(), fitted.best_iteration_)
    for member, best in enumerate(fitted.best_iteration_):
        scores = fitted.validation_scores_[member]
        assert display.best_.get_ydata()[member] == -scores[best - 1]
    assert len(display.training_) == len(display.validation_) == len(fitted.coefs_[0])
    passes, losses = display.training_[0].get_data()
    np.testing.assert_array_equal(passes, np.arange(1, fitted.n_iter_ + 1))
    np.testing.assert_array_equal(losses, fitted.loss_curve_[0])


def test_members_share_one_entry_in_the_legend(ensemble):
    legend = LossCurveDisplay.from_estimator(ensemble).ax_.get_legend()
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["training", "validation", "kept"]


def test_without_validation_the_training_loss_is_marked(data):
    X, y = data
    fits = [
        MDNRegressor(2, max_iter=3, early_stopping=False, random_state=0).fit(X, y),
        MDNRegressor(2, random_state=0).partial_fit(X, y).partial_fit(X, y),
    ]
    for fitted in fits:
        display = LossCurveDisplay.from_estimator(fitted)
        assert display.validation_ == []
        best = fitted.best_iteration_[0]
        assert display.best_.get_ydata()[0] == fitted.loss_curve_[0, best - 1]


# What all of them do


@pytest.mark.parametrize("display", OF_OBSERVATIONS)
def test_both_constructors_agree(display, model, data):
    X, y = data[0][:30], data[1][:30]
    one = display.from_estimator(model, X, y)
    other = display.from_predictions(y, model.predict_distribution(X))
    for name, values in vars(one).items():
        if not name.endswith("_") and not isinstance(values, list):
            np.testing.assert_array_equal(values, getattr(other, name), err_msg=name)


def all_displays(estimator, X, y, **options):
    yield ConditionalDensityDisplay.from_estimator(estimator, X, y, **options)
    for display in OF_OBSERVATIONS:
        yield display.from_estimator(estimator, X[:30], y[:30], **options)
    yield LossCurveDisplay.from_estimator(estimator, **options)


def test_plot_draws_as_often_as_it_is_asked_to(model, data):
    for display in all_displays(model, *data):
        first = display.ax_
        assert display.plot() is display
        assert display.ax_ is not first
        assert display.figure_ is display.ax_.figure
        drawn = [len(ax.get_children()) for ax in (first, display.ax_)]
        assert drawn[0] == drawn[1]


def test_the_given_axes_are_used(model, data):
    _, ax = plt.subplots()
    for display in all_displays(model, *data, ax=ax):
        assert display.ax_ is ax
        assert display.figure_ is ax.figure
    assert len(plt.get_fignums()) == 1


def test_displays_see_through_pipelines_and_searches(model, data):
    X, y = data
    unchanged = StandardScaler(with_mean=False, with_std=False)
    pipeline = make_pipeline(unchanged, clone(model)).fit(X, y)
    search = GridSearchCV(pipeline, {"mdnregressor__max_iter": [20]}, cv=2).fit(X, y)
    for wrapped in [pipeline, search]:
        for plain, through in zip(
            all_displays(model, X, y), all_displays(wrapped, X, y), strict=True
        ):
            for name, values in vars(plain).items():
                if not name.endswith("_") and not isinstance(values, list):
                    np.testing.assert_array_equal(values, getattr(through, name))


def test_displays_survive_a_pickle(model, data):
    import pickle

    display = PITDisplay.from_estimator(model, *data)
    del display.ax_, display.figure_, display.bars_, display.band_
    again = pickle.loads(pickle.dumps(display)).plot()
    np.testing.assert_array_equal(again.density, display.density)


def test_a_column_of_y_is_as_good(model, data):
    X, y = data[0][:30], data[1][:30]
    for display in OF_OBSERVATIONS:
        one, other = (display.from_estimator(model, X, v) for v in (y, y[:, None]))
        for name, values in vars(one).items():
            if isinstance(values, np.ndarray):
                np.testing.assert_array_equal(values, getattr(other, name))


# Mistakes


@pytest.mark.parametrize("display", OF_OBSERVATIONS)
def test_two_outputs_are_sent_to_the_marginal(display, rng):
    law, y = random_law(rng, 5), np.zeros((5, 2))
    with pytest.raises(ValueError, match=r"2 outputs.*law.marginal\(0\)"):
        display.from_predictions(y, law)
    display.from_predictions(y[:, 0], law.marginal(0))


def test_a_heat_map_sends_two_outputs_to_the_marginal(rng):
    with pytest.raises(ValueError, match=r"law.marginal\(0\)"):
        ConditionalDensityDisplay.from_predictions(None, random_law(rng), np.arange(4))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"feature": 2}, r"feature must name features by 0 to 1 .*got 2"),
        ({"feature": "size"}, "got 'size'"),
        ({"held": {"x7": 0}}, "held must name features .*got 'x7'"),
        ({"coverage": 90}, "divided by 100"),
        ({"x": [1.0, 1.0]}, "two different values of x"),
    ],
)
def test_a_heat_map_names_what_is_wrong(model, data, options, message):
    with pytest.raises(ValueError, match=message):
        ConditionalDensityDisplay.from_estimator(model, *data, **options)


def test_shapes_that_do_not_fit_are_named(rng):
    law = one_output(rng, 4)
    with pytest.raises(ValueError, match=r"x must have shape \(4,\).*got \(3,\)"):
        ConditionalDensityDisplay.from_predictions(None, law, np.arange(3))
    with pytest.raises(ValueError, match="different values of x, all finite"):
        ConditionalDensityDisplay.from_predictions(None, law, [0, 1, 2, np.nan])
    with pytest.raises(ValueError, match=r"y must have shape \(4,\).*got \(3,\)"):
        ConditionalDensityDisplay.from_predictions(np.zeros(3), law, np.arange(4))
    with pytest.raises(ValueError, match=r"x_observed must have shape \(3,\)"):
        ConditionalDensityDisplay.from_predictions(
            np.zeros(3), law, np.arange(4), x_observed=np.arange(4)
        )
    for display in OF_OBSERVATIONS:
        with pytest.raises(ValueError, match=r"y must have shape \(4,\)"):
            display.from_predictions(np.zeros(3), law)


def test_too_many_rows_are_refused(rng):
    with pytest.raises(ValueError, match=r"from 1 to 50 rows, got 51.*law\[:8\]"):
        PredictiveDistributionDisplay.from_predictions(None, one_output(rng, 51))


@pytest.mark.parametrize("display", OF_OBSERVATIONS)
def test_no_rows_are_refused(display, rng):
    with pytest.raises(ValueError, match=r"no rows|from 1 to 50 rows"):
        display.from_predictions(np.zeros(0), one_output(rng, 3)[:0])


@pytest.mark.parametrize("display", [PITDisplay, ReliabilityDisplay])
def test_a_confidence_is_no_percentage(display, rng):
    with pytest.raises(ValueError, match=r"confidence must be above 0 .*got 95"):
        display.from_predictions(np.zeros(4), one_output(rng, 4), confidence=95)


@pytest.mark.parametrize(
    ("display", "keywords", "message"),
    [
        (PITDisplay, {"n_bins": 0}, "n_bins must be an integer of at least 1, got 0"),
        (PITDisplay, {"n_bins": True}, "n_bins must be .* got True"),
        (PITDisplay, {"confidence": "a"}, "confidence must be above 0 .* got 'a'"),
        (ReliabilityDisplay, {"coverage": [0, 0.5]}, "coverage must be above 0 .*0.0"),
        (ReliabilityDisplay, {"coverage": []}, "coverage must name at least one"),
        (PredictiveDistributionDisplay, {"row_names": "abc"}, "each of the 4 rows"),
        (PredictiveDistributionDisplay, {"coverage": 1}, "coverage must be .* below 1"),
        (
            ConditionalDensityDisplay,
            {"x": np.arange(4), "coverage": 90},
            "coverage must be .* got 90",
        ),
    ],
)
def test_arguments_that_make_no_picture_are_named(display, keywords, message, rng):
    with pytest.raises(ValueError, match=message):
        display.from_predictions(np.zeros(4), one_output(rng, 4), **keywords)


@pytest.mark.parametrize(
    "display",
    [
        PITDisplay,
        ReliabilityDisplay,
        PredictiveDistributionDisplay,
        ConditionalDensityDisplay,
    ],
)
def test_the_law_comes_second(display, rng):
    x = [np.zeros(4)] if display is ConditionalDensityDisplay else []
    with pytest.raises(TypeError, match=r"law must be .* got ndarray"):
        display.from_predictions(one_output(rng, 4), np.zeros(4), *x)


def test_lines_that_are_none_are_named(data, model):
    X, _ = data
    for rows, x, message in [
        (X, 3, "x must be a list"),
        (X, [[0, 1]], "x must be a list"),
        (X[:0], None, "X must have shape .* at least one row"),
        (X[:, 0], None, "X must have shape"),
    ]:
        with pytest.raises(ValueError, match=message):
            ConditionalDensityDisplay.from_estimator(model, rows, x=x)


def test_a_feature_that_is_no_number_has_no_line(data, model):
    rows = np.array([["u", 1.0], ["v", 2.0]], dtype=object)
    with pytest.raises(ValueError, match="feature 'x0' must be real numbers"):
        ConditionalDensityDisplay.from_estimator(model, rows)


def test_a_history_without_a_number_is_drawn_as_it_is():
    nothing = np.full((2, 3), np.nan)
    display = LossCurveDisplay(
        training_loss=nothing, validation_loss=nothing, best_iteration=np.zeros(2)
    )
    assert len(display.plot().training_) == 2


def test_what_is_held_is_named_by_its_feature(data, model):
    with pytest.raises(ValueError, match=r"held must be a dict .* got 'mean'"):
        ConditionalDensityDisplay.from_estimator(model, data[0], held="mean")


def test_estimators_without_a_law_are_named(data):
    X, y = data
    with pytest.raises(TypeError, match="LinearRegression has no predict_dist"):
        PITDisplay.from_estimator(LinearRegression().fit(X, y), X, y)
    with pytest.raises(TypeError, match="LinearRegression has no history"):
        LossCurveDisplay.from_estimator(LinearRegression().fit(X, y))


def test_what_is_wrong_with_features_is_said(data, model):
    with pytest.raises(TypeError, match="dense data is required"):
        PITDisplay.from_estimator(model, csr_array(data[0]), data[1])


@pytest.mark.parametrize("display", [PITDisplay, LossCurveDisplay])
def test_what_is_not_fitted_says_so(display, data):
    rows = data if display is PITDisplay else ()
    for estimator in [MDNRegressor(), GridSearchCV(MDNRegressor(), {})]:
        with pytest.raises(NotFittedError):
            display.from_estimator(estimator, *rows)


def test_a_transformed_target_is_sent_to_its_own_scale(data):
    X, y = data
    network = MDNRegressor(2, max_iter=2, random_state=0)
    model = TransformedTargetRegressor(network, func=np.exp, inverse_func=np.log)
    model.fit(X, y)
    with pytest.raises(ValueError, match=r"estimator.regressor_.predict"):
        PredictiveDistributionDisplay.from_estimator(model, X[:4], y[:4])
    law = model.regressor_.predict(X[:4], output_type="distribution")
    PredictiveDistributionDisplay.from_predictions(np.exp(y[:4]), law)


@pytest.mark.parametrize("sign", [1, -1])
def test_calibration_of_a_transformed_target_is_that_of_its_law(data, sign):
    X, y = data
    network = MDNRegressor(2, max_iter=5, random_state=0)
    pair = {
        "func": lambda y: sign * np.log(y),
        "inverse_func": lambda z: np.exp(sign * z),
    }
    model = TransformedTargetRegressor(network, **pair).fit(X, np.exp(y))
    law = model.regressor_.predict_distribution(X)
    pit = PITDisplay.from_estimator(model, X, np.exp(y)).pit_values
    below = law.cdf(sign * y)
    np.testing.assert_allclose(pit, below if sign > 0 else 1 - below, rtol=1e-9)
    curve = ReliabilityDisplay.from_estimator(model, X, np.exp(y))
    expected = ReliabilityDisplay.from_predictions(sign * y, law)
    np.testing.assert_array_equal(curve.observed, expected.observed)
    ends = PITDisplay.from_estimator(model, X[:2], [-1.0, 1e300]).pit_values
    np.testing.assert_allclose(ends, [0, 1], atol=1e-12)


# What an import costs


def run(code):
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_displays_imports_no_matplotlib():
    run("import sys, skmdn, skmdn._plot; assert 'matplotlib' not in sys.modules")


def test_without_matplotlib_the_way_out_is_named():
    run(
        "import sys\n"
        "sys.modules['matplotlib'] = sys.modules['matplotlib.pyplot'] = None\n"
        "import numpy as np\n"
        "from skmdn import MixtureDistribution\n"
        "from skmdn._plot import PITDisplay\n"
        "law = MixtureDistribution(*np.ones((3, 9, 1)))\n"
        "try:\n"
        "    PITDisplay.from_predictions(np.ones(9), law)\n"
        "except ImportError as error:\n"
        "    assert 'pip install skmdn[plots]' in str(error)\n"
        "else:\n"
        "    raise AssertionError\n"
    )
