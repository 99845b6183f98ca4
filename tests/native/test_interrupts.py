"""Ctrl-C while kernels work, in a process of its own."""

import os
import subprocess
import sys

import pytest

from lcrjax import native
from tests.compiling import quick_environment

pytestmark = pytest.mark.skipif(not native.available(), reason="no compiled kernels")

#: `work(size)` takes time in proportion to `size`, and returns what is right for each.
WORK = {
    "on the host": """
images = rng.integers(0, 256, (1 << 14, 784), np.uint8)
def work(size):
    return lcrjax.ordinariness(images, np.ones(256 * size, "f4"), others=images[: 256 * size])
""",
    "of floats": """
vectors = rng.normal(size=(1 << 14, 512)).astype("f4")
def work(size):
    return lcrjax.ordinariness(
        vectors, np.ones(256 * size, "f4"), lcrjax.Laplacian(30.0), others=vectors[: 256 * size]
    )
""",
    "in a program": """
from lcrjax.pairwise.product import product
images = jnp.asarray(rng.integers(0, 256, (1 << 14, 784), np.uint8))
def work(size):
    weights = jnp.asarray(np.arange(1 << 14) < 256 * size, jnp.float32)[:, None]
    return product(lcrjax.RMSD(), images, jnp.where(weights > 0, 1.0, 0.0), images, 1024)
""",
    "in training": """
from lcrjax.native.interrupts import ready
from lcrjax.training.networks.protocol import choose_backend
from lcrjax.training.networks.resnet18 import resnet18
from lcrjax.training import TrainingConfig
backend = choose_backend(resnet18, TrainingConfig(), 1)
params, statistics = backend.init(jax.random.key(0), (28, 28, 1), 3)
images, labels = jnp.asarray(rng.normal(size=(32, 28, 28, 1)), jnp.float32), jnp.arange(32) % 3
@jax.jit
def steps(params, n):
    def step(i, params):
        gradient, *_ = backend.gradient(params, statistics, images, labels, jnp.ones(32))
        return jax.tree.map(lambda p, g: p - 0.01 * g, params, gradient)
    return jax.lax.fori_loop(0, n, step, params)
def work(size):
    return ready(steps(params, size // 4))["bias"]
""",
}
CODE = """
import os, signal, threading, time
import jax, jax.numpy as jnp, numpy as np, lcrjax
rng = np.random.default_rng(0)
{work}
right, size = np.asarray(work(4)), 32  # compiled
began = time.perf_counter()
np.asarray(work(size))
whole = time.perf_counter() - began
for delay in (0.2, 0.1):
    threading.Timer(delay * whole, os.kill, (os.getpid(), signal.SIGINT)).start()
    began = time.perf_counter()
    try:
        work(size)
    except KeyboardInterrupt:
        pass
    else:
        raise SystemExit("not interrupted")
    taken = time.perf_counter() - began
    assert taken < (delay + 0.5) * whole, (taken, whole)
    assert threading.active_count() == 1, threading.enumerate()
    np.testing.assert_array_equal(work(4), right)
"""
CALM = """
import os, signal, threading, time
import numpy as np, lcrjax
heard = []
signal.signal(signal.SIGINT, lambda number, frame: heard.append(time.perf_counter()))
images = np.random.default_rng(0).integers(0, 256, (1 << 14, 784), np.uint8)
threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
found = lcrjax.ordinariness(images, np.ones(len(images)))
assert heard[0] < time.perf_counter()
np.testing.assert_array_equal(found, lcrjax.ordinariness(images, np.ones(len(images))))
"""


def run(code):
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | quick_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("where", WORK)
def test_ctrl_c_ends_kernels_at_once_and_the_next_call_is_right(where):
    if where == "in training" and not native.complete():
        pytest.skip("no kernels train here")
    run(CODE.format(work=WORK[where]))


def test_a_handler_that_raises_nothing_lets_kernels_finish():
    run(CALM)
