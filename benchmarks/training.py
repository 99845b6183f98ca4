"""Training against a PyTorch loop on the same machine, in one run.

    python -m benchmarks.training [--data FILE] [--sizes 64 256] [--subsets 4]

The PyTorch side trains one subset after another with the same network, recipe, criterion and
evaluation. It needs `pip install torch==2.13.0`; without it only lcrjax is measured, and said so.
"""

import argparse
import dataclasses
import itertools
import statistics
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from lcrjax.data import load
from lcrjax.training import TrainingConfig, train_subsets
from lcrjax.training.ensemble import architecture_of
from lcrjax.training.epochs import Images
from lcrjax.training.programs import make_programs
from lcrjax.training.resnet import Architecture

try:
    from benchmarks import torch_loop
except ModuleNotFoundError:
    torch_loop = None


def best(function: Callable[[], object], repeats: int) -> float:
    """Fastest of several runs: the machine may be shared."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)


def matrix_product_rate(size: int = 2048) -> float:
    """float32 FLOP/s of one large matrix product."""
    a = jax.random.normal(jax.random.key(0), (size, size))
    product = jax.jit(lambda x: x @ x)
    product(a).block_until_ready()
    return 2 * size**3 / best(lambda: product(a).block_until_ready(), 10)


def nominal_flops(architecture: Architecture, *, live: bool) -> float:
    """FLOPs of training on one image: three times the forward pass.

    Args:
        architecture: Shape of the network.
        live: Count only the products that meet a pixel rather than padding.
    """
    total = 0
    geometry, c_in, out = architecture.stem_geometry, architecture.channels, architecture.base
    height, width = geometry.out_height, geometry.out_width

    def products(size: int, stride: int, length: int, out_length: int) -> int:
        if not live:
            return size * out_length
        reach = itertools.product(range(out_length), range(size))
        return sum(0 <= o * stride + t - size // 2 < length for o, t in reach)

    def add(h: int, w: int, size: int, stride: int, channels: int, filters: int) -> tuple[int, int]:
        nonlocal total
        out_h, out_w = -(-h // stride), -(-w // stride)
        taps = products(size, stride, h, out_h) * products(size, stride, w, out_w)
        total += taps * channels * filters
        return out_h, out_w

    add(architecture.height, architecture.width, geometry.size, geometry.stride, c_in, out)
    height, width, c_in = -(-height // 2), -(-width // 2), out
    for stage in range(4):
        for position in range(2):
            out = architecture.base * 2**stage
            stride = 2 if stage and not position else 1
            if stride == 2:
                add(height, width, 1, 2, c_in, out)
            height, width = add(height, width, 3, stride, c_in, out)
            add(height, width, 3, 1, out, out)
            c_in = out
    return 2.0 * 3 * total


def steady_state(batch_size: int, batches: int, stems: list[int]) -> None:
    """Print images a second for each first layer, with and without PyTorch."""
    n = batch_size * batches
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (n, 28, 28, 3), np.uint8)
    labels = rng.integers(0, 8, n)
    for stem in stems:
        config = TrainingConfig(
            batch_size=batch_size, learning_rate=1e-6, target_accuracy=1.0, check_above=1.0
        )
        architecture = dataclasses.replace(architecture_of(pixels, 8, config, 1), stem=stem)
        programs = make_programs(architecture, config)
        images = Images(jnp.asarray(pixels), jnp.asarray(labels, jnp.int32))
        subset = jnp.arange(n, dtype=jnp.int32)[None]
        models = [programs.start(jnp.zeros(1, jnp.uint32))]

        def epoch(models=models, programs=programs, images=images, subset=subset) -> None:
            # Random labels can be learned by heart: never mind the criterion.
            state = dataclasses.replace(models[0], done=jnp.zeros(1, bool))
            models[0] = programs.advance(state, images, subset, jnp.int32(n), jnp.int32(1))
            jax.block_until_ready(models[0].epoch)

        epoch()
        rates, theirs, products = [], [], []
        torch_epoch = torch_loop and torch_loop.make_epoch(architecture, config, pixels, labels)
        for _ in range(3):  # in turns, so that a busy machine slows both
            products.append(matrix_product_rate())
            rates.append(n / best(epoch, 1))
            if torch_epoch:
                theirs.append(n / best(torch_epoch, 1))
        rate = max(rates)
        share = rate * nominal_flops(architecture, live=False) / max(products)
        live = rate * nominal_flops(architecture, live=True) / max(products)
        line = (
            f"28x28x3, first layer {stem}x{stem}, batch {batch_size}: {rate:.0f} images/s, "
            f"{share:.2f} of the {max(products) / 1e9:.0f} GFLOP/s of a matrix product "
            f"({live:.2f} without products with padding)"
        )
        if theirs:
            line += f"; PyTorch {max(theirs):.0f} images/s, ratio {rate / max(theirs):.2f}"
        print(line, flush=True)


def to_criterion(source: str, size: int, count: int, torch_count: int) -> None:
    """Print wall time and mean BACC of subsets trained to the criterion."""
    dataset = load(source)
    config = TrainingConfig()
    rng = np.random.default_rng(0)
    subsets = [rng.permutation(len(dataset.train_labels))[:size] for _ in range(count)]
    began = time.perf_counter()
    table = train_subsets(dataset, subsets, range(count), config)
    seconds = time.perf_counter() - began
    line = (
        f"{dataset.name}, {count} subsets of {size}: {seconds:.1f} s with compilation, "
        f"{table['epochs'].mean():.1f} epochs, BACC {table['bacc'].mean():.4f}"
    )
    if torch_loop and torch_count:
        began = time.perf_counter()
        rows = [
            torch_loop.train(dataset, subset, seed, config)
            for seed, subset in enumerate(subsets[:torch_count])
        ]
        theirs = (time.perf_counter() - began) * count / torch_count
        scaled = "" if torch_count == count else f" (scaled from {torch_count})"
        line += (
            f"; PyTorch {theirs:.1f} s{scaled}, "
            f"{statistics.mean(r['epochs'] for r in rows):.1f} epochs, "
            f"BACC {statistics.mean(r['bacc'] for r in rows):.4f}; ratio {theirs / seconds:.2f}"
        )
    print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="digits", help="what lcrjax.data.load understands")
    parser.add_argument("--sizes", type=int, nargs="*", default=[64, 256])
    parser.add_argument("--subsets", type=int, default=4)
    parser.add_argument(
        "--torch-subsets",
        type=int,
        default=None,
        help="train only so many with PyTorch; its time is scaled",
    )
    parser.add_argument(
        "--stems", type=int, nargs="*", default=[7, 3], help="sides of first kernels"
    )
    parser.add_argument("--batch-size", type=int, default=64, help="of the steady-state figures")
    parser.add_argument("--batches", type=int, default=8, help="per epoch of the same")
    args = parser.parse_args()
    if torch_loop is None:
        print("PyTorch is absent: lcrjax only. `pip install torch==2.13.0` adds the comparison.")
    if args.batches:
        steady_state(args.batch_size, args.batches, args.stems)
    for size in args.sizes:
        torch_count = args.subsets if args.torch_subsets is None else args.torch_subsets
        to_criterion(args.data, size, args.subsets, torch_count)


if __name__ == "__main__":
    main()
