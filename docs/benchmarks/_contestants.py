"""Training steps to be timed: ours, their bare matrix products, and two rivals'."""

import warnings
from itertools import pairwise
from unittest.mock import patch

import numpy as np
import torch
from _timing import Contestant
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from skmdn import MDNRegressor
from skmdn.nn import training

HIDDEN = (64, 64)


def regression_data(n_rows, n_features=8, n_outputs=1):
    """Rows whose first two features move y, and whose third makes it noisy."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, n_features))
    signal = np.sin(2 * X[:, 0]) + X[:, 1]
    noise = rng.normal(size=(n_rows, n_outputs)) * np.exp(X[:, 2, None] / 2)
    y = signal[:, None] * np.arange(1, n_outputs + 1) + noise / 2
    return X, y[:, 0] if n_outputs == 1 else y


class _Prepared(Exception):
    """Carries a training out of the fit that made it."""


class TrainingSteps:
    """The steps of a fit that is stopped before the first of them.

    The only place that reaches into the package: a fit prepares everything as it always
    does, and its own loop is then run over minibatches drawn beforehand.
    """

    def __init__(self, X, y, n_steps, **parameters):
        def stop(prepared):
            raise _Prepared(prepared)

        with patch.object(training._Training, "run", stop):
            try:
                MDNRegressor(random_state=0, **parameters).fit(X, y)
            except _Prepared as prepared:
                self.training = prepared.args[0]
        self.training.plan(self.training.options.max_iter)
        shuffles = [steps.shuffle for steps in self.training.steps]
        self.per_pass = shuffles[0].n_steps
        self.per_refit_pass = len(X) // shuffles[0].size
        passes = -(-n_steps // self.per_pass)
        for shuffle in shuffles:
            index = np.concatenate([shuffle.draw() for _ in range(passes)])[:n_steps]
            shuffle.draw = lambda index=index: index
        self.n_steps = n_steps

    def run(self):
        """Mean loss of the steps, as a float: on a GPU it waits for the last one."""
        with torch.inference_mode():
            return float(self.training._one_pass().mean())

    def contestant(self):
        return Contestant(self.run, self.n_steps)


def our_steps(n_members, batch_size, n_steps=128, data=None, **parameters):
    """Steps on rows that last for ``n_steps``; a constant number of them a turn."""
    X, y = regression_data(n_steps * batch_size) if data is None else data
    parameters = {"hidden_layer_sizes": HIDDEN, "early_stopping": False} | parameters
    return TrainingSteps(
        X,
        y,
        n_steps,
        n_estimators=n_members,
        batch_size=batch_size,
        max_iter=50,
        **parameters,
    ).contestant()


def products(sizes, n_members, batch_size, n_steps=128, device=None):
    """The batched products of forward and backward passes, and nothing else.

    Shapes and strides are those of our steps: an intercept is a row of the weights, and
    rows of the batch are on the last axis. They are NumPy's, as ours are on the CPU, or
    torch's on a ``device``.
    """
    M, B = n_members, batch_size
    matmul, empty_like = np.matmul, np.empty_like
    if device is not None:
        matmul, empty_like = torch.bmm, torch.empty_like

    def normal(*shape):
        values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        return values if device is None else torch.from_numpy(values).to(device)

    weights = [normal(M, n_in + 1, n_out) for n_in, n_out in pairwise(sizes)]
    inputs = [normal(M, size + 1, B) for size in sizes[:-1]]
    inputs[0] = normal(M, B, sizes[0] + 1).swapaxes(1, 2)
    outputs = [normal(M, size, B) for size in sizes[1:]]
    d_weights = [empty_like(w) for w in weights]
    d_inputs = [normal(M, size, B) for size in sizes[:-1]]
    # Views are made once.
    views = zip(weights, inputs, outputs, d_weights, strict=True)
    forward, by_weights = [], []
    for w, x, out, d_w in views:
        forward.append((w.swapaxes(1, 2), x, out))
        by_weights.append((x, out.swapaxes(1, 2), d_w))
    by_inputs = [
        (weights[layer][:, :-1], outputs[layer], d_inputs[layer])
        for layer in range(1, len(weights))  # nobody needs the gradient of X
    ]
    all_products = [*forward, *reversed(by_weights), *reversed(by_inputs)]

    def run():
        with torch.inference_mode():
            for _ in range(n_steps):
                for left, right, out in all_products:
                    matmul(left, right, out=out)
        if device == "cuda":
            torch.cuda.synchronize()

    return Contestant(run, n_steps)


def mlp_steps(batch_size, n_steps=128, dtype=np.float64):
    """A fit of scikit-learn's MLPRegressor by ``n_steps`` minibatches, one pass."""
    X, y = (a.astype(dtype) for a in regression_data(n_steps * batch_size))
    model = MLPRegressor(
        hidden_layer_sizes=HIDDEN, batch_size=batch_size, max_iter=1, random_state=0
    )

    def run():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y)

    return Contestant(run, n_steps)


class PublishedLoop:
    """A mixture density network as tutorials train it: two networks, autograd, Adam.

    One network has the mixing weights, the other the means and standard deviations.
    """

    def __init__(self, batch_size, n_components=5, n_steps=128):
        data = regression_data(n_steps * batch_size)
        self.X, y = (torch.tensor(a, dtype=torch.float32) for a in data)
        self.y = y[:, None]
        n_features = self.X.shape[1]
        self.mixing = perceptron(n_features, n_components)
        self.gaussians = perceptron(n_features, 2 * n_components)
        self.optimiser = torch.optim.Adam(
            [*self.mixing.parameters(), *self.gaussians.parameters()]
        )
        self.index = torch.randperm(len(y)).view(n_steps, batch_size)

    def loss(self, x, y):
        logits = self.mixing(x)
        means, raw_stds = self.gaussians(x).chunk(2, dim=1)
        stds = torch.nn.functional.elu(raw_stds) + 1 + 1e-6
        log_kernels = torch.distributions.Normal(means, stds).log_prob(y)
        joint = torch.log_softmax(logits, dim=1) + log_kernels
        return -torch.logsumexp(joint, dim=1).mean()

    def run(self):
        total = 0.0
        for rows in self.index:
            self.optimiser.zero_grad()
            loss = self.loss(self.X[rows], self.y[rows])
            loss.backward()
            self.optimiser.step()
            total += loss.detach()
        return float(total) / len(self.index)

    def contestant(self):
        return Contestant(self.run, len(self.index))


def perceptron(n_in, n_out):
    layers = []
    for here, there in pairwise([n_in, *HIDDEN]):
        layers += [torch.nn.Linear(here, there), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(HIDDEN[-1], n_out))
