"""Two processes of two devices each over loopback: `python -m tests.two_processes` starts both."""

import os
import socket
import subprocess
import sys

os.environ["XLA_FLAGS"] = (
    f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=2"
)

import jax
import numpy as np
import pytest
from jax.sharding import NamedSharding, PartitionSpec

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
    with pytest.raises(
        ValueError, match="about elements, process 0 has 11, process 1 has 10: give"
    ):
        lcrjax.ordinariness(images[own][me:], np.ones(11 - me, "f4"), mesh=mesh)
    with pytest.raises(ValueError, match="about classes, process 0 has 3, process 1 has 4: give"):
        lcrjax.measure(images[own], labels[own], n_classes=3 + me, mesh=mesh)
    with pytest.raises(ValueError, match="about class names"):
        lcrjax.measure(images[own], labels[own], class_names=["a", "b", "cd"[me]], mesh=mesh)


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
    wanted = {
        "alpha": lcrjax.measure(images, labels),
        "gamma": lcrjax.measure(images[:20], labels[:20]),
    }
    for one in both:
        said = one.communicate(timeout=300)[0]
        assert one.returncode == 0, said
        for line in said.splitlines():
            word, *numbers = line.split()
            if word in wanted:
                exact = wanted[word].dataset_level[word]
                np.testing.assert_allclose(np.array(numbers, float), exact, rtol=1e-6)
        assert said.count("alpha") == said.count("gamma") == 1, said


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2])) if sys.argv[1:] else start()
