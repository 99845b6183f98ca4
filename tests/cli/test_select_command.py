import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import lcrjax
from lcrjax.data import load
from lcrjax.numerics import sources
from lcrjax.selection import select
from tests.study import fake_parts as fake


@pytest.fixture
def data(tmp_path):
    d = fake.dataset(counts=(12, 10), shape=(4, 4))
    fake.write_npz(tmp_path / "toy.npz", d)
    return d


@pytest.fixture
def photos(tmp_path, data):
    """Pictures in class folders: those to choose from, and those that are owned."""
    for i, (image, label) in enumerate(zip(data.train_images, data.train_labels, strict=True)):
        folder = tmp_path / ("owned" if i % 3 == 0 else "new") / f"class {label}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{i}.png")


def chosen(d, size, **more):
    names = np.array([f"class {c}" for c in d.train_labels])
    return select(d.train_images, size, names, **more)


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_a_list_holds_what_the_library_chooses(run, data, ending):
    result = run("select", "toy.npz", "--size", "6", "--out", f"c.{ending}")
    assert result.exit_code == 0, result.output
    found, table = chosen(data, 6), getattr(pd, f"read_{ending}")(f"c.{ending}")
    assert table["index"].tolist() == found.indices.tolist()
    assert table["order"].tolist() == [1, 2, 3, 4, 5, 6]
    assert table["class"].astype(int).tolist() == data.train_labels[found.indices].tolist()
    np.testing.assert_allclose(table["objective"], found.values)
    assert "toy: 6 of 22 images." in result.stdout
    assert "Objective: auto (Herding()), " in result.stdout
    for diversity in (found.before, found.after):
        assert f"{float(diversity.dataset_level['alpha'][1]):.4g}" in result.stdout


def test_an_archive_is_read_again_with_its_test_set(run, data):
    words = ["--size", "6", "--objective", "facility-location", "--balance", "0=4,1=2"]
    assert run("select", "toy.npz", *words, "--out", "c.npz").exit_code == 0
    found = chosen(data, 6, objective="facility-location", balance=[4, 2])
    back = load("c.npz")
    np.testing.assert_array_equal(back.train_images, data.train_images[found.indices])
    np.testing.assert_array_equal(back.train_labels, data.train_labels[found.indices])
    np.testing.assert_array_equal(back.test_images, data.test_images)
    assert back.train.names.tolist() == [str(i) for i in found.indices]


def test_json_has_all_of_it(run, data):
    result = run("select", "toy.npz", "--size", "4", "--json", "--quiet")
    assert result.exit_code == 0, result.output
    about, found = json.loads(result.stdout), chosen(data, 4)
    assert about["indices"] == found.indices.tolist()
    assert about["classes"] == {"0": {"pool": 12, "chosen": 2}, "1": {"pool": 10, "chosen": 2}}
    measured = lcrjax.measure(
        data.train_images[found.indices],
        data.train_labels[found.indices],
        similarity="rmsd:10",
    )
    np.testing.assert_allclose(
        [about["diversity"]["chosen"][f"A_{q}"] for q in ("0", "1", "inf")],
        measured.dataset_level["alpha"],
        rtol=1e-6,
    )
    assert result.stderr == ""


@pytest.mark.parametrize("link", [True, False])
def test_pictures_are_copied_or_linked(run, photos, tmp_path, link):
    words = ["new", "--given", "owned", "--size", "4", "--out", "add/", *["--link"][: int(link)]]
    result = run("select", *words)
    assert result.exit_code == 0, result.output
    assert "new: 4 of 14 images, beside 8 given." in result.stdout
    table = pd.read_csv("add/selection.csv")
    for name in table["name"]:
        copy, own = tmp_path / "add" / name, tmp_path / "new" / name
        assert copy.is_symlink() == link
        assert copy.read_bytes() == own.read_bytes()
    back = load("add", test_fraction=0, follow_links=True)
    assert len(back.train) == 4
    new, owned = (load(n, test_fraction=0).train for n in ("new", "owned"))
    found = select(new.elements, 4, new.labels, given=(owned.elements, owned.labels))
    assert table["index"].tolist() == found.indices.tolist()


def test_a_large_file_is_read_in_blocks(run, monkeypatch):
    x = np.random.default_rng(0).normal(size=(20, 3)).astype("f4")
    np.save("x.npy", x)
    words = ("select", "x.npy", "--unlabelled", "--size", "5")
    said = "elements were read in blocks"
    assert said not in run(*words).stdout
    monkeypatch.setattr(sources, "_SMALL", 100)
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert said in result.stdout
    assert "choosing 5 of 20 vectors, read in blocks" in result.stderr


def test_labels_need_not_be_known(run, tmp_path):
    x = np.random.default_rng(0).normal(size=(20, 3)).astype("f4")
    np.save("x.npy", x)
    words = ["--unlabelled", "--size", "5", "--out", "c.csv", "--report", "c.html"]
    result = run("select", "x.npy", *words)
    assert result.exit_code == 0, result.output
    assert pd.read_csv("c.csv")["index"].tolist() == select(x, 5).indices.tolist()
    assert "class" not in pd.read_csv("c.csv")
    assert "5 of 20 vectors" in (tmp_path / "c.html").read_text()


@pytest.mark.parametrize("kind", ["text", "rows"])
def test_texts_and_rows_are_chosen(run, kind):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"label": ["a", "b"] * 6, "text": [*map(str, rng.integers(0, 9**9, 12))]})
    table["text"] = "n" + table["text"]
    if kind == "rows":
        table = table.assign(colour=["u", "v", "w"] * 4, text=rng.normal(size=12))
    table.to_csv("t.csv", index=False)
    result = run("select", "t.csv", "--given", "t.csv", "--size", "4", "--out", "c.csv")
    assert result.exit_code == 0, result.output
    back = pd.read_csv("c.csv")
    assert sorted(back["class"]) == ["a", "a", "b", "b"]
    assert back["name"].tolist() == [f"row {i}" for i in back["index"]]
    result = run("select", "t.csv", "--size", "4", "--out", "c.npz")
    assert result.exit_code == (2 if kind == "rows" else 0)


def test_a_matrix_is_a_similarity(run, data):
    z = np.asarray(lcrjax.ordinariness(data.train_images, np.eye(22), "rmsd:10"))
    np.save("Z.npy", (z + z.T) / 2)
    result = run("select", "toy.npz", "--size", "6", "--similarity", "file:Z.npy", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["indices"] == chosen(data, 6).indices.tolist()


def test_nothing_is_overwritten_silently(run, data, tmp_path):
    for name in ("c.csv", "c.npz", "c.html"):
        (tmp_path / name).write_text("mine")
        option = "--report" if name == "c.html" else "--out"
        result = run("select", "toy.npz", "--size", "4", option, name)
        assert result.exit_code == 2
        assert f"{name} already exists: name another, or give --overwrite" in result.stderr
        assert (tmp_path / name).read_text() == "mine"
        assert run("select", "toy.npz", "--size", "4", option, name, "--overwrite").exit_code == 0
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    for more in ([], ["--overwrite"]):
        result = run("select", "toy.npz", "--size", "4", "--out", "full", *more)
        assert result.exit_code == 2
        assert "full already exists: name a new folder" in result.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--size", "23"], "the size is 23: give a whole number from 1 to 22"),
        (["--size", "0"], "the size is 0: give a whole number from 1 to 22"),
        (["--size", "22", "--balance", "balanced"], "class '1' has 10 elements to choose from"),
        (["--size", "4", "--objective", "hreding"], "did you mean 'herding'?"),
        (["--size", "4", "--similarity", "cosin"], "did you mean 'cosine'?"),
        (["--size", "4", "--similarity", "edit"], "'edit' compares texts, no images"),
        (["--size", "4", "--balance", "evenly"], "--balance is 'evenly': give balanced,"),
        (["--balance", "0=1,2=3"], "there is no class '2': known are 0, 1"),
        (["--balance", "0=1,1"], "--balance holds '1': give each class once"),
        (["--balance", "0=1", "--size", "2"], "the classes' counts sum to 1, and the size is 2"),
        ([], "--size is not given: give how many to choose"),
        (["--size", "4", "--unlabelled", "--balance", "free"], "leave --balance out"),
        (["--size", "4", "--given", "v.npz"], "DATA holds images and --given vectors"),
        (["--size", "4", "--given", "digits"], "elements have shape (22, 4, 4) and those given"),
        (
            ["--size", "4", "--given", "digits", "--similarity", "file:Z.npy"],
            "no similarities to the elements of --given",
        ),
        (["--size", "4", "--link", "--out", "x.csv"], "--link fills a folder"),
        (["--size", "4", "--link", "--out", "x"], "no folder of files to link to"),
        (["--size", "4", "--out", "x.txt"], "or in .npz, or name a folder"),
        (["--size", "4", "--out", "no/x"], "does not exist"),
        (["--size", "4", "--report", "x.htm"], "give a name that ends in .html"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(run, data, tmp_path, words, sentence):
    np.savez("v.npz", images=np.eye(4), labels=[0, 1, 0, 1])
    before = sorted(tmp_path.rglob("*"))
    result = run("select", "toy.npz", *words, "--quiet")
    assert result.exit_code == 2, result.output
    assert sentence in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_help_shows_an_example(run):
    result = run("select", "--help")
    assert result.exit_code == 0
    assert "lcrjax select digits --size 100" in result.stdout
