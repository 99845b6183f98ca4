"""Exact measures that are killed go on where they were, to the same bits."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import lcrjax
from lcrjax.numerics import streams
from lcrjax.pairwise import checkpoints
from lcrjax.pairwise.checkpoints import Checkpoint

N = 700
SCRIPT = f"""
import os, signal, sys
import numpy as np
import lcrjax
from lcrjax.numerics import streams
from lcrjax.pairwise import checkpoints

streams.BLOCK_BYTES, checkpoints._EVERY = 96 * 12, 0
x, y = np.load("x.npy"), np.arange({N}) % 3
passes = 0

def blocks():
    global passes
    passes += 1
    for i in range(0, len(x), 100):
        if os.environ.get("KILLED") and passes == 10 and i == 600:
            os.kill(os.getpid(), signal.SIGKILL)
        yield x[i : i + 100]

D = lcrjax.measure(lcrjax.Stream(blocks), y, q=(0, 1), checkpoint="here")
np.save("alpha.npy", D.class_level["alpha"])
print(passes)
"""


def run(folder, **environment):
    return subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_killed_in_the_middle(tmp_path, rng, monkeypatch):
    x, y = rng.integers(0, 256, (N, 3, 4), np.uint8), np.arange(N) % 3
    np.save(tmp_path / "x.npy", x)
    killed, left = run(tmp_path, KILLED="1"), tmp_path / "here" / "checkpoint.npz"
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with np.load(left) as found:
        assert 0 < found["place"][0] < N
    resumed = run(tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert int(resumed.stdout) < 9  # a whole run takes 11
    assert not left.parent.exists()  # which the killed one had made
    monkeypatch.setattr(streams, "BLOCK_BYTES", 96 * 12)
    whole = lcrjax.measure(lcrjax.Stream(x), y, q=(0, 1)).class_level["alpha"]
    np.testing.assert_array_equal(np.load(tmp_path / "alpha.npy"), whole)
    monkeypatch.undo()
    exact = lcrjax.measure(x, y, q=(0, 1)).class_level["alpha"]
    np.testing.assert_allclose(whole, exact, rtol=1e-6)


def test_arrays_in_memory_have_checkpoints_too(tmp_path, rng):
    x, y = rng.integers(0, 256, (90, 3, 4), np.uint8), np.arange(90) % 3
    found = lcrjax.measure(x, y, q=1, checkpoint=tmp_path / "new" / "folder")
    assert not (tmp_path / "new").exists()  # made for it, and empty now
    (tmp_path / "own").mkdir()
    lcrjax.measure(x, y, q=1, checkpoint=tmp_path / "own")
    assert (tmp_path / "own").exists()
    exact = lcrjax.measure(x, y, q=1)
    np.testing.assert_allclose(found.class_level["rho"], exact.class_level["rho"], rtol=1e-6)
    for other in ({"rows": 30}, {"resampling": lcrjax.Bootstrap()}):
        with pytest.raises(ValueError, match="a checkpoint is of all pairs and no more: leave out"):
            lcrjax.measure(x, y, checkpoint=tmp_path, **other)


@pytest.mark.parametrize("other", ["elements", "labels", "similarity"])
def test_a_checkpoint_of_something_else(other, tmp_path, rng, monkeypatch):
    monkeypatch.setattr(checkpoints, "_EVERY", 0)
    monkeypatch.setattr(streams, "BLOCK_BYTES", 96 * 12)
    monkeypatch.setattr(Checkpoint, "remove", lambda self: None)
    x, y = rng.integers(0, 256, (200, 3, 4), np.uint8), np.arange(200) % 3
    lcrjax.measure(x, y, checkpoint=tmp_path)
    again = {"elements": (x[::-1], y), "labels": (x, y[::-1]), "similarity": (x, y)}[other]
    similarity = lcrjax.RMSD(2.0) if other == "similarity" else None
    with pytest.raises(ValueError, match=f"is a checkpoint of other {other}: give another folder"):
        lcrjax.measure(*again, similarity=similarity, checkpoint=tmp_path)


def test_inner_products_look_at_a_checkpoint_too(tmp_path, rng):
    """Though they take two passes, and write none."""
    x, y = rng.random((90, 4)).astype("f4"), np.arange(90) % 3
    left = Checkpoint(tmp_path)
    left._of, left._last = {"elements": "others"}, -1e9
    left.offer(np.zeros((90, 2)), (0, 0))
    for similarity in ("cosine", lcrjax.Linear()):
        with pytest.raises(ValueError, match="is a checkpoint of other elements and similarity an"):
            lcrjax.measure(x, y, similarity=similarity, checkpoint=tmp_path)
    left.remove()
    own = tmp_path / "own"
    assert lcrjax.measure(x, y, similarity="cosine", checkpoint=own).class_names == ("0", "1", "2")
    assert not own.exists()


def test_folders_and_files_that_are_none(tmp_path):
    (tmp_path / "checkpoint.npz").touch()
    with pytest.raises(ValueError, match=r"checkpoint.npz is no checkpoint \(.*\): remove it"):
        Checkpoint(tmp_path).load({})
    (tmp_path / "checkpoint.npz").write_bytes(b"PK no archive")
    with pytest.raises(ValueError, match=r"checkpoint.npz is no checkpoint \(.*\): remove it"):
        Checkpoint(tmp_path).load({})
    with pytest.raises(
        ValueError, match=r"the checkpoint's folder is .* give one that can be made"
    ):
        Checkpoint(tmp_path / "checkpoint.npz")
