"""The mixture density network as a torch module, for people who train in torch."""

from typing import NamedTuple

import numpy as np
import torch
from sklearn.utils._param_validation import validate_parameter_constraints

from skmdn import _gaussian
from skmdn._constraints import COUNT, NETWORK_CONSTRAINTS, layer_sizes
from skmdn._covariance import make_head
from skmdn._scaling import Scaling
from skmdn._tails import FAR
from skmdn.nn.initialization import starting_members

ACTIVATIONS = {
    "relu": torch.nn.functional.relu,
    "silu": torch.nn.functional.silu,
    "gelu": torch.nn.functional.gelu,
    "tanh": torch.tanh,
}
LOG_2PI = float(_gaussian.LOG_2PI)
FIXED_NUMBERS = ("min_std", "std_precision")  # of the head
COUNTS = ("n_features", "n_outputs", "n_members")
RULES = NETWORK_CONSTRAINTS | {name: [COUNT] for name in COUNTS}


class MixtureParameters(NamedTuple):
    """Parameters of n mixtures of K components over D outputs."""

    log_weights: torch.Tensor  # (n, K)
    means: torch.Tensor  # (n, K, D)
    precisions_cholesky: torch.Tensor  # (n, K, D), or (n, K, D, D) upper triangular

    def log_prob(self, y):
        """Log-density of observations, eqs. (1) and (2).

        Parameters
        ----------
        y : Tensor of shape (n, D), or (n,) for one output
            In units of y.

        Returns
        -------
        log_prob : Tensor of shape (n,)
            In nats.

        Raises
        ------
        ValueError
            If `y` has another shape: nothing is broadcast.
        """
        expected = len(self.means), self.means.shape[-1]
        if y.shape != expected and not (expected[1] == 1 and y.shape == expected[:1]):
            raise ValueError(
                f"y must have shape {expected}, a row for each row of x; got "
                f"{tuple(y.shape)}."
            )
        residuals = y.reshape(expected)[:, None] - self.means  # (n, K, D)
        factors = self.precisions_cholesky
        if _gaussian.is_diagonal(factors):
            z, diagonal = factors * residuals, factors
        else:
            z = torch.einsum("nkde,nkd->nke", factors, residuals)
            diagonal = torch.diagonal(factors, dim1=-2, dim2=-1)
        component = diagonal.log().sum(-1) - (z.square() + LOG_2PI).sum(-1) / 2
        return torch.logsumexp(self.log_weights + component, dim=-1)


class MixtureDensityNetwork(torch.nn.Module):
    """Mixture density network: a multilayer perceptron that answers with a mixture.

    An ordinary module: train it with an optimiser and a loop of your own. It is the
    network of :class:`~skmdn.MDNRegressor`, whose ``to_torch()`` returns one, with the
    units of the data and wide components where a fit has seen none.

    Parameters
    ----------
    n_features : int
        Columns d of the input.
    n_outputs : int, default=1
        Columns D of the target.
    n_components : int, default=5
        Components K of each member's mixture.
    hidden_layer_sizes : int or sequence of int, default=(64, 64)
        Units of each hidden layer.
    activation : {"relu", "silu", "gelu", "tanh"}, default="silu"
        Activation of the hidden layers.
    covariance_type : {"full", "diag", "spherical", "tied_spherical", \
            "fixed_spherical"}, default="diag"
        Shape of the components, as in :class:`~skmdn.MDNRegressor`.
    noise_std : float, default=None
        Standard deviation of ``"fixed_spherical"``; required there.
    dropout : float, default=0.0
        Probability with which a hidden unit is left out while training.
    min_std : float, default=1e-3
        Floor of the standard deviations, in units of y.
    n_members : int, default=1
        Networks M side by side, pooled into one mixture of M K components.
    generator : torch.Generator, default=None
        Source of the starting weights; torch's own if not given.

    Attributes
    ----------
    coefs : ParameterList of tensors of shape (M, n_in, n_out)
    intercepts : ParameterList of tensors of shape (M, n_out)
    x_mean, x_std : Tensor of shape (d,)
        The input is standardised by them; 0 and 1 unless `to_torch` set them.
    y_mean, y_std : Tensor of shape (D,)
        The units in which the answer is given; 0 and 1 unless `to_torch` set them.
    y_slopes : Tensor of shape (d, D)
        The line that `y_mean` moves along; 0 unless `to_torch` set it.
    x_tails : Tensor of shape (4, d)
        Bounds below and above beyond which the network sees the logarithm of an input,
        infinite unless `to_torch` set them, and then its mean and standard deviation.
    least_raw_stds : Tensor of shape (M, K or 1, D or 1)
        Below which no raw standard deviation falls; minus infinity unless `to_torch`
        set it.

    Raises
    ------
    ValueError
        If a parameter is not what it must be.

    Examples
    --------
    >>> import torch
    >>> from skmdn.nn import MixtureDensityNetwork
    >>> net = MixtureDensityNetwork(2, n_components=3)
    >>> optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    >>> x = torch.linspace(-1, 1, 200).reshape(100, 2)
    >>> y = x.sum(1)
    >>> for _ in range(100):
    ...     optimizer.zero_grad()
    ...     net.loss(x, y).mean().backward()
    ...     optimizer.step()
    >>> net(x).means.shape
    torch.Size([100, 3, 1])
    """

    def __init__(
        self,
        n_features,
        n_outputs=1,
        *,
        n_components=5,
        hidden_layer_sizes=(64, 64),
        activation="silu",
        covariance_type="diag",
        noise_std=None,
        dropout=0.0,
        min_std=1e-3,
        n_members=1,
        generator=None,
    ):
        parameters = {name: value for name, value in locals().items() if name in RULES}
        validate_parameter_constraints(RULES, parameters, type(self).__name__)
        super().__init__()
        y_std = np.ones(n_outputs)
        head = make_head(n_components, covariance_type, min_std, noise_std, y_std)
        sizes = [n_features, *layer_sizes(hidden_layer_sizes), head.n_raw]
        seeds = torch.randint(2**31 - 1, (n_members,), generator=generator).tolist()
        # No y is known yet; standardised ones are spread like this
        y = np.random.RandomState(0).normal(size=(1000, n_outputs))
        coefs, intercepts = starting_members(sizes, head, y, np.ones(1000), seeds)
        self.dropout = dropout
        self._install(
            head,
            activation,
            coefs,
            intercepts,
            Scaling(
                np.zeros(n_features),
                np.ones(n_features),
                np.zeros(n_outputs),
                y_std,
                np.zeros((n_features, n_outputs)),
            ),
            np.full((n_members, *head.std_shape), -np.inf),
        )
        self.to(torch.get_default_dtype())

    @classmethod
    def _from_network(cls, network):
        """Module in float64 with the weights and the units of a fitted network."""
        module = cls.__new__(cls)
        torch.nn.Module.__init__(module)
        module.dropout = 0.0
        module._install(
            network.head,
            network.activation,
            network.coefs,
            network.intercepts,
            network.scaling,
            network.least_raw_stds,
        )
        return module

    def _install(self, head, activation, coefs, intercepts, scaling, least_raw_stds):
        self.head = head
        self.activation = activation
        self.coefs, self.intercepts = (
            torch.nn.ParameterList(torch.tensor(values) for values in arrays)
            for arrays in (coefs, intercepts)
        )
        buffers = scaling._asdict() | {"x_tails": np.stack(scaling.tails())}
        buffers |= {"std_unit": head.std_unit, "least_raw_stds": least_raw_stds}
        for name, values in buffers.items():
            self.register_buffer(name, torch.tensor(values))

    def get_extra_state(self):
        """Return what `state_dict` shall hold beside tensors.

        Returns
        -------
        numbers : dict of str to float
            The floor of the standard deviations, and the precision that tells how wide
            a component is where none was seen.

        Examples
        --------
        >>> from skmdn.nn import MixtureDensityNetwork
        >>> MixtureDensityNetwork(2, min_std=0.01).get_extra_state()
        {'min_std': 0.01, 'std_precision': 0.0}
        """
        return {name: float(getattr(self.head, name)) for name in FIXED_NUMBERS}

    def set_extra_state(self, state):
        """Take over what `get_extra_state` returned, as `load_state_dict` does.

        Parameters
        ----------
        state : dict of str to float
            Such numbers.

        Raises
        ------
        TypeError
            If `state` is no dict.
        ValueError
            If it has a name that is not known; from Python 3.13 on a TypeError.

        Examples
        --------
        >>> from skmdn.nn import MixtureDensityNetwork
        >>> net = MixtureDensityNetwork(2)
        >>> net.load_state_dict(MixtureDensityNetwork(2, min_std=0.01).state_dict())
        <All keys matched successfully>
        >>> net.head.min_std
        0.01
        """
        self.head = self.head._replace(**state)

    def forward(self, x):
        """Parameters of the mixtures of the rows.

        Parameters
        ----------
        x : Tensor of shape (n, d)
            Features.

        Returns
        -------
        parameters : MixtureParameters
            A named tuple, in units of y: ``log_weights`` (n, M K), ``means``
            (n, M K, D) and ``precisions_cholesky``, (n, M K, D) or (n, M K, D, D).

        Raises
        ------
        ValueError
            If `x` has another shape: nothing is broadcast.
        RuntimeError
            If `x` is of float64 and the weights are of float32.

        Examples
        --------
        >>> import torch
        >>> from skmdn.nn import MixtureDensityNetwork
        >>> net = MixtureDensityNetwork(2, n_outputs=2, covariance_type="full")
        >>> log_weights, means, precisions_cholesky = net(torch.zeros(3, 2))
        >>> means.shape, precisions_cholesky.shape
        (torch.Size([3, 5, 2]), torch.Size([3, 5, 2, 2]))
        >>> torch.allclose(log_weights.exp().sum(1), torch.ones(3))
        True
        """
        d = len(self.x_mean)
        if x.ndim != 2 or x.shape[1] != d:
            raise ValueError(
                f"x must have shape (n, {d}), a row of features for each mixture; got "
                f"{tuple(x.shape)}. A single row is x[None]."
            )
        raw = self._raw_outputs(self._inputs(x))
        head = self.head._replace(std_unit=self.std_unit)
        log_weights, means, factors = head.predicted_parameters(
            raw, torch, self.least_raw_stds
        )
        features = (x - self.x_mean) / self.x_std
        origin = self.y_mean + features @ self.y_slopes
        units = _gaussian.change_units(means, factors, origin, self.y_std)
        return MixtureParameters(log_weights, *units)

    def _inputs(self, x):
        """As `Scaling.inputs`, eq. (20)."""
        lower, upper, mean, std = self.x_tails
        unit = torch.where(upper.isfinite(), (upper - lower) / (2 * FAR), 1)
        nearest = x.clamp(lower, upper)
        excess = x - nearest
        drawn_in = nearest + excess.sign() * unit * torch.log1p(excess.abs() / unit)
        return (drawn_in - mean) / std

    def _raw_outputs(self, inputs):
        hidden = inputs.T
        last = len(self.coefs) - 1
        layers = zip(self.coefs, self.intercepts, strict=True)
        for depth, (coef, intercept) in enumerate(layers):
            hidden = coef.transpose(1, 2) @ hidden + intercept[..., None]  # (M, H, n)
            if depth < last:
                hidden = ACTIVATIONS[self.activation](hidden)
                hidden = torch.nn.functional.dropout(
                    hidden, self.dropout, self.training
                )
        return hidden

    def loss(self, x, y):
        """Negative log-likelihood of each row.

        Parameters
        ----------
        x : Tensor of shape (n, d)
            Features.
        y : Tensor of shape (n,) or (n, D)
            Observations.

        Returns
        -------
        loss : Tensor of shape (n,)
            In nats; of the pooled mixture if there are several members.

        Raises
        ------
        ValueError
            If `x` or `y` has another shape: nothing is broadcast.
        RuntimeError
            If `x` is of float64 and the weights are of float32.

        Examples
        --------
        >>> import torch
        >>> from skmdn.nn import MixtureDensityNetwork
        >>> net = MixtureDensityNetwork(2)
        >>> x, y = torch.zeros(3, 2), torch.zeros(3)
        >>> net.loss(x, y).shape
        torch.Size([3])
        >>> torch.equal(net.loss(x, y), -net(x).log_prob(y))
        True
        """
        return -self(x).log_prob(y)

    @torch.no_grad()
    def sample(self, x, n_samples=1, generator=None):
        """Draw from the mixture of each row.

        Parameters
        ----------
        x : Tensor of shape (n, d)
            Features.
        n_samples : int, default=1
            Draws S for each row.
        generator : torch.Generator, default=None
            Source of randomness; torch's own if not given.

        Returns
        -------
        samples : Tensor of shape (n, S, D)
            In units of y.

        Raises
        ------
        ValueError
            If `x` has another shape.
        RuntimeError
            If `n_samples` is not positive, if `x` has NaN or infinite values, or if it
            is of float64 and the weights are of float32.
        TypeError
            If `n_samples` is no integer, or `generator` is none of torch's.

        Examples
        --------
        >>> import torch
        >>> from skmdn.nn import MixtureDensityNetwork
        >>> net, x = MixtureDensityNetwork(2, n_outputs=2), torch.zeros(3, 2)
        >>> samples, again = (
        ...     net.sample(x, 100, torch.Generator().manual_seed(0)) for _ in range(2)
        ... )
        >>> samples.shape, torch.equal(samples, again)
        (torch.Size([3, 100, 2]), True)
        """
        log_weights, means, factors = self(x)
        chosen = torch.multinomial(
            log_weights.exp(), n_samples, replacement=True, generator=generator
        )  # (n, S)
        rows = torch.arange(len(x), device=chosen.device)[:, None]
        noise = torch.randn(
            (*chosen.shape, means.shape[-1]),
            generator=generator,
            dtype=means.dtype,
            device=means.device,
        )
        factors = factors[rows, chosen]
        if factors.ndim == noise.ndim:
            return means[rows, chosen] + noise / factors
        transposed = factors.transpose(-1, -2)
        shift = torch.linalg.solve_triangular(transposed, noise[..., None], upper=False)
        return means[rows, chosen] + shift[..., 0]
