"""Ordinariness of images and embeddings against torch, scikit-learn, KeOps and matrix products.

Run `python -m benchmarks.ordinariness --help`. Peers that are not installed are left out:
`pip install torch==2.13.0` (the CPU build), `pip install pykeops`.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jax import lax

import lcrjax
from benchmarks.time_figure import time_figure
from benchmarks.timing import in_turn, optional, seconds, show
from lcrjax.byte_product import byte_product
from lcrjax.data import load

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


def with_torch(x: np.ndarray, w: np.ndarray, block: int = 1000) -> Any:
    import torch

    points, table = torch.from_numpy(x), torch.from_numpy(w)
    scale = -1 / np.sqrt(x.shape[1])

    def run() -> np.ndarray:
        out = torch.empty(len(x), w.shape[1])
        for i in range(0, len(x), block):
            out[i : i + block] = (
                torch.exp(torch.cdist(points[i : i + block], points) * scale) @ table
            )
        return out.numpy()

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


def product_rate(side: int, d: int, of_bytes: bool) -> float:
    """Operations a second of a plain product of two tiles, the machine's own best."""
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


PEAK = """
import jax, lcrjax, numpy as np
from pathlib import Path

def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024

jax.numpy.zeros(1).block_until_ready()
before = peak()
x = np.random.default_rng(0).integers(0, 256, ({n}, 784), dtype=np.uint8)
w = np.ones(({n}, 10), np.float32) / {n}
lcrjax.ordinariness(x, w).block_until_ready()
print(peak() - before)
"""


def peak_memory(n: int) -> float:
    """MiB by which the peak resident size grows over a process that has imported jax; Linux."""
    command = [sys.executable, "-c", PEAK.format(n=n)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


PEERS = {"torch.cdist": with_torch, "scikit-learn": with_scikit_learn, "KeOps": with_keops}


def in_bytes(n: int, peers: list[str]) -> dict[str, float]:
    """Seconds of every program for n images, and the rate of the byte product alone."""
    x, labels = images(n)
    w = weights(labels)
    floats = x.astype(np.float32) / np.float32(255)
    programs = {"lcrjax": lambda: lcrjax.ordinariness(x, w)}
    for peer in peers:
        program = optional(peer, lambda peer=peer: PEERS[peer](floats, w))
        if program is not None:
            programs[peer] = program
    return in_turn(programs) | {"product rate": product_rate(1024, x.shape[1], True)}


def in_floats(n: int, d: int) -> dict[str, float]:
    """The same for embeddings, against torch alone."""
    x = np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)
    w = weights(np.arange(n) % CLASSES)
    programs = {"lcrjax": lambda: lcrjax.ordinariness(x, w)}
    program = optional("torch.cdist", lambda: with_torch(x, w))
    if program is not None:
        programs["torch.cdist"] = program
    return in_turn(programs) | {"product rate": product_rate(1024, d, False)}


def table(found: dict[int, dict[str, float]], d: int) -> list[tuple[str, ...]]:
    """Times, ratios, and the share of the product's rate if n²/2 pairs are counted."""
    rows = []
    for n, times in found.items():
        ours, rate = times["lcrjax"], times["product rate"]
        for name, time in times.items():
            if name == "product rate":
                share = f"{n * n * d / ours / rate:.2f} of {rate / 1e9:.0f} G/s"
                rows.append(("  share of the product's rate", "", "", "", share))
            else:
                rows.append((name, f"{n:,}", f"{time:.4f}", f"{time / ours:.1f}", ""))
    return rows


def write(found: dict[int, dict[str, float]], folder: Path) -> None:
    """The times as CSV, and a plot of them."""
    folder.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame.from_dict(found, orient="index").rename_axis("n")
    frame.to_csv(folder / "ordinariness.csv", float_format="%.6g")
    time_figure(frame.drop(columns="product rate")).savefig(folder / "ordinariness.png", dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,5000,20000,60000", help="numbers of images")
    parser.add_argument(
        "--peers",
        default="torch.cdist:20000,scikit-learn:20000,KeOps:5000",
        help="peers, and for how many images at most; KeOps takes minutes for 20,000",
    )
    parser.add_argument("--embeddings", default="20000x512", help="float32 embeddings, n x d")
    parser.add_argument("--out", type=Path, help="folder for a table and a plot of the times")
    options = parser.parse_args()
    sizes = [int(n) for n in options.sizes.split(",")]
    limits = dict(part.split(":") for part in options.peers.split(",") if part)
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
    print(f"Peak memory, {most:,} x 784 uint8: {peak_memory(most):.0f} MiB above jax imported")


if __name__ == "__main__":
    main()
