"""Forks, in a process of their own."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork")

CALLS = """
import os, traceback
import numpy as np, lcrjax
from lcrjax.pairwise.close_pairs import count_close_pairs, intrinsic_dimension
from lcrjax.pairwise.neighbours import nearest_neighbours
from lcrjax.study.feature_table import features
from lcrjax.training import train_full, train_subsets
images, labels, p = np.zeros((4, 2, 2), np.uint8), [0, 0, 1, 1], np.array([0.5, 0.5])
class Data:
    train_images = test_images = images
    train_labels = test_labels = np.array(labels)
    n_classes, class_names, name = 2, ("a", "b"), "zeros"
calls = {
    "measure": lambda: lcrjax.measure(images, labels),
    "diversity": lambda: lcrjax.diversity(p),
    "ordinariness": lambda: lcrjax.ordinariness(images, np.ones(4)),
    "rarefy": lambda: lcrjax.rarefy([3, 2, 1], size=4, resamples=0),
    "hill_number": lambda: lcrjax.hill_number(p, 1),
    "power_mean": lambda: lcrjax.power_mean(1.0, p, p),
    "vendi_score": lambda: lcrjax.vendi_score(p),
    "relative_diversity": lambda: lcrjax.relative_diversity(p, p),
    "cross_diversity": lambda: lcrjax.cross_diversity(p, p),
    "features": lambda: features(images, np.array(labels), np.array([[0, 1, 2, 3]])),
    "nearest_neighbours": lambda: nearest_neighbours(images, labels),
    "intrinsic_dimension": lambda: intrinsic_dimension(images),
    "count_close_pairs": lambda: count_close_pairs(images, np.array(labels), np.ones(4, bool), [1]),
    "train_subsets": lambda: train_subsets(Data, [[0, 1, 2, 3]], [0]),
    "train_full": lambda: train_full(Data),
}
functions = {n for n in lcrjax.__all__ if type(getattr(lcrjax, n)).__name__ == "function"}
def in_child(work):
    pid = os.fork()
    if not pid:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
"""
AFTER = """
lcrjax.ordinariness(images, np.ones(4))
def refused():
    for name, call in calls.items():
        try:
            call()
        except RuntimeError as error:
            assert "spawn" in str(error), (name, error)
        else:
            raise AssertionError(f"{name} goes on")
in_child(refused)
in_child(lambda: in_child(refused))
calls["measure"]()
by_numpy = {"parse_similarity", "median_distance", "from_distance", "from_frame", "from_newick"}
assert functions - by_numpy <= set(calls), functions
"""
BEFORE = """
def right():
    np.testing.assert_allclose(lcrjax.ordinariness(images, np.ones(4)), 4)
in_child(right)
right()
"""


def run(code):
    # Where a fork is not noticed the child waits for ever: the limit only ends that.
    done = subprocess.run(
        [sys.executable, "-c", CALLS + code],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def test_a_process_forked_after_jax_had_started_says_so_in_every_public_function():
    run(AFTER)


def test_a_process_forked_before_computes():
    run(BEFORE)
