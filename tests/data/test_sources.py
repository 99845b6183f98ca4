import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lcrjax.data
from lcrjax.data import DataError, load, sources
from lcrjax.data.options import Options
from lcrjax.data.sources import SOURCES
from lcrjax.data.split import stratified_split


def test_digits_are_exact_sixteenths():
    bunch = pytest.importorskip("sklearn.datasets").load_digits()
    data = load("digits")
    assert data.train_images.dtype == np.float32
    every = np.concatenate([data.train_images, data.test_images])
    labels = np.concatenate([data.train_labels, data.test_labels])
    assert every.shape == (1797, 8, 8)
    key = lambda images, y: np.lexsort((y, *images.reshape(len(y), -1).T))  # noqa: E731
    order, reference = key(every, labels), key(bunch.images, bunch.target)
    np.testing.assert_array_equal(every[order] * 16, bunch.images[reference])
    np.testing.assert_array_equal(labels[order], bunch.target[reference])
    assert load("digits").content_hash() == data.content_hash()
    assert load("digits", seed=1).content_hash() != data.content_hash()


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5, 0.99])
def test_a_split_is_disjoint_complete_and_stratified(fraction):
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [100, 31, 2]))
    train, test = stratified_split(labels, fraction, 0)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(133))
    for label, count in enumerate((100, 31, 2)):
        held_out = int((labels[test] == label).sum())
        assert 1 <= held_out <= count - 1
        assert held_out in (1, count - 1) or abs(held_out - fraction * count) <= 0.5


def test_every_image_may_be_held_out():
    labels = np.repeat([0, 1], 6)
    seen = {int(i) for seed in range(200) for i in stratified_split(labels, 0.3, seed)[1]}
    assert seen == set(range(12))


@pytest.mark.parametrize(
    ("source", "options", "match"),
    [
        ("", {}, "empty"),
        ("digts", {}, "did you mean 'digits'"),
        ("a\0b", {}, "cannot be a path|there is no"),
        ("x" * 5000, {}, "cannot be a path"),
        ("/dev/null", {}, "not a file"),
        ("digits", {"size": 64}, "use resize="),
        ("digits", {"test_fraction": -0.1}, "test_fraction"),
        ("digits", {"test_fraction": float("nan")}, "test_fraction"),
        ("digits", {"seed": -1}, "seed"),
    ],
)
def test_sources_that_are_none(source, options, match):
    with pytest.raises(DataError, match=match) as caught:
        load(source, **options)
    assert len(str(caught.value)) < 400


def test_a_missing_file_is_said_with_its_neighbour(save):
    path = save()
    with pytest.raises(DataError, match=r"no file or folder .*sat\.npz: did you mean .*set\.npz"):
        load(path.with_name("sat.npz"))
    with pytest.raises(DataError, match="check the path"):
        load(path.parent / "nowhere" / "set.npz")


def test_a_folder_named_as_a_dataset_needs_its_path(picture_folder, monkeypatch):
    folder, _ = picture_folder()
    folder = folder.rename(folder.with_name("digits"))
    monkeypatch.chdir(folder.parent)
    assert load("./digits").class_names == ("cat", "dog")
    assert load(folder).class_names == ("cat", "dog")


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)  # makes its import fail
    with pytest.raises(ImportError, match=r"pip install 'lcrjax\[study\]'"):
        load("digits")


def test_the_import_is_light():
    code = (
        "import sys, lcrjax.data;"
        "heavy = {'PIL', 'pooch', 'sklearn', 'tensorflow_datasets', 'rich', 'requests',"
        " 'medmnist', 'torch', 'flax', 'lcrjax.study', 'lcrjax.training'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_room_imports_no_jax_itself():
    for path in Path(lcrjax.data.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                own = name.startswith(("lcrjax.data", "lcrjax.numerics"))
                known = {"numpy", "pandas", *sys.stdlib_module_names}
                assert own or name.split(".")[0] in known, (path, name)


def test_a_kind_of_source_is_recognised_by_one_row_of_the_table(save, idx_folder, picture_folder):
    pictures, _ = picture_folder()
    for named, loader in (
        ("digits", "load_digits"),
        ("tfds:mnist", "load_tfds"),
        ("BloodMNIST_64", "load_medmnist"),
        (save(), "load_npz"),
        (str(idx_folder()), "load_idx"),
        (pictures, "load_folder"),
    ):
        assert next(kind for kind in SOURCES if kind.accepts(named)).load.__name__ == loader
    assert not any(kind.accepts(Path("bloodmnist")) for kind in SOURCES)


def test_what_lies_in_memory_is_no_source():
    with pytest.raises(DataError, match="the source is a list: give a name, a file or a folder"):
        sources._load([1, 2], Options())  # types are checked in tests, and not for users
