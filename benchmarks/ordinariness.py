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
from jax import lax

import lcrjax
from benchmarks.timing import optional, seconds, show
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


PEERS = {
    "torch": ("torch.cdist in blocks", with_torch),
    "sklearn": ("scikit-learn, chunked", with_scikit_learn),
    "keops": ("KeOps", with_keops),
}


def bytes_at(n: int, peers: list[str]) -> list[tuple[str, ...]]:
    x, labels = images(n)
    w = weights(labels)
    ours = seconds(lambda: lcrjax.ordinariness(x, w))
    rate = product_rate(1024, x.shape[1], True)
    share = n * n * x.shape[1] / ours / rate
    rows = [
        ("lcrjax, uint8", f"{n:,}", f"{ours:.3f}", "1", f"{share:.2f}"),
        (
            "  byte product alone",
            "",
            f"{n * n * x.shape[1] / rate:.3f}",
            "",
            f"{rate / 1e9:.0f} GOP/s",
        ),
    ]
    floats = x.astype(np.float32) / np.float32(255) if peers else x
    for peer in peers:
        name, make = PEERS[peer]
        program = optional(name, lambda make=make: make(floats, w))
        if program is not None:
            time = seconds(program, 1 if peer == "keops" else 3)
            rows.append((name, f"{n:,}", f"{time:.3f}", f"{time / ours:.1f}", ""))
    return rows


def floats_at(n: int, d: int) -> list[tuple[str, ...]]:
    x = np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)
    w = weights(np.arange(n) % CLASSES)
    ours = seconds(lambda: lcrjax.ordinariness(x, w))
    rate = product_rate(1024, d, False)
    alone, share = n * n * d / rate, n * n * d / ours / rate
    rows = [
        ("lcrjax, float32", f"{n:,}", f"{ours:.3f}", "1", f"{share:.2f}"),
        ("  float32 product alone", "", f"{alone:.3f}", "", f"{rate / 1e9:.0f} GFLOP/s"),
    ]
    program = optional("torch", lambda: with_torch(x, w))
    if program is not None:
        time = seconds(program)
        rows.append(("torch.cdist in blocks", f"{n:,}", f"{time:.3f}", f"{time / ours:.1f}", ""))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,5000,20000", help="numbers of images, with peers")
    parser.add_argument("--peers", default="torch,sklearn,keops", help="KeOps takes minutes")
    parser.add_argument("--alone", default="60000", help="numbers of images, without peers")
    parser.add_argument("--embeddings", default="20000x512", help="float32 embeddings, n x d")
    options = parser.parse_args()
    columns = ("program", "n", "seconds", "times lcrjax", "share of product")
    rows: list[tuple[str, ...]] = []
    for n in map(int, options.sizes.split(",")):
        rows += bytes_at(n, options.peers.split(","))
    for n in map(int, filter(None, options.alone.split(","))):
        rows += bytes_at(n, [])
    show(f"Images of 784 bytes, {CLASSES} classes, on {jax.devices()[0]}", rows, columns)
    n, d = map(int, options.embeddings.split("x"))
    show(f"Embeddings, {n:,} x {d} float32", floats_at(n, d), columns)
    largest = max(map(int, filter(None, options.alone.split(","))), default=60_000)
    print(
        f"Peak memory, {largest:,} x 784 uint8: {peak_memory(largest):.0f} MiB above jax imported"
    )


if __name__ == "__main__":
    main()
