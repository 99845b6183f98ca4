"""Networks as two pure functions, and backends that execute them.

A network of one's own is a `Network` of `init` and `apply`; everything else follows from them.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax  # type: ignore[import-untyped]
from jaxtyping import Array, ArrayLike, Float, Int

from lcrjax.training.config import TrainingConfig
from lcrjax.training.optimizer import make_optimizer

#: Height, width and channels of the images.
ImageShape = tuple[int, int, int]


@dataclasses.dataclass(frozen=True)
class Network:
    """A classifier of images, as pure functions.

    Two networks are the same if their functions are: make one once and keep it, for each is
    compiled anew.

    Attributes:
        name: What it is called in records.
        init: (key, (height, width, channels), classes) -> (params, statistics). Without batch
            normalisation statistics are an empty pytree, such as `{}`; with it every leaf is
            named `mean` or `var` (the biased variance), side by side, as flax names them.
        apply: (params, statistics, images, weights, training) -> (logits, statistics). Images lie
            in [-1, 1], in the dtype that products are computed in. A weight of zero marks
            padding: such an image must not change what the others give. In training the batch's
            own statistics normalise and are returned, not averaged with others; in inference the
            given ones do.
        backend: (recipe, models that advance together) -> what executes the network here. None:
            XLA, from `init` and `apply` alone.
    """

    name: str
    init: Callable[[Array, ImageShape, int], tuple[Any, Any]]
    apply: Callable[[Any, Any, Array, Array, bool], tuple[Array, Any]]
    backend: "Callable[[TrainingConfig, int], Backend] | None" = None


@dataclasses.dataclass(frozen=True)
class Backend:
    """A network as XLA executes it; subclasses know better ways for some network and machine.

    Compiled programs are kept for each backend: what decides about execution belongs to it.

    Attributes:
        network: What is executed.
    """

    network: Network

    def init(self, key: Array, shape: ImageShape, n_classes: int) -> tuple[Any, Any]:
        """Draw weights, see `Network.init`."""
        return self.network.init(key, shape, n_classes)

    def forward(
        self,
        params: Any,
        statistics: Any,
        images: Float[Array, "b h w c"],
        weights: Float[Array, " b"],
        *,
        training: bool,
    ) -> tuple[Float[Array, "b classes"], Any]:
        """Compute logits, see `Network.apply`; those of padding mean nothing."""
        return self.network.apply(params, statistics, images, weights, training)

    def inference_batch(self, n: int, config: TrainingConfig) -> int:
        """Say how many images should be classified at a time, of `n` in all."""
        on_cpu = jax.default_backend() == "cpu"
        return config.settling_batch if on_cpu else min(n, 8 * config.settling_batch)

    def gradient(
        self,
        params: Any,
        statistics: Any,
        images: Float[Array, "b h w c"],
        labels: Int[Array, " b"],
        weights: Float[Array, " b"],
    ) -> tuple[Any, Float[Array, ""], Float[Array, ""]]:
        """Differentiate the weighted mean cross-entropy of one batch, in training mode.

        Returns:
            The gradient, the loss, and the weight of the images classified correctly.
        """

        def loss_of(params: Any) -> tuple[Array, Array]:
            logits, _ = self.network.apply(params, statistics, images, weights, True)
            losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
            found = jnp.argmax(logits, 1).astype(labels.dtype)
            right = jnp.where(found == labels, weights, 0.0)
            return (losses * weights).sum() / weights.sum(), right.sum()

        (loss, right), gradient = jax.value_and_grad(loss_of, has_aux=True)(params)
        return gradient, loss, right

    def update(
        self,
        params: Any,
        moments: optax.OptState,
        gradient: Any,
        config: TrainingConfig,
        factor: ArrayLike,
    ) -> tuple[Any, optax.OptState]:
        """Move parameters against the gradient.

        Args:
            params: Trainable weights.
            moments: State of the optimizer that `make_optimizer` returns.
            gradient: Of the loss.
            config: The recipe; static.
            factor: What the step size is multiplied by.

        Returns:
            New parameters, new state.
        """
        # Where the caller made promotion strict, `optax.scale_by_adam` cannot be traced (0.2.8).
        with jax.numpy_dtype_promotion("standard"):
            updates, moments = make_optimizer(config).update(gradient, moments, params)
        # Updates are proportional to the step size, whatever the optimizer.
        updates = jax.tree.map(lambda u: u * factor, updates)
        return optax.apply_updates(params, updates), moments


def choose_backend(network: Network, config: TrainingConfig, at_once: int) -> Backend:
    """Say what executes a network here and now, for so many models that advance together."""
    return Backend(network) if network.backend is None else network.backend(config, at_once)
