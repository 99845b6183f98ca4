"""Training steps within an epoch."""

import dataclasses

import jax
import jax.numpy as jnp
import optax  # type: ignore[import-untyped]
from jaxtyping import Array, Int

from lcrjax.training.batches import Images, as_input, count_batches, cut
from lcrjax.training.config import TrainingConfig
from lcrjax.training.networks.protocol import Backend
from lcrjax.training.training_state import EpochState, ModelState


def train_steps(
    epoch: EpochState,
    images: Images,
    order: Int[Array, " capacity"],
    n: Int[Array, ""],
    steps: Int[Array, ""],
    schedule: optax.Schedule,
    backend: Backend,
    config: TrainingConfig,
) -> EpochState:
    """Train so many steps, but not beyond the epoch's end.

    Args:
        epoch: A model somewhere in an epoch.
        images: Training images of the dataset.
        order: Indices in the epoch's order, padded to any capacity.
        n: How many of them count; traced, so that any number of images shares one program.
        steps: Most steps; traced.
        schedule: Epochs done -> what the step size is multiplied by; static.
        backend: What executes the network; static.
        config: The recipe; static.
    """
    total = jnp.asarray(count_batches(n, config.batch_size))
    done = epoch.model.epoch.astype(jnp.float32)

    def step(i: Array, carry: tuple[ModelState, Array, Array]) -> tuple[ModelState, Array, Array]:
        model, loss, right = carry
        batch = cut(order, n, config.batch_size, i)
        pixels = as_input(images.pixels[batch.chosen], config.dtype)
        gradient, mean, hits = backend.gradient(
            model.params, model.statistics, pixels, images.labels[batch.chosen], batch.weights
        )
        factor = schedule(done + i / total)
        params, moments = backend.update(model.params, model.moments, gradient, config, factor)
        failed = model.failed | ~jnp.isfinite(mean)
        model = dataclasses.replace(model, params=params, moments=moments, failed=failed)
        return model, loss + mean * batch.n.astype(jnp.float32), right + hits

    # Counted apart from what differs between models: under vmap the loop stays one.
    stop = jnp.minimum(epoch.step + steps, total)
    model, loss, right = jax.lax.fori_loop(
        epoch.step, stop, step, (epoch.model, epoch.loss, epoch.right)
    )
    return EpochState(model, stop, loss, right)
