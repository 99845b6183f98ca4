"""Training against a PyTorch loop on the same machine, in one run.

    python -m benchmarks.training [--data FILE] [--sizes 64 256] [--subsets 4]
    python -m benchmarks.training --gpu --data blood.npz [--precision bfloat16]

The second line is for a GPU: 64 subsets each of 64, 256 and 1,024 images, and from them the time
of the paper's 4,599 models. The PyTorch side trains one subset after another with the same
network, recipe, criterion and evaluation. It needs `pip install torch==2.13.0`; without it only
lcrjax is measured, and said so.
"""

import argparse
import dataclasses
import itertools
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.paper import DATASETS, whole_paper
from lcrjax.data import load
from lcrjax.training import TrainingConfig, resnet18, train_subsets
from lcrjax.training.batches import Images
from lcrjax.training.config import PRECISIONS
from lcrjax.training.memory import models_at_once
from lcrjax.training.networks.resnet18 import choose_execution
from lcrjax.training.networks.resnet18_architecture import Architecture
from lcrjax.training.programs import make_programs

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


def matrix_product_rate(precision: str) -> float:
    """FLOP/s of one large matrix product."""
    size = 2048 if jax.default_backend() == "cpu" else 8192
    a = jax.random.normal(jax.random.key(0), (size, size)).astype(precision)
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


def steady_state(base: TrainingConfig, batches: int, stems: list[int]) -> None:
    """Print images a second for each first layer, with and without PyTorch."""
    batch_size = base.batch_size
    n = batch_size * batches
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (n, 28, 28, 3), np.uint8)
    labels = rng.integers(0, 8, n)
    for stem in stems:
        config = dataclasses.replace(base, learning_rate=1e-6, target_accuracy=1.0, check_above=1.0)
        shape = pixels.shape[1:]
        at_once = models_at_once(resnet18, shape, 8, config)
        programs = make_programs(choose_execution(config, at_once, stem=stem), shape, 8, config)
        architecture = Architecture(*shape, 8, config.base_channels, stem)
        images = Images(jnp.asarray(pixels), jnp.asarray(labels, jnp.int32))
        subset = jnp.tile(jnp.arange(n, dtype=jnp.int32), (at_once, 1))
        models = [programs.start(jnp.arange(at_once, dtype=jnp.uint32))]

        def epoch(models=models, programs=programs, images=images, subset=subset) -> None:
            # Random labels can be learned by heart: never mind the criterion.
            state = dataclasses.replace(models[0], accuracy=jnp.full(len(subset), jnp.nan))
            models[0] = programs.advance(state, images, subset, jnp.int32(n), jnp.int32(1))
            jax.block_until_ready(models[0].epoch)

        epoch()
        rates, theirs, products = [], [], []
        torch_epoch = torch_loop and torch_loop.make_epoch(architecture, config, pixels, labels)
        for _ in range(3):  # in turns, so that a busy machine slows both
            products.append(matrix_product_rate(config.precision))
            rates.append(at_once * n / best(epoch, 1))
            if torch_epoch:
                theirs.append(n / best(torch_epoch, 1))
        rate = max(rates)
        share = rate * nominal_flops(architecture, live=False) / max(products)
        live = rate * nominal_flops(architecture, live=True) / max(products)
        line = (
            f"28x28x3, first layer {stem}x{stem}, batch {batch_size}, {config.precision}, "
            f"{at_once} at once: {rate:.0f} images/s, "
            f"{share:.2f} of the {max(products) / 1e9:.0f} GFLOP/s of a matrix product "
            f"({live:.2f} without products with padding)"
        )
        if theirs:
            line += f"; PyTorch {max(theirs):.0f} images/s, ratio {rate / max(theirs):.2f}"
        print(line, flush=True)


def to_criterion(
    dataset: Any, size: int, count: int, torch_count: int, config: TrainingConfig, *, warm: bool
) -> tuple[float, float | None]:
    """Print wall time and mean BACC of subsets trained to the criterion.

    Args:
        dataset: Where the subsets come from.
        size: Images per subset.
        count: How many subsets.
        torch_count: How many of them PyTorch trains.
        config: The recipe.
        warm: Train before the clock starts, so that compilation and tuning are not counted.

    Returns:
        Seconds per model of lcrjax and of PyTorch, None where it trained none.
    """
    rng = np.random.default_rng(0)
    subsets = [rng.permutation(len(dataset.train_labels))[:size] for _ in range(count)]
    if warm:
        train_subsets(dataset, subsets, range(count), config)
    began = time.perf_counter()
    table = train_subsets(dataset, subsets, range(count), config)
    ours, theirs = (time.perf_counter() - began) / count, None
    line = (
        f"{dataset.name}, {count} subsets of {size}, {config.precision}: {ours * count:.1f} s "
        f"{'without' if warm else 'with'} compilation, {table['epochs'].mean():.1f} epochs, "
        f"BACC {table['bacc'].mean():.4f}, {ours:.3f} s per model"
    )
    if torch_loop and torch_count:
        data = torch_loop.place(dataset, config)
        if warm:
            torch_loop.train(data, subsets[0], 0, config)
        began = time.perf_counter()
        rows = [
            torch_loop.train(data, subset, seed, config)
            for seed, subset in enumerate(subsets[:torch_count])
        ]
        theirs = (time.perf_counter() - began) / torch_count
        scaled = "" if torch_count == count else f" (scaled from {torch_count})"
        line += (
            f"; PyTorch {theirs * count:.1f} s{scaled}, "
            f"{statistics.mean(r['epochs'] for r in rows):.1f} epochs, "
            f"BACC {statistics.mean(r['bacc'] for r in rows):.4f}, {theirs:.3f} s per model; "
            f"ratio per model {theirs / ours:.2f}"
        )
    print(line, flush=True)
    return ours, theirs


def compilation(dataset: Any, size: int, count: int, config: TrainingConfig) -> float:
    """Seconds of a first call over that of a second, which compiles nothing."""
    rng = np.random.default_rng(1)
    subsets = [rng.permutation(len(dataset.train_labels))[:size] for _ in range(count)]

    def call() -> object:
        return train_subsets(dataset, subsets, range(count), config)

    first = best(call, 1)
    return first - best(call, 1)


def project(per_model: dict[int, tuple[float, float | None]], compiling: float) -> None:
    """Print the time that the paper's 4,599 models would take."""
    ours = whole_paper({n: seconds for n, (seconds, _) in per_model.items()})
    print(
        f"The paper's 4,599 models, projected: {ours / 60:.1f} minutes and "
        f"{DATASETS} times {compiling:.1f} s of compilation"
    )
    theirs = {n: seconds for n, (_, seconds) in per_model.items() if seconds is not None}
    if len(theirs) == len(per_model):
        whole = whole_paper(theirs)
        print(f"PyTorch, projected: {whole / 60:.1f} minutes, {whole / ours:.1f} times as long")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="digits", help="what lcrjax.data.load understands")
    parser.add_argument(
        "--gpu",
        action="store_true",
        help="another choice of defaults: 64 subsets each of 64, 256 and 1,024 images, 4 of each "
        "with PyTorch, compilation apart, and a projection to the paper's 4,599 models",
    )
    parser.add_argument("--sizes", type=int, nargs="*", help="64 256, and with --gpu 1024")
    parser.add_argument("--subsets", type=int, help="4, or with --gpu 64")
    parser.add_argument(
        "--torch-subsets", type=int, help="train only so many with PyTorch; its time is scaled"
    )
    parser.add_argument(
        "--stems", type=int, nargs="*", default=[7, 3], help="sides of first kernels"
    )
    parser.add_argument("--batch-size", type=int, default=64, help="of the steady-state figures")
    parser.add_argument("--batches", type=int, help="per epoch of the same: 8, or with --gpu 0")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument("--models-at-once", type=int, help="by default what memory allows")
    parser.add_argument("--base-channels", type=int, default=64, help="fewer for a trial")
    args = parser.parse_args()
    for name, usual, on_gpu in (
        ("sizes", [64, 256], [64, 256, 1024]),
        ("subsets", 4, 64),
        ("batches", 8, 0),
    ):
        if getattr(args, name) is None:
            setattr(args, name, on_gpu if args.gpu else usual)
    if args.torch_subsets is None:
        args.torch_subsets = min(4, args.subsets) if args.gpu else args.subsets
    if args.gpu and len(set(args.sizes)) < 2:
        parser.error("--gpu projects from at least two sizes")
    config = TrainingConfig(
        precision=args.precision,
        models_at_once=args.models_at_once,
        base_channels=args.base_channels,
    )
    if torch_loop is None:
        print("PyTorch is absent: lcrjax only. `pip install torch==2.13.0` adds the comparison.")
    print(
        f"lcrjax on {jax.devices()[0]}"
        + (f", PyTorch on {torch_loop.DEVICE}" if torch_loop else "")
    )
    if args.batches:
        steady_state(
            dataclasses.replace(config, batch_size=args.batch_size), args.batches, args.stems
        )
    dataset = load(args.data)
    compiling = compilation(dataset, min(args.sizes), args.subsets, config) if args.gpu else 0.0
    per_model = {
        size: to_criterion(dataset, size, args.subsets, args.torch_subsets, config, warm=args.gpu)
        for size in args.sizes
    }
    if args.gpu:
        project(per_model, compiling)


if __name__ == "__main__":
    main()
