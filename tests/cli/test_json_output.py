import json
import math
from pathlib import Path

import numpy as np
import pytest

from lcrjax.cli.json_output import plain
from tests.study import fake_parts as fake


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (math.inf, "inf"),
        (-np.float32(math.inf), "-inf"),
        (math.nan, None),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (Path("a/b"), "a/b"),
        ({1: (np.float64(0.5), [math.nan])}, {"1": [0.5, [None]]}),
    ],
)
def test_what_json_lacks_has_a_word(value, wanted):
    found = plain(value)
    assert found == wanted
    assert json.loads(json.dumps(found, allow_nan=False)) == wanted


def test_measures_as_one_object(run, tmp_path):
    fake.write_npz(tmp_path / "toy.npz", fake.dataset(counts=(30, 20), shape=(5, 5)))
    result = run("measure", "toy.npz", "--q", "0,inf", "--json", "--quiet")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["dataset"], found["size"], list(found["classes"].values())) == (
        "toy",
        50,
        [30, 20],
    )
    assert [row["q"] for row in found["rows"]] == [0.0] * 3 + ["inf"] * 3
    table = run("measure", "toy.npz", "--q", "0,inf", "--quiet").stdout
    for row in found["rows"]:
        assert f"{row['alpha']:.4g}" in table


def test_pairs_as_one_object(run, tmp_path):
    vectors = np.random.default_rng(0).normal(size=(20, 3))
    vectors[4] = vectors[2]
    np.savez(tmp_path / "v.npz", embeddings=vectors, labels=np.arange(20) % 2)
    result = run("duplicates", "v.npz", "--threshold", "0", "--json", "--quiet")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["count"], found["under_two_labels"], len(found["pairs"])) == (1, 0, 1)
    assert found["pairs"][0]["distance"] == 0
