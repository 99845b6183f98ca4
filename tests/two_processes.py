"""Two processes of two devices each over loopback: `python -m tests.two_processes` starts both."""

import os
import socket
import subprocess
import sys
from functools import partial

os.environ["XLA_FLAGS"] = (
    f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=2"
)

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec

import lcrjax


def elements():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (22, 3, 2), np.uint8), np.arange(22) % 3


def main(address, me):
    images, labels = elements()
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(address, num_processes=2, process_id=me)
    mesh = jax.make_mesh((4,), ("d",))
    own = slice(11 * me, 11 * (me + 1))
    found = lcrjax.measure(images[own], labels[own], n_classes=3, mesh=mesh)
    rows = lcrjax.ordinariness(images[own], np.ones(11, "f4"), mesh=mesh)
    print("alpha", *np.asarray(found.dataset_level["alpha"]).tolist())
    z = np.exp(-np.sqrt(((images[own, None] / 255 - images[None] / 255) ** 2).mean((2, 3))))
    np.testing.assert_allclose(rows, z.sum(1), rtol=1e-6)
    shape, sharding = (20, 3, 2), NamedSharding(mesh, PartitionSpec("d"))
    global_images = jax.make_array_from_callback(shape, sharding, lambda at: images[:20][at])
    again = lcrjax.measure(global_images, labels[:20], mesh=mesh)
    print("gamma", *np.asarray(again.dataset_level["gamma"]).tolist())
    vectors, w = images.reshape(22, -1) / np.float32(255), np.ones(11, "f4")
    word = lcrjax.measure(vectors[own], labels[own], similarity="gaussian:0.5median", mesh=mesh)
    print("rho", *np.asarray(word.dataset_level["rho"]).tolist())
    put = partial(jax.make_array_from_callback, (20, 6), sharding)
    spread = put(lambda at: vectors[:20][at])
    word = lcrjax.measure(spread, labels[:20], similarity="laplacian:median", mesh=mesh)
    print("beta", *np.asarray(word.dataset_level["beta"]).tolist())
    both, pair = (images[own], labels[own].tolist()), lcrjax.RMSD() * lcrjax.SameClass()
    rows = lcrjax.ordinariness(both, w, pair, mesh=mesh)
    same = labels[own, None] == labels
    np.testing.assert_allclose(rows, (z * same).sum(1), rtol=1e-6)
    refused(me, mesh)
    with pytest.raises(
        ValueError, match="about elements, process 0 has 11, process 1 has 10: give"
    ):
        lcrjax.ordinariness(images[own][me:], np.ones(11 - me, "f4"), mesh=mesh)
    with pytest.raises(ValueError, match="about classes, process 0 has 3, process 1 has 4: give"):
        lcrjax.measure(images[own], labels[own], n_classes=3 + me, mesh=mesh)


def refused(me, mesh):
    """What one process is given, or two differently, both refuse before they compute."""
    images, labels = elements()
    own = slice(11 * me, 11 * (me + 1))
    x, y = images[own], labels[own]
    fractions, names = x / np.float32(255), np.array(["a", "b", "c"])[y]
    hole = fractions.copy()
    hole[3, 2, 1] = np.nan
    put = partial(jax.make_array_from_callback, (20, 3, 2), NamedSharding(mesh, PartitionSpec("d")))
    spread = put(lambda at: images[:20][at])
    few = Mesh(np.array(jax.devices()[:3]), ("d",))
    long = [f"a class of a long name, which is {i}" for i in range(300)]
    vectors, ones = fractions.reshape(11, -1), np.ones(11, "f4")
    measure, ordinariness = (partial(f, mesh=mesh) for f in (lcrjax.measure, lcrjax.ordinariness))
    for said, call in {
        r"about similarity, process 0 has RMSD.*1\.0.*, process 1 has RMSD.*10\.0.*: give": (
            lambda: measure(x, y, similarity=[None, "rmsd:10"][me])
        ),
        "about similarity, process 0 has gaussian:median, process 1 has Gaussian": lambda: measure(
            vectors, y, similarity=["gaussian:median", "gaussian:0.5"][me]
        ),
        "about form of the similarity": lambda: ordinariness(
            vectors, ones, lcrjax.Pointwise(alike, np.linspace(0, 2 + me * 1e-9, 2000))
        ),
        "about viewpoints at place 1, process 0 has 1.0, process 1 has none": lambda: measure(
            x, y, q=[(0, 1), (0,)][me]
        ),
        "about class names at place 2, process 0 has 'c', process 1 has 'd'": lambda: measure(
            x, y, class_names=["a", "b", "cd"[me]]
        ),
        "about class names at place 299, process 0 has 'a class .* 299', process 1 has 'b'": (
            lambda: measure(x, y, class_names=[*long[:299], [long[299], "b"][me]])
        ),
        "about the dtype of elements, process 0 has uint8, process 1 has float32": lambda: measure(
            [x, fractions][me], y
        ),
        "about the shape of an element": lambda: measure(
            x.reshape([(11, 3, 2), (11, 2, 3)][me]), y
        ),
        "about labels, process 0 has those of checksum": lambda: measure(
            spread, labels[:20][:: [1, -1][me]]
        ),
        "about weights, process 0 has those of checksum": lambda: ordinariness(
            spread, np.full(20, me + 1, "f4")
        ),
        "about classes, process 0 has 3, process 1 has none": lambda: measure(
            [x[:20], spread][me], labels[: [11, 20][me]]
        ),
        "in process 1, the images hold NaN or infinite pixels, the first .nan. in image 3": (
            lambda: measure([fractions, hole][me], y)
        ),
        "in process 0, elements hold NaN or infinity, first at .3, 2, 1.": lambda: ordinariness(
            [hole, fractions][me], ones, lcrjax.Gaussian(1.0)
        ),
        "in process 1, there are 11 images and 10 labels: give one each": lambda: measure(
            x, y[me:]
        ),
        "in process 1, labels run from 0 to 12": lambda: measure(
            x, np.where(np.arange(11) == 4, 12 * me, y), n_classes=8
        ),
        "in process 0, q holds -1|in process 0, .*-1": lambda: measure(spread, y, q=me - 1),
        "in process 1, the similarity is 'gaussian:0median'": lambda: measure(
            vectors, y, similarity=["gaussian:median", "gaussian:0median"][me]
        ),
        "^over a mesh all is measured": lambda: measure(x, y, rows=6),
        "^elements have dtype <U1: give numbers": lambda: ordinariness(
            names, ones, lcrjax.SameClass()
        ),
        "^the mesh has devices, 2 of process 0, 1 of process 1: give": lambda: lcrjax.measure(
            x, y, mesh=few
        ),
        "^elements are sharded over several processes: give mesh=": lambda: lcrjax.measure(
            spread, labels[:20]
        ),
    }.items():
        with pytest.raises(ValueError, match=said):
            call()
    with pytest.raises([RuntimeError, ZeroDivisionError][me], match=r"^in process 1, Z|division"):
        measure(x, [y, Uncountable()][me])


def alike(parameters, x, y):
    return jnp.exp(-jnp.abs(x - y).sum() * parameters.min())


class Uncountable:
    """Labels that raise another error."""

    def __array__(self, *_, **__):
        return 1 // 0


def start():
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    both = [
        subprocess.Popen([sys.executable, "-m", __spec__.name, address, str(me)],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for me in (0, 1)
    ]  # fmt: skip
    images, labels = elements()
    vectors = images.reshape(22, -1) / np.float32(255)
    wanted = {
        "alpha": lcrjax.measure(images, labels),
        "gamma": lcrjax.measure(images[:20], labels[:20]),
        "rho": lcrjax.measure(vectors, labels, similarity="gaussian:0.5median"),
        "beta": lcrjax.measure(vectors[:20], labels[:20], similarity="laplacian:median"),
    }
    for one in both:
        said = one.communicate(timeout=300)[0]
        assert one.returncode == 0, said
        for line in said.splitlines():
            word, *numbers = line.split()
            if word in wanted:
                exact = wanted[word].dataset_level[word]
                np.testing.assert_allclose(np.array(numbers, float), exact, rtol=1e-6)
        assert all(said.count(f"{word} ") == 1 for word in wanted), said


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2])) if sys.argv[1:] else start()
