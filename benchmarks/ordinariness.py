"""Ordinariness of images and embeddings against torch, scikit-learn, KeOps and matrix products.

Run `python -m benchmarks.ordinariness --help`. Peers that are not installed are left out:
`pip install torch==2.13.0` (the CPU build), `pip install pykeops`. On a GPU:
`python -m benchmarks.ordinariness --gpu`.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jax import lax
from jax.sharding import NamedSharding, PartitionSpec

import lcrjax
from benchmarks.time_figure import time_figure
from benchmarks.timing import PEAK, in_turn, optional, seconds, show
from lcrjax.data import load
from lcrjax.similarity.distances.byte_products import byte_product

CLASSES = 10


def images(n: int) -> tuple[np.ndarray, np.ndarray]:
    """The first n Fashion-MNIST images where it is installed, else random bytes of its shape."""
    folder = Path("/usr/share/datasets/fashion-mnist")
    if folder.is_dir() and n <= 60_000:
        data = load(folder)
        return data.train_images[:n].reshape(n, -1), data.train_labels[:n]
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, 784), dtype=np.uint8), rng.integers(0, CLASSES, n)


def weights(labels: np.ndarray) -> np.ndarray:
    return np.eye(CLASSES, dtype=np.float32)[labels] / np.float32(len(labels))


def with_torch(x: np.ndarray, w: np.ndarray) -> Any:
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    block = 4096 if device.type == "cuda" else 1000
    points, table = torch.from_numpy(x).to(device), torch.from_numpy(w).to(device)
    scale = -1 / np.sqrt(x.shape[1])

    def run() -> np.ndarray:
        out = torch.empty(len(x), w.shape[1], device=device)
        for i in range(0, len(x), block):
            out[i : i + block] = (
                torch.exp(torch.cdist(points[i : i + block], points) * scale) @ table
            )
        return out.cpu().numpy()  # waits for a GPU

    return run


def with_scikit_learn(x: np.ndarray, w: np.ndarray) -> Any:
    from sklearn.metrics import pairwise_distances_chunked

    scale = -1 / np.sqrt(x.shape[1])

    def run() -> np.ndarray:
        parts = pairwise_distances_chunked(
            x, reduce_func=lambda d, _: np.exp(d * scale) @ w, working_memory=256
        )
        return np.concatenate(list(parts))

    return run


def with_keops(x: np.ndarray, w: np.ndarray) -> Any:
    import torch
    from pykeops.torch import LazyTensor

    points, table = torch.from_numpy(x), torch.from_numpy(w)
    rows, columns = LazyTensor(points[:, None, :]), LazyTensor(points[None, :, :])

    def run() -> np.ndarray:
        z = (-(((rows - columns) ** 2).sum(-1) / x.shape[1]).sqrt()).exp()
        return (z @ table).numpy()

    return run


def product_rates(d: int, of_bytes: bool) -> dict[str, float]:
    """The machine's own best; on a GPU also of products so deep that writing them is nothing."""
    if jax.default_backend() == "cpu":
        return {"product rate": product_rate(1024, d, of_bytes)}
    return {
        "product rate": loop_rate(8192, d, of_bytes),
        "deep product rate": loop_rate(8192, 8192, of_bytes),
    }


def product_rate(side: int, d: int, of_bytes: bool) -> float:
    """Operations a second of a plain product of two tiles."""
    rng = np.random.default_rng(0)
    if of_bytes:
        a = jnp.asarray(rng.integers(0, 256, (side, d)), jnp.uint8)
        b = jnp.asarray(rng.integers(-128, 128, (side, d)), jnp.int8)
        program = jax.jit(
            lambda a, b: [byte_product(a + i, b) for i in np.arange(8, dtype=np.uint8)]
        )
    else:
        a = jnp.asarray(rng.random((side, d)), jnp.float32)
        b = jnp.asarray(rng.random((side, d)), jnp.float32)
        dims = (((1,), (1,)), ((), ()))
        program = jax.jit(lambda a, b: [lax.dot_general(a + i, b, dims) for i in range(8)])
    return 8 * 2 * side * side * d / seconds(lambda: program(a, b), 9)


def loop_rate(side: int, d: int, of_bytes: bool, times: int = 64) -> float:
    """The same of products that follow one another on the device, each needed by the next."""
    rng = np.random.default_rng(0)
    if of_bytes:
        a, b = (jnp.asarray(rng.integers(-128, 128, (side, d)), jnp.int8) for _ in "ab")
    else:
        a, b = (jnp.asarray(rng.random((side, d)), jnp.float32) for _ in "ab")
    wide = jnp.int32 if of_bytes else jnp.float32
    dims = (((1,), (1,)), ((), ()))

    @jax.jit
    def program(a: jax.Array, b: jax.Array) -> jax.Array:
        def step(_: int, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            a, _ = carry
            # The barrier keeps the whole product: nothing of it may be left out.
            product = lax.optimization_barrier(
                lax.dot_general(a, b, dims, preferred_element_type=wide)
            )
            return a.at[0, 0].set(product[0, 0].astype(a.dtype)), product

        return lax.fori_loop(0, times, step, (a, jnp.zeros((side, side), wide)))[1]

    return times * 2 * side * side * d / seconds(lambda: program(a, b), 5)


ONCE = (
    PEAK
    + """
import jax, lcrjax, numpy as np

jax.numpy.zeros(1).block_until_ready()
before = peak()
x = np.random.default_rng(0).integers(0, 256, ({n}, 784), dtype=np.uint8)
w = np.ones(({n}, 10), np.float32) / {n}
lcrjax.ordinariness(x, w).block_until_ready()
print(peak() - before)
"""
)


def peak_memory(n: int) -> float:
    """MiB by which the peak resident size grows over a process that has imported jax; Linux."""
    command = [sys.executable, "-c", ONCE.format(n=n)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


PEERS = {"torch.cdist": with_torch, "scikit-learn": with_scikit_learn, "KeOps": with_keops}


def in_bytes(n: int, peers: list[str]) -> dict[str, float]:
    """Seconds of every program for n images, and the rates of the byte product alone."""
    x, labels = images(n)
    w = weights(labels)
    programs = {"lcrjax": ours(x, w)}
    if jax.default_backend() != "cpu" and jax.device_count() > 1:
        programs[f"lcrjax over {jax.device_count()} of them"] = over_all(x, w)
    floats = x.astype(np.float32) / np.float32(255) if peers else x
    for peer in peers:
        program = optional(peer, lambda peer=peer: PEERS[peer](floats, w))
        if program is not None:
            programs[peer] = program
    return in_turn(programs) | product_rates(x.shape[1], True)


def in_floats(n: int, d: int) -> dict[str, float]:
    """The same for embeddings, against torch alone."""
    x = np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)
    w = weights(np.arange(n) % CLASSES)
    programs = {"lcrjax": ours(x, w)}
    program = optional("torch.cdist", lambda: with_torch(x, w))
    if program is not None:
        programs["torch.cdist"] = program
    return in_turn(programs) | product_rates(d, False)


def ours(x: Any, w: Any) -> Callable[[], Any]:
    """Return our program; a GPU has the elements before the clock starts, as torch has."""
    if jax.default_backend() != "cpu":
        x, w = jnp.asarray(x), jnp.asarray(w)
    return lambda: lcrjax.ordinariness(x, w)


def over_all(x: np.ndarray, w: np.ndarray) -> Callable[[], Any]:
    """Our program over all devices, which have their shards before the clock starts."""
    mesh = jax.make_mesh((jax.device_count(),), ("elements",))
    count = len(x) // mesh.size * mesh.size
    placed = jax.device_put(x[:count], NamedSharding(mesh, PartitionSpec("elements")))
    return lambda: lcrjax.ordinariness(placed, w[:count], mesh=mesh)


def table(found: dict[int, dict[str, float]], d: int) -> list[tuple[str, ...]]:
    """Times, ratios, and the share of the product's rate if n²/2 pairs are counted."""
    rows = []
    for n, times in found.items():
        lcrjax_time = times["lcrjax"]
        for name, value in times.items():
            if name.endswith("product rate"):
                share = f"{n * n * d / lcrjax_time / value:.2f} of {value / 1e9:.0f} G/s"
                rows.append(
                    (f"  share of the {name.removesuffix(' rate')}'s rate", "", "", "", share)
                )
            else:
                rows.append((name, f"{n:,}", f"{value:.4f}", f"{value / lcrjax_time:.1f}", ""))
    return rows


def write(found: dict[int, dict[str, float]], folder: Path) -> None:
    """The times as CSV, and a plot of them."""
    folder.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame.from_dict(found, orient="index").rename_axis("n")
    frame.to_csv(folder / "ordinariness.csv", float_format="%.6g")
    times = frame.drop(columns=[name for name in frame if name.endswith("rate")])
    time_figure(times).savefig(folder / "ordinariness.png", dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--gpu",
        action="store_true",
        help="other defaults, for a GPU: 60,000 and 1,000,000 images, torch.cdist for the former; "
        "of several GPUs one, and all of them as a mesh",
    )
    parser.add_argument("--sizes", help="numbers of images, 1000,5000,20000,60000 by default")
    parser.add_argument(
        "--peers",
        help="peers, and for how many images at most, by default "
        "torch.cdist:20000,scikit-learn:20000,KeOps:5000; KeOps takes minutes for 20,000",
    )
    parser.add_argument("--embeddings", default="20000x512", help="float32 embeddings, n x d")
    parser.add_argument("--out", type=Path, help="folder for a table and a plot of the times")
    options = parser.parse_args()
    usual = ("1000,5000,20000,60000", "torch.cdist:20000,scikit-learn:20000,KeOps:5000")
    default = ("60000,1000000", "torch.cdist:60000") if options.gpu else usual
    sizes = [int(n) for n in (options.sizes or default[0]).split(",")]
    peers = default[1] if options.peers is None else options.peers
    limits = dict(part.split(":") for part in peers.split(",") if part)
    found = {n: in_bytes(n, [p for p, most in limits.items() if n <= int(most)]) for n in sizes}
    columns = ("program", "n", "seconds", "times lcrjax", "")
    show(
        f"Images of 784 bytes, {CLASSES} classes, on {jax.devices()[0]}", table(found, 784), columns
    )
    if options.out:
        write(found, options.out)
    n, d = map(int, options.embeddings.split("x"))
    show(f"Embeddings, {n:,} x {d} float32", table({n: in_floats(n, d)}, d), columns)
    most = sizes[-1]
    if jax.default_backend() != "cpu":
        peak = (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use", 0)
        print(f"Peak memory of the device in this run: {peak / 2**20:.0f} MiB")
        return
    print(f"Peak memory, {most:,} x 784 uint8: {peak_memory(most):.0f} MiB above jax imported")


if __name__ == "__main__":
    main()
