import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import lcrjax
from lcrjax import native
from lcrjax.numerics import sources
from tests.study import fake_parts as fake


@pytest.fixture
def data(tmp_path):
    d = fake.dataset(counts=(30, 20), shape=(5, 5))
    fake.write_npz(tmp_path / "toy.npz", d)
    return d


def test_the_table_shows_what_the_library_measures(run, data):
    result = run("measure", "toy.npz", "--q", "0,1")
    assert result.exit_code == 0, result.output
    measured = lcrjax.measure(data.train_images, data.train_labels, q=np.array([0.0, 1.0]))
    frame = measured.to_frame()
    whole = frame[frame["level"] == "dataset"]
    for column in ("alpha", "normalized_rho", "gamma", "normalized_beta"):
        for value in whole[column]:
            assert f"{value:.4g}" in result.stdout
    assert "q = 0" in result.stdout
    assert "q = inf" not in result.stdout
    assert "50" in result.stdout  # images
    assert "30" in result.stdout


def test_classes_are_compared_by_what_their_size_does_not_raise(run, tmp_path):
    """Noise at 40 to 10 to 4: alpha would rank the rarest first, normalized alpha does not."""
    images = np.random.default_rng(0).integers(0, 256, (54, 5, 5), np.uint8)
    labels = np.repeat([0, 1, 2], [40, 10, 4])
    np.savez(tmp_path / "noise.npz", images=images, labels=labels)
    result = run("measure", "noise.npz", "--q", "1", "--quiet")
    assert result.exit_code == 0, result.output
    heading, *rows = (line for line in result.stdout.splitlines() if line[:1] in "┃│")
    names = [cell.strip() for cell in heading.strip("┃").split("┃")]
    assert names == ["level", "images", "ᾱ", "A, α", "R, ρ̄", "G, γ", "B, β̄"]
    cells = [[cell.strip() for cell in row.strip("│").split("│")] for row in rows]
    level = lcrjax.measure(images, labels, q=1.0).to_frame()
    assert [row[2:4] for row in cells] == [
        [f"{row.normalized_alpha:.4g}", f"{row.alpha:.4g}"] for row in level.itertuples()
    ]
    own, raw = (np.array([float(row[column]) for row in cells[1:]]) for column in (2, 3))
    assert raw.argmax() == 2  # the smallest class
    assert own.argmax() == 0
    assert own.max() / own.min() < 1.5 < raw.max() / raw.min()
    assert result.stdout.count("Rare classes have the largest α") == 1
    assert "compare classes by ᾱ, the number of distinct images" in result.stdout


def test_the_similarity_is_an_option(run, data):
    result = run("measure", "toy.npz", "--q", "0", "--similarity", "gaussian:2")
    assert result.exit_code == 0, result.output
    images = data.train_images / np.float32(255)
    measured = lcrjax.measure(images, data.train_labels, q=0.0, similarity=lcrjax.Gaussian(2.0))
    whole = measured.to_frame().iloc[0]
    assert f"{whole['alpha']:.4g}" in result.stdout
    assert f"{whole['gamma']:.4g}" in result.stdout


@pytest.mark.parametrize("suffix", ["csv", "parquet", "json"])
def test_the_table_can_be_written(run, data, tmp_path, suffix):
    path = tmp_path / f"out.{suffix}"
    assert run("measure", "toy.npz", "--out", path).exit_code == 0
    readers = {"csv": pd.read_csv, "parquet": pd.read_parquet, "json": pd.read_json}
    back = readers[suffix](path)
    assert len(back) == 9  # three orders, the dataset and two classes
    assert {"level", "q", "alpha", "normalized_rho", "gamma"} <= set(back.columns)
    if suffix == "json":
        assert {row["q"] for row in json.loads(path.read_text())} == {0.0, 1.0, "inf"}


def test_classes_with_odd_names_are_shown_as_they_are(run, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (12, 5, 5), np.uint8)
    for i, image in enumerate(images):
        folder = tmp_path / "odd" / ("[red]x", "dataset", "é")[i % 3]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{i}.png")
    result = run("measure", "odd", "--q", "0")
    assert result.exit_code == 0, result.output
    assert "[red]x" in result.stdout
    assert "dataset" in result.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["toy.npz", "--q", "0,x"], "give numbers from 0 to inf"),
        (["toy.npz", "--q", "-1"], "give numbers from 0 to inf"),
        (["toy.npz", "--q", "nan"], "give numbers from 0 to inf"),
        (["toy.npz", "--similarity", "gaussian"], "write gaussian:LENGTH"),
        (["toy.npz", "--out", "x.txt"], "give a name that ends in .csv, .json, .parquet"),
        (["toy.npz", "--out", "no/x.csv"], "does not exist"),
        (["tyo.npz"], "did you mean toy.npz"),
        (["digit"], "did you mean 'digits'"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(run, data, words, sentence):
    result = run("measure", *words)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", ["measure", "study", "search"])
def test_help_shows_an_example(run, command):
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"lcrjax {command} " in result.stdout


def test_help_tells_the_exit_codes(run):
    text = " ".join(run("--help").stdout.split())
    for word in ("2 nothing was started", "3 the study is complete", "130 interrupted"):
        assert word in text


def test_the_version_is_told_and_whether_kernels_are_used(run):
    version, kernels = run("--version").stdout.splitlines()
    assert version == f"lcrjax {lcrjax.__version__}"
    assert kernels.startswith("kernels in C: " + ("used" if native.available() else "not used, "))


@pytest.fixture
def vectors(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(24, 5)).astype("f4"), np.repeat([2, 10], 12)
    np.savez(tmp_path / "v.npz", images=x, labels=y)
    return x, y


@pytest.mark.parametrize(
    ("words", "said", "alike"),
    [
        ([], "Similarity: cosine of vectors", "cosine"),
        (["--similarity", "laplacian:0.5median"], "(0.5median of a sample of", None),
        (["--similarity", "rmsd:2"], "s = 2", "rmsd:2"),
        (["--similarity", "gower"], "Gower's similarity of vectors", "gower"),
    ],
)
def test_vectors_are_measured_by_what_is_said(run, vectors, words, said, alike):
    result = run("measure", "v.npz", "--q", "0", *words)
    assert result.exit_code == 0, result.output
    assert said in " ".join(result.stdout.split())
    assert "vectors" in result.stdout
    x, y = vectors
    whole = lcrjax.measure(x, y, similarity=alike or words[1], q=0).to_frame().iloc[0]
    assert f"{whole['alpha']:.4g}" in result.stdout
    assert result.stdout.index(" 2 ") < result.stdout.index(" 10 ")  # as people count


def test_a_similarity_of_another_kind_is_refused(run, vectors):
    result = run("measure", "v.npz", "--similarity", "edit")
    assert result.exit_code == 2
    assert "'edit' compares texts, no vectors: give rmsd[:SCALE], cosine" in result.stderr
    result = run("study", "v.npz", "--similarity", "edt")
    assert result.exit_code == 2
    assert "did you mean 'edit'" in result.stderr


def test_an_estimate_shows_its_intervals(run, tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.random((400, 3)).astype("f4"), np.resize([0, 1], 400)
    np.savez(tmp_path / "v.npz", vectors=x, labels=y)
    words = ("measure", "v.npz", "--similarity", "gaussian:0.5", "--q", "1,inf")
    result = run(*words, "--rows", "60", "--seed", "3", "--out", "t.csv")
    assert result.exit_code == 0, result.output
    found = lcrjax.measure(
        x, y, similarity=lcrjax.Gaussian(0.5), q=np.array([1, np.inf]), rows=60, seed=3
    )
    low, high = np.asarray(found.dataset_interval["gamma"][0], float)
    value, bound = np.asarray(found.dataset_level["gamma"], float)
    text = " ".join(result.stdout.split())
    half = max(high - value, value - low)
    places = 1 - int(np.floor(np.log10(half)))
    assert f"{value:.{places}f} ±{half:.{places}f}" in text
    assert f"≤ {bound:.4g}" in text
    assert "≥" in text
    assert "95 % interval" in text
    table = pd.read_csv(tmp_path / "t.csv")
    np.testing.assert_allclose(table.loc[0, ["gamma_low", "gamma_high"]], [low, high], rtol=1e-5)
    exact = run(*words, "--error", "0.0001%")
    assert "the numbers are exact" in exact.stdout
    assert "±" not in exact.stdout
    warned = exact.stderr.strip().splitlines()[-1]
    assert warned.startswith("lcrjax: --error is 1e-06, and 100 of 400 elements reached ")
    assert "UserWarning" not in exact.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--rows", "0"), "--rows is 0: give how many"),
        (("--error", "none"), "--error is 'none': give a share"),
        (("--error", "-1%"), "give a share above zero"),
        (("--error", "1%", "--rows", "9"), "give one of them"),
        (("--rows", "2"), "give two for each at least, 4"),
        (("--error", "1%", "--q", "inf"), "a bound and no error"),
    ],
)
def test_estimates_that_make_no_sense(run, data, words, said):
    result = run("measure", "toy.npz", *words)
    assert result.exit_code == 2, result.output
    assert said in " ".join(result.output.split())


@pytest.fixture
def on_disk(tmp_path, monkeypatch, rng):
    """Vectors in a file that counts as large."""
    monkeypatch.setattr(sources, "_SMALL", 100)
    x, y = rng.normal(size=(150, 4)).astype("f4"), np.arange(150) % 3
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    return x, y


def test_a_large_file_is_read_in_blocks(run, on_disk):
    options = ("measure", "x.npy", "--labels", "y.npy", "--q", "0")
    result = run(*options, "--checkpoint", "sums")
    assert result.exit_code == 0, result.output
    assert "elements were read in blocks" in result.stdout
    exact = lcrjax.measure(*on_disk, q=0.0, similarity=lcrjax.Cosine()).to_frame().iloc[0]
    assert f"{exact['alpha']:.4g}" in result.stdout
    assert "comparing 150 vectors, read in blocks" in result.stderr
    sampled = run(*options, "--rows", "60", "--columns", "75")
    assert sampled.exit_code == 0, sampled.output
    assert "The numbers are estimates from a sample. ± is" in sampled.stdout
    assert "too narrow where outliers were not drawn" in sampled.stdout
    grown = run(*options, "--error", "30%", "--columns", "75")
    assert grown.exit_code == 0, grown.output
    assert "too narrow where outliers were not drawn" in grown.stdout


@pytest.mark.parametrize("kind", ["x.parquet", "x.h5", "saved"])
def test_other_large_files_are_read_in_blocks_too(kind, run, on_disk, tmp_path):
    x, y = on_disk
    if kind == "x.h5":
        with pytest.importorskip("h5py").File(tmp_path / kind, "w") as file:
            file["embeddings"], file["labels"] = x, y
    else:
        table = pd.DataFrame({"embedding": list(x), "label": y})
        if kind == "saved":
            pytest.importorskip("datasets").Dataset.from_pandas(table).save_to_disk(tmp_path / kind)
        else:
            table.to_parquet(tmp_path / kind)
    of_array = ("measure", "x.npy", "--labels", "y.npy", "--q", "0", "--json")
    for options in ((), ("--rows", "60"), ("--rows", "60", "--columns", "75"), ("--error", "50%")):
        result, wanted = (
            run("measure", kind, "--q", "0", "--json", *options),
            run(*of_array, *options),
        )
        assert result.exit_code == 0, result.output
        assert "read in blocks" in result.stderr
        own, other = (json.loads(x.stdout)["rows"][0] for x in (result, wanted))
        assert own["alpha"] == pytest.approx(other["alpha"], rel=1e-6)
    kept = run("measure", kind, "--checkpoint", "sums", "--similarity", "gaussian:2")
    assert kept.exit_code == 0, kept.output
    assert not (tmp_path / "sums").exists()
    whole = run("report", kind)
    assert whole.exit_code == 0, whole.output
    assert "0 MiB of vectors were read into memory." in whole.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--columns", "75"), "--columns is 75, and neither --rows nor --error is given: give one"),
        (
            ("--rows", "60", "--checkpoint", "sums"),
            "over all pairs, and a sample is asked for: leave it out",
        ),
    ],
)
def test_options_that_do_not_fit_together(run, options, said, on_disk):
    result = run("measure", "x.npy", "--labels", "y.npy", *options)
    assert result.exit_code == 2
    assert said in result.stderr
