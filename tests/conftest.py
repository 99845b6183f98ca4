import os
import shutil
import signal
from pathlib import Path

import jax
import numpy as np
import pytest
from hypothesis import settings

from lcrjax import native
from tests import compiling

# Nothing is widened or broadcast without a word, in the package as in its tests.
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")

# A shell lets what it runs in the background ignore Ctrl-C, and tests of it could not pass.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples every time; `pytest --hypothesis-profile=explore` looks for new ones.
settings.register_profile("lcrjax", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=300, print_blob=True)
settings.load_profile("lcrjax")

DATA = Path(__file__).parents[1].parent / "shared" / "data"


def pytest_configure(config):
    """Compile a program once: for all tests, for the processes they start, and for later runs.

    `pytest --cache-clear` forgets what was compiled.
    """
    config.pluginmanager.register(compiling)  # for the package's own examples, too
    if hasattr(config, "workerinput") or not hasattr(config, "cache"):
        return  # a worker finds the folder in its environment
    programs = config.cache.mkdir("programs")
    if sum(file.stat().st_size for file in programs.iterdir()) > 1 << 30:
        shutil.rmtree(programs)  # most are of the code of long ago
    for name, value in {
        "jax_compilation_cache_dir": str(programs),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
    }.items():
        os.environ[name.upper()] = str(value)
        jax.config.update(name, value)


def pytest_collection_modifyitems(items):
    """Begin with the file that takes longest, so that no worker is left with it in the end."""
    items.sort(key=lambda item: item.path.name != "test_settings.py")


@pytest.fixture
def x64():
    """Let one test compute in float64."""
    with jax.enable_x64(True):
        yield


@pytest.fixture
def rng():
    """Give random numbers that are the same in every run."""
    return np.random.default_rng(20240607)


@pytest.fixture(scope="session")
def real_images():
    """Read the first training images of a real dataset, or skip where there is none."""

    def read(name, n=512):
        path = DATA / f"{name}.npz"
        if not path.is_file():
            pytest.skip(f"real images are not at {path}")
        with np.load(path) as file:
            images, labels = file["train_images"], file["train_labels"][:, 0]
        chosen = np.random.default_rng(0).permutation(len(images))[:n]
        return images[chosen], labels[chosen].astype(int)

    return read


@pytest.fixture
def without_kernels():
    """Compute through XLA alone."""
    with native.disabled():
        yield


@pytest.fixture(params=["native", "XLA"])
def path(request):
    """Compute with the kernels in C, where there are any, and without."""
    if request.param == "native":
        if not native.available():
            pytest.skip("there are no compiled kernels")
        yield request.param
        return
    with native.disabled():
        yield request.param
