"""The compiled programs that train one model on many images, some steps at a time."""

import dataclasses
import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from lcrjax.numerics.pytrees import register_dataclass
from lcrjax.training.config import TrainingConfig
from lcrjax.training.descent import cosine_factor, descend
from lcrjax.training.epochs import Images, as_input, batch_gradient, run_network, settle
from lcrjax.training.metrics import Scores, score
from lcrjax.training.networks.resnet18 import Architecture
from lcrjax.training.training_state import ModelState, initial_state


@register_dataclass
@dataclasses.dataclass(frozen=True)
class Course:
    """A model somewhere in an epoch.

    Attributes:
        model: The model; its `epoch` counts whole epochs.
        step: Steps done of the epoch.
        loss: Sum of the losses of this epoch's images, each taken when its batch was trained on.
        right: How many of them were classified correctly then.
    """

    model: ModelState
    step: Int[Array, ""]
    loss: Float[Array, ""]
    right: Float[Array, ""]


class FullPrograms(NamedTuple):
    """Jitted functions for one model.

    Attributes:
        start: seed -> a new course.
        shuffle: course, indices -> the indices in the order of the course's epoch.
        advance: course, images, order padded to any capacity, how many of it count, steps -> the
            course so many steps later; not beyond the epoch's end, nor beyond a loss that is not
            finite.
        close: course, images, sample, how many of it count -> the course at the start of the next
            epoch, with statistics settled over the sample and `accuracy` in inference mode over it.
        classify: model, a block of pixels -> class probabilities in inference mode.
        score: probabilities, labels -> `Scores`.
    """

    start: Callable[[Array], Course]
    shuffle: Callable[[Course, Array], Array]
    advance: Callable[[Course, Images, Array, Array, Array], Course]
    close: Callable[[Course, Images, Array, Array], Course]
    classify: Callable[[ModelState, Array], Array]
    score: Callable[[Array, Array], Scores]


def steps_per_epoch(n: int, config: TrainingConfig) -> int:
    """Say into how many batches an epoch over `n` images is cut."""
    return -(-n // config.batch_size)


@functools.lru_cache(maxsize=8)
def make_full_programs(
    architecture: Architecture, config: TrainingConfig, cosine: bool
) -> FullPrograms:
    """Return the programs of one shape of data and one recipe.

    Args:
        architecture: Shape of the network.
        config: The recipe.
        cosine: Whether the step size falls to zero over `config.max_epochs` epochs.
    """

    def start(seed: Array) -> Course:
        model = initial_state(jax.random.key(seed), architecture, config)
        return Course(model, jnp.int32(0), jnp.float32(0), jnp.float32(0))

    def shuffle(course: Course, indices: Array) -> Array:
        key = jax.random.fold_in(course.model.key, course.model.epoch)
        return jax.random.permutation(key, indices)

    def advance(course: Course, images: Images, order: Array, n: Array, steps: Array) -> Course:
        return _advance(course, images, order, n, steps, architecture, config, cosine)

    def close(course: Course, images: Images, sample: Array, n: Array) -> Course:
        model = course.model
        stats, accuracy = settle(model, images, sample, n, architecture, config)
        model = dataclasses.replace(model, stats=stats, accuracy=accuracy, epoch=model.epoch + 1)
        return Course(model, jnp.int32(0), jnp.float32(0), jnp.float32(0))

    def classify(model: ModelState, pixels: Array) -> Array:
        logits, _ = run_network(
            model.params,
            model.stats,
            as_input(pixels, config.precision),
            jnp.ones(len(pixels), jnp.float32),
            architecture,
            settled=True,
        )
        return jax.nn.softmax(logits)

    return FullPrograms(
        start=jax.jit(start),
        shuffle=jax.jit(shuffle),
        advance=jax.jit(advance, donate_argnums=0),
        close=jax.jit(close, donate_argnums=0),
        classify=jax.jit(classify),
        score=jax.jit(score),
    )


def _advance(
    course: Course,
    images: Images,
    order: Int[Array, " capacity"],
    n: Int[Array, ""],
    steps: Int[Array, ""],
    architecture: Architecture,
    config: TrainingConfig,
    cosine: bool,
) -> Course:
    size = config.batch_size
    total = (n + size - 1) // size
    small, larger = n // total, n % total
    padded = jnp.pad(order, (0, size))
    last = jnp.minimum(course.step + steps, total)

    def goes_on(c: Course) -> Array:
        return (c.step < last) & ~c.model.failed

    def step(c: Course) -> Course:
        # Batches differ by one image at most; the larger ones come first.
        start = c.step * small + jnp.minimum(c.step, larger)
        count = small + (c.step < larger)
        chosen = jax.lax.dynamic_slice(padded, (start,), (size,))
        weights = (jnp.arange(size) < count).astype(jnp.float32)
        model = c.model
        gradient, loss, right = batch_gradient(
            model.params, model.stats, images, chosen, weights, architecture, config
        )
        epochs = model.epoch + c.step / total
        factor = cosine_factor(epochs, config.max_epochs) if cosine else 1.0
        params, moments = descend(
            model.params, model.moments, gradient, architecture, config, factor
        )
        failed = ~jnp.isfinite(loss)
        model = dataclasses.replace(model, params=params, moments=moments, failed=failed)
        return Course(model, c.step + 1, c.loss + loss * count, c.right + right)

    return jax.lax.while_loop(goes_on, step, course)
