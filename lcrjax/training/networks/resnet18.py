"""ResNet-18, and what executes it.

Basic blocks 2-2-2-2 with 64 to 512 channels, batch normalisation, a 3x3 stride-2 max-pool, the
global mean and a linear layer (He et al. 2016). Only the first and the last layer follow the data.
"""

import dataclasses
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from lcrjax.training.compiler import precision
from lcrjax.training.config import TrainingConfig
from lcrjax.training.networks.batch_norm import apply_statistics, batch_normalise
from lcrjax.training.networks.convolution import Geometry, convolve
from lcrjax.training.networks.nnx_module import from_nnx
from lcrjax.training.networks.protocol import Backend, ImageShape, Network
from lcrjax.training.networks.resnet18_architecture import Architecture
from lcrjax.training.networks.resnet18_native.backend import NativeBackend, serves
from lcrjax.training.networks.resnet18_native.normals import normals

Draw = Callable[[Array, int], Array]


class Convolution(nnx.Module):
    """A convolution without bias; only the kernel's live taps are kept.

    Attributes:
        geometry: Shape of the convolution.
        direct: Whether it prefers XLA's own operation.
        kernel: Live taps, (taps, c_in, c_out).
    """

    def __init__(self, geometry: Geometry, c_in: int, c_out: int, direct: bool):
        self.geometry, self.direct = geometry, direct
        self.kernel = nnx.Param(jnp.zeros((len(geometry.taps), c_in, c_out)))

    @property
    def initial_scale(self) -> float:
        """Standard deviation of initial weights (He et al. 2015, over outgoing connections).

        Dead taps count, so that a smaller image changes nothing but what is left out.
        """
        return (2.0 / (self.geometry.size**2 * self.kernel.shape[2])) ** 0.5

    def __call__(self, images: Float[Array, "b h w c_in"]) -> Float[Array, "b h_out w_out c_out"]:
        """Convolve in the dtype of the images."""
        return convolve(images, self.kernel[...].astype(images.dtype), self.geometry, self.direct)


class BatchNorm(nnx.Module):
    """Batch normalisation that leaves out padded images.

    Attributes:
        scale: Factor per channel.
        bias: Offset per channel.
        mean: Mean per channel: of the latest batch, or over all training images.
        var: Variance per channel (biased), likewise.
    """

    def __init__(self, channels: int):
        self.scale = nnx.Param(jnp.ones(channels))
        self.bias = nnx.Param(jnp.zeros(channels))
        self.mean = nnx.BatchStat(jnp.zeros(channels))
        self.var = nnx.BatchStat(jnp.ones(channels))

    def __call__(
        self, x: Float[Array, "b h w c"], weights: Float[Array, " b"] | None
    ) -> Float[Array, "b h w c"]:
        """Normalise by the batch's own statistics, or by the stored ones if `weights` is None."""
        scale, bias = self.scale[...], self.bias[...]
        if weights is None:
            return apply_statistics(x, scale, bias, self.mean[...], self.var[...])
        y, self.mean[...], self.var[...] = batch_normalise(x, scale, bias, weights)
        return y


class BasicBlock(nnx.Module):
    """Two 3x3 convolutions and a way around them."""

    def __init__(self, height: int, width: int, c_in: int, c_out: int, stride: int, direct: bool):
        first = Geometry(height, width, 3, stride, 1)
        self.out_height, self.out_width = first.out_height, first.out_width
        second = Geometry(self.out_height, self.out_width, 3, 1, 1)
        self.first = Convolution(first, c_in, c_out, direct)
        self.first_norm = BatchNorm(c_out)
        self.second = Convolution(second, c_out, c_out, direct)
        self.second_norm = BatchNorm(c_out)
        self.projects = stride != 1 or c_in != c_out
        if self.projects:
            shortcut = Geometry(height, width, 1, stride, 0)
            self.shortcut = Convolution(shortcut, c_in, c_out, direct)
            self.shortcut_norm = BatchNorm(c_out)

    def __call__(
        self, x: Float[Array, "b h w c_in"], weights: Float[Array, " b"] | None
    ) -> Float[Array, "b h_out w_out c_out"]:
        """Apply the block."""
        y = jax.nn.relu(self.first_norm(self.first(x), weights))
        y = self.second_norm(self.second(y), weights)
        around = self.shortcut_norm(self.shortcut(x), weights) if self.projects else x
        return jax.nn.relu(y + around)


class ResNet18(nnx.Module):
    """ResNet-18 for images of one size.

    Args:
        architecture: Shape of the data, and the width of the network.
        rngs: Source of the initial weights.
        direct: Whether convolutions prefer XLA's own operation, see `convolve`.
        draw: (key, n) -> n normal random numbers; None is jax's.
    """

    def __init__(
        self,
        architecture: Architecture,
        *,
        rngs: nnx.Rngs,
        direct: bool = False,
        draw: Draw | None = None,
    ):
        a = architecture
        stem = a.stem_geometry
        self.stem = Convolution(stem, a.channels, a.base, direct)
        self.stem_norm = BatchNorm(a.base)
        pool = Geometry(stem.out_height, stem.out_width, 3, 2, 1)
        height, width, channels = pool.out_height, pool.out_width, a.base
        self.blocks: nnx.List[BasicBlock] = nnx.List()
        for stage in range(4):
            for position in range(2):
                stride = 2 if stage > 0 and position == 0 else 1
                out = a.base * 2**stage
                block = BasicBlock(height, width, channels, out, stride, direct)
                self.blocks.append(block)
                height, width, channels = block.out_height, block.out_width, out
        # One draw for all weights: the compiler takes seconds over twenty.
        convolutions = [m for _, m in nnx.iter_modules(self) if isinstance(m, Convolution)]
        sizes = [m.kernel.size for m in convolutions]
        draw = draw or (lambda key, n: jax.random.normal(key, (n,), jnp.float32))
        values = draw(rngs.params(), sum(sizes))
        for module, own in zip(convolutions, jnp.split(values, np.cumsum(sizes)[:-1]), strict=True):
            module.kernel[...] = module.initial_scale * own.reshape(module.kernel.shape)
        bound = channels**-0.5
        uniform = functools.partial(jax.random.uniform, minval=-bound, maxval=bound)
        self.weight = nnx.Param(uniform(rngs.params(), (channels, a.n_classes)))
        self.bias = nnx.Param(uniform(rngs.params(), (a.n_classes,)))

    def __call__(
        self, images: Float[Array, "b h w c"], weights: Float[Array, " b"] | None = None
    ) -> Float[Array, "b classes"]:
        """Compute logits.

        Args:
            images: Images as numbers; the compute dtype follows them.
            weights: One weight per image, zero for padding: normalise by this batch's own
                statistics and keep them. None: normalise by the statistics kept.

        Returns:
            Logits, float32 or wider.
        """
        x = jax.nn.relu(self.stem_norm(self.stem(images), weights))
        x = max_pool(x)
        for block in self.blocks:
            x = block(x, weights)
        pooled = x.astype(np.promote_types(x.dtype, np.float32)).mean((1, 2))
        logits = jnp.matmul(pooled, self.weight[...], precision=precision())
        return logits + self.bias[...][None, :]


def max_pool(x: Float[Array, "b h w c"]) -> Float[Array, "b h_out w_out c"]:
    """Take the largest of each 3x3 window, 2 pixels apart; `x` is at least zero everywhere."""
    for axis in (1, 2):
        length = x.shape[axis]
        out = (length - 1) // 2 + 1
        widths = [(0, 0)] * 4
        widths[axis] = (1, 1)
        # Zero is no larger than any entry after a ReLU, so it pads like minus infinity.
        padded = jnp.pad(x, widths)
        taps = [jax.lax.slice_in_dim(padded, t, t + 2 * (out - 1) + 1, 2, axis) for t in range(3)]
        x = jnp.maximum(jnp.maximum(taps[0], taps[1]), taps[2])
    return x


@functools.cache
def _network(
    base: int = 64, stem: int | None = None, direct: bool = False, draw: Draw | None = None
) -> Network:
    def make(shape: ImageShape, n_classes: int, rngs: nnx.Rngs) -> ResNet18:
        architecture = Architecture(*shape, n_classes, base, stem)
        return ResNet18(architecture, rngs=rngs, direct=direct, draw=draw)

    return from_nnx(make, "resnet18")


def choose_execution(config: TrainingConfig, at_once: int, *, stem: int | None = None) -> Backend:
    """Say what executes ResNet-18 here: kernels in C, one model by XLA, or several.

    Args:
        config: The recipe, with the number of channels of the first stage.
        at_once: Models that advance together.
        stem: Side of the first convolution, as in `Architecture`.
    """
    base = config.base_channels
    if serves(config, at_once):
        return NativeBackend(_network(base, stem, draw=normals), stem)
    return Backend(_network(base, stem, direct=at_once == 1 and jax.default_backend() == "cpu"))


#: He et al. (2016); the channels of the first stage are those of the recipe.
resnet18 = dataclasses.replace(_network(), backend=choose_execution)
