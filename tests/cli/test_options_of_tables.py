import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import lcrjax

N = 12
PIXELS = np.random.default_rng(0).integers(0, 256, (N, 4, 5), np.uint8)
KINDS = np.array(["b", "a"])[np.arange(N) % 2]


@pytest.fixture
def manifest(tmp_path):
    for i, image in enumerate(PIXELS):
        Image.fromarray(image).save(tmp_path / f"site{i % 3}_{i}.png")
    columns = {"photo": [f"site{i % 3}_{i}.png" for i in range(N)], "kind": KINDS}
    part = ["train"] * 8 + ["test"] * 4
    pd.DataFrame(columns | {"part": part}).to_csv(tmp_path / "photos.csv", index=False)
    return tmp_path / "photos.csv"


def test_columns_are_named_on_the_command_line(run, manifest, tmp_path):
    result = run(
        *("measure", manifest, "--q", "1", "--out", tmp_path / "m.json"),
        *("--image-column", "photo", "--label-column", "kind", "--split-column", "part"),
        *("--class-names", "x, y", "--group-pattern", "site([0-9])"),
    )
    assert result.exit_code == 0, result.output
    rows = json.loads((tmp_path / "m.json").read_text())
    expected = lcrjax.measure(PIXELS[:8], KINDS[:8], q=1.0).to_frame()
    np.testing.assert_allclose([row["alpha"] for row in rows], expected["alpha"], rtol=1e-6)
    assert [row["level"] for row in rows] == ["dataset", "x", "y"]


def test_labels_beside_an_array(run, tmp_path):
    np.save(tmp_path / "images.npy", PIXELS)
    pd.DataFrame({"kind": KINDS}).to_csv(tmp_path / "l.csv")
    result = run("measure", tmp_path / "images.npy", "--labels", f"{tmp_path / 'l.csv'}:kind")
    assert result.exit_code == 0, result.output
    assert "12" in result.stdout


def test_wrong_columns_end_with_a_sentence(run, manifest):
    result = run("measure", manifest, "--label-column", "kinds")
    assert result.exit_code == 2
    assert "no column 'kinds' (--label-column): did you mean 'kind'?" in result.stderr


def test_every_command_with_data_has_the_options(run):
    for command in ("measure", "report", "study", "train"):
        shown = run(command, "--help").stdout
        for option in ("--labels", "--class-names", "--image-column", "--group-pattern"):
            assert option in shown, (command, option)
