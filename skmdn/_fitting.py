"""The steps of a fit, in order: units, folds, starting weights, training, choice.

``settings`` are the parameters of the estimator as attributes.
"""

import math
import warnings
from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from skmdn._budget import (
    auto_batch_size,
    auto_hidden_layer_sizes,
    auto_max_iter,
    auto_patience,
    auto_refit,
    auto_validation_fraction,
)
from skmdn._constraints import layer_sizes
from skmdn._covariance import make_head
from skmdn._folds import folds, n_validation_rows
from skmdn._line_law import law_around_a_line
from skmdn._network import Network
from skmdn._pooling import (
    has_many_judges,
    held_out_adjustment,
    shifted,
    spread_adjustment,
)
from skmdn._rows import groups_of_twins
from skmdn._scaling import (
    fit_scaling,
    outputs_left_out,
    standardised_table,
    varying_features,
)
from skmdn._seen_widths import least_raw_stds

# Of the prior on raw standard deviations, eq. (15), in rows' worth of evidence: what it
# says matters where a component explains no row. Less for each where there are many.
STD_PRECISION, TOTAL_STD_PRECISION = 0.01, 0.05


class Fit(NamedTuple):
    """A trained network with its history; the members first, then the passes."""

    network: Network
    losses: np.ndarray  # (M, E)
    scores: np.ndarray  # (M, E), no column without validation rows
    best_iteration: np.ndarray  # (M,)
    seeds: np.ndarray  # (M,)
    moments: tuple | None  # Adam's (M, Q) each, where the next chunk takes them up
    n_steps: int
    # In the network's intercepts; taken off before training goes on
    pool_shift: float = 0.0
    passes: np.ndarray | None = None  # (2, M) of either annealing, where judged
    width_shift: np.ndarray | None = None  # (M,) in the intercepts of the network
    outdone: np.ndarray | None = None  # (M,) whether the law around a line was ahead
    interrupted: bool = False
    refit_iterations: np.ndarray | None = None  # (M,)

    def of(self, members):
        """The fit of some members, by their numbers."""
        judged = self.passes is not None
        return self._replace(
            network=self.network.of(members),
            losses=self.losses[members],
            scores=self.scores[members],
            best_iteration=self.best_iteration[members],
            seeds=self.seeds[members],
            passes=self.passes[:, members] if judged else None,
            width_shift=self.width_shift[members] if judged else None,
            outdone=self.outdone[members],
            refit_iterations=self.refit_iterations[members],
        )


def fit_network(settings, samples, held_out=None, previous=None):
    """Train on ``samples`` to the end.

    Parameters
    ----------
    settings : SimpleNamespace
        The parameters of `MDNRegressor`, as attributes.
    samples : Samples
    held_out : Samples, optional
        To stop early by; a part of ``samples`` is held out if not given.
    previous : Fit, optional
        Continue from its weights, in its units, instead of starting anew.
    """
    rng = check_random_state(settings.random_state)
    n_restarts = 1 if previous else settings.n_init
    n_networks = settings.n_estimators * n_restarts
    if previous:
        start, seeds = _continued(settings, previous), _draw_seeds(rng, n_networks)
        y = outputs_left_out(samples, start.scaling)
    else:
        scaling, y = fit_scaling(samples)
        start, seeds = _starting_network(settings, samples, y, scaling, n_networks, rng)
        # What never changes teaches nothing, and says nothing should it change later.
        start.coefs[0][:, ~varying_features(samples, scaling)] = 0
    part = samples, y
    data = _training_data(settings, part, held_out, start.scaling, n_restarts, rng)
    options = _options(settings, data.train_rows.shape[1], fresh=previous is None)
    line = None
    if options.fresh and data.validation_rows.size:
        make_head = partial(_head, settings)
        line = law_around_a_line(start, make_head, samples, y, held_out)
    if line:
        data = data._replace(rival=line.scores)
    fit = _train(start, data, options, seeds)
    kept = _best_restarts(fit, n_restarts)
    fit, start, data = fit.of(kept), start.of(kept), data.of(kept)
    _warn_where_nothing_was_learned(fit)
    pool_shift = 0.0
    if fit.outdone.all():
        fit = fit._replace(network=line.network.of(kept))
    elif settings.n_estimators > 1:
        pool_shift = _pool_adjustment(fit.network, data, samples)
    if held_out is None and _is_refit(settings, len(y)):
        fit = _refit(fit, start, data, options)
    fit = _pooled(fit, pool_shift)
    parts = [samples] if held_out is None else [samples, held_out]
    return _with_least(fit, least_raw_stds(fit.network, parts))


def _is_refit(settings, n_rows):
    return _auto(settings.refit, auto_refit, n_rows, settings.n_estimators)


def _pool_adjustment(network, data, samples):
    """Shift of the raw standard deviations of members that are predicted together."""
    if has_many_judges(data):
        return held_out_adjustment(network, data)
    return spread_adjustment(network, samples)


def _with_least(fit, least):
    return fit._replace(network=fit.network._replace(least_raw_stds=least))


def _refit(fit, start, data, options):
    """The fit, its network trained anew on all rows, by the passes that had paid.

    Nobody judges it: what its rows held out said of its widths is taken as it was. Who
    learned nothing, and a fit that was interrupted, stay as they are.
    """
    if fit.passes is None or fit.interrupted or not fit.passes.any():
        return fit
    n_rows, n_members = len(data.table), len(fit.seeds)
    rows = np.tile(np.arange(n_rows, dtype=np.int32), (n_members, 1))
    data = data._replace(train_rows=rows, validation_rows=rows[:, :0])
    again = _train(start, data, options, fit.seeds, passes=fit.passes)
    if again.interrupted:
        return fit
    learned = fit.passes.any(axis=0)
    network = shifted(again.network, fit.width_shift[:, None])
    network = fit.network.with_members(learned, network)
    return fit._replace(network=network, refit_iterations=again.best_iteration)


def _warn_where_nothing_was_learned(fit):
    """Tell the caller of `fit` of members without a finite score, or loss."""
    judged = fit.scores.shape[1] > 0
    finite = np.isfinite(fit.scores if judged else fit.losses[:, -1:])
    if finite.any(axis=1).all():
        return
    if judged:
        what = "No pass had a finite score on the validation rows, so nothing that was "
        what += "learned could be kept."
    else:
        what = "The loss of the last pass is not finite, and weights that were not "
        what += "either were set back. Lower learning_rate_init."
    off = "Look for rows of X or y that are many orders of magnitude off."
    warnings.warn(f"{what} {off}", stacklevel=5)


def _pooled(fit, shift):
    """The fit of members that are predicted together."""
    return fit._replace(network=shifted(fit.network, shift), pool_shift=shift)


def fit_chunk(settings, samples, previous=None):
    """Pass over ``samples`` once, from where the fit ``previous`` ended.

    A first chunk gets no line: it would be that of few rows.
    """
    if previous is None:
        previous = _before_the_first_chunk(settings, samples)
    seeds = previous.seeds
    start = _continued(settings, previous)
    part = samples, start.scaling.outputs(samples)
    n_rows = len(samples.rows)
    options = _options(settings, n_rows, fresh=False)
    n_batches = math.ceil(n_rows / options.batch_size)
    batch_size = math.ceil(n_rows / n_batches)
    n_blank = n_batches * batch_size - n_rows
    data = _whole_data(part, start.scaling, len(seeds), n_blank)
    options = options._replace(max_iter=1, annealed=False, batch_size=batch_size)
    chunk_seeds = [
        np.random.SeedSequence([seed, previous.n_steps]).generate_state(1)[0]
        for seed in seeds
    ]
    fit = _train(start, data, options, chunk_seeds, previous.moments, previous.n_steps)
    _warn_where_nothing_was_learned(fit)
    losses = np.hstack([previous.losses, fit.losses])
    fit = fit._replace(
        losses=losses,
        best_iteration=np.full(len(losses), losses.shape[1]),
        seeds=seeds,
    )
    fit = _pooled(fit, previous.pool_shift)
    least, earlier = least_raw_stds(fit.network, [samples]), start.least_raw_stds
    return _with_least(fit, least if earlier is None else np.minimum(least, earlier))


def _before_the_first_chunk(settings, samples):
    """A fit of no steps: units from the chunk, weights as they start."""
    rng = check_random_state(settings.random_state)
    scaling, y = fit_scaling(samples, with_line=False)
    network, seeds = _starting_network(
        settings, samples, y, scaling, settings.n_estimators, rng
    )
    nothing = np.empty((len(seeds), 0))
    return Fit(network, nothing, nothing, np.zeros(len(seeds)), seeds, None, 0)


def _draw_seeds(rng, n_seeds):
    return rng.randint(np.iinfo(np.int32).max, size=n_seeds)


def _head(settings, scaling):
    return make_head(
        settings.n_components,
        settings.covariance_type,
        settings.min_std,
        settings.noise_std,
        scaling.y_std,
        std_precision=min(STD_PRECISION, TOTAL_STD_PRECISION / settings.n_components),
    )


def _training_data(settings, part, held_out, scaling, n_restarts, rng):
    """Table and row numbers of every network; restarts of a member share its fold."""
    n_rows, n_members = len(part[1]), settings.n_estimators
    n_held_out = 0
    if settings.early_stopping and held_out is None:
        share = _auto(settings.validation_fraction, auto_validation_fraction, n_rows)
        n_held_out = n_validation_rows(n_rows, share)
    groups = groups_of_twins(part[0]) if n_held_out else None
    rows = folds(n_rows, n_held_out, n_members, rng, groups)
    parts = [part]
    if held_out is not None:
        parts.append((held_out, scaling.outputs(held_out)))
        external = n_rows + np.arange(len(held_out.rows), dtype=np.int32)
        rows = rows[0], np.tile(external, (n_members, 1))
    train_rows, validation_rows = (np.repeat(r, n_restarts, axis=0) for r in rows)
    return _data(parts, scaling, train_rows, validation_rows)


def _whole_data(part, scaling, n_members, n_blank):
    """All rows for every member, and ``n_blank`` of no weight that fill a minibatch."""
    n_rows = len(part[1])
    rows = np.minimum(np.arange(n_rows + n_blank, dtype=np.int32), n_rows)
    rows = np.tile(rows, (n_members, 1))
    data = _data([part], scaling, rows, rows[:, :0], n_blank=min(n_blank, 1))
    data.table[:, -1] *= (n_rows + n_blank) / n_rows  # the mean of a batch is 1
    return data


def _data(parts, scaling, train_rows, validation_rows, n_blank=0):
    from skmdn.nn.batches import TrainingData

    return TrainingData(
        table=standardised_table(parts, scaling, n_blank),
        n_outputs=len(scaling.y_std),
        train_rows=train_rows,
        validation_rows=validation_rows,
        log_unit=float(np.log(scaling.y_std).sum()),
    )


def _starting_network(settings, samples, y, scaling, n_networks, rng):
    """Weights as they start, and the seeds they are drawn by.

    What the settings ask for is checked before anything is drawn.
    """
    from skmdn.nn.initialization import starting_members

    head = _head(settings, scaling)
    n_features = len(scaling.x_std)
    auto = auto_hidden_layer_sizes(len(y), n_features, settings.n_estimators)
    hidden_sizes = _hidden_layer_sizes(settings, auto)
    sizes = [n_features, *hidden_sizes, head.n_raw]
    seeds = _draw_seeds(rng, n_networks)
    coefs, intercepts = starting_members(sizes, head, y, samples.weights, seeds)
    return Network(coefs, intercepts, settings.activation, head, scaling), seeds


def _hidden_layer_sizes(settings, auto):
    """Units of each hidden layer; ``auto`` where the settings leave them open."""
    if isinstance(settings.hidden_layer_sizes, str):
        return auto
    return layer_sizes(settings.hidden_layer_sizes)


def _continued(settings, previous):
    """The network as it was trained, if the settings ask for one like it."""
    network = shifted(previous.network, -previous.pool_shift)
    sizes = tuple(coef.shape[2] for coef in network.coefs[:-1])
    asked = _architecture(
        _head(settings, network.scaling),
        network.scaling,
        _hidden_layer_sizes(settings, sizes),
        settings.activation,
        settings.n_estimators,
    )
    found = _architecture(
        network.head,
        network.scaling,
        sizes,
        network.activation,
        len(network.coefs[0]),
    )
    for name, value in found.items():
        if value != asked[name]:
            raise ValueError(
                f"Cannot continue training: the fitted network has {name}={value!r}, "
                f"now it is {asked[name]!r}. Set it back, or start anew with "
                "warm_start=False and fit."
            )
    return network


def _architecture(head, scaling, hidden_layer_sizes, activation, n_estimators):
    """What must not change when training continues."""
    noise_stds = head.std_unit * scaling.y_std
    return {
        "n_components": head.n_components,
        "covariance_type": head.covariance_type,
        "min_std": head.min_std,
        "noise_std": None if head.kind.learned else float(f"{noise_stds[0]:.12g}"),
        "hidden_layer_sizes": hidden_layer_sizes,
        "activation": activation,
        "n_estimators": n_estimators,
    }


def _options(settings, n_rows, fresh):
    from skmdn.nn.training import TrainingOptions

    n_members = settings.n_estimators
    batch_size = _auto(settings.batch_size, auto_batch_size, n_rows, n_members)
    max_iter = _auto(settings.max_iter, auto_max_iter, n_rows, batch_size)
    return TrainingOptions(
        activation=settings.activation,
        alpha=settings.alpha,
        dropout=settings.dropout,
        learning_rate=settings.learning_rate_init,
        batch_size=batch_size,
        max_iter=max_iter,
        n_iter_no_change=_auto(settings.n_iter_no_change, auto_patience, max_iter),
        tol=settings.tol,
        annealed=True,
        fresh=fresh,
        single=n_members == 1,
        device=settings.device,
        verbose=settings.verbose,
    )


def _auto(value, rule, *arguments):
    """A parameter's value, or what its rule says where it is "auto"."""
    return rule(*arguments) if isinstance(value, str) else value


def _train(start, data, options, seeds, moments=None, n_steps=0, passes=None):
    from skmdn.nn.training import State, train

    state = State(start.coefs, start.intercepts, moments, n_steps)
    result = train(state, start.head, data, options, seeds, passes)
    state = result.state
    return Fit(
        network=start._replace(coefs=state.coefs, intercepts=state.intercepts),
        losses=result.losses,
        scores=result.scores,
        best_iteration=result.best_iteration,
        seeds=np.asarray(seeds),
        moments=state.moments,
        n_steps=state.n_steps,
        passes=result.passes,
        width_shift=result.width_shift,
        outdone=result.outdone,
        interrupted=result.interrupted,
        refit_iterations=np.zeros(len(seeds), dtype=int),
    )


def _best_restarts(fit, n_restarts):
    """Number of the best of each member's restarts, by validation rows or the loss.

    A restart whose passes were not kept is no better than their start.
    """
    if fit.scores.shape[1]:
        quality = np.max(np.where(np.isnan(fit.scores), -np.inf, fit.scores), axis=1)
        quality[fit.best_iteration == 0] = -np.inf
    else:
        quality = -np.nan_to_num(fit.losses[:, -1], nan=np.inf)
    best = quality.reshape(-1, n_restarts).argmax(axis=1)
    return np.arange(len(best)) * n_restarts + best
