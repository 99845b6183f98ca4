import shutil

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

import lcrjax
from lcrjax.study import StudyConfig, add_measures, features, read_results
from lcrjax.study.measuring import addition
from lcrjax.study.measuring.finished import designed_subsets
from lcrjax.study.measuring.names import LABEL_MEASURES, MEASURES, PAPER_MEASURES, added_columns
from lcrjax.study.measuring.of_dataset import measure_subsets_with
from lcrjax.study.run.folder import locked, read_description
from lcrjax.study.run.store import ADDED
from tests.study import fake_parts as fake

CONFIG = StudyConfig(sizes=(8, 16), bins=3, per_bin=1, candidates=200)
DATASETS = [fake.dataset("a", 0), fake.dataset("b", 1, counts=(40, 30))]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    fake.run_study(DATASETS, folder, CONFIG)
    return folder


@pytest.fixture
def study(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "s")


def test_columns_are_added_and_nothing_is_lost(study):
    before = read_results(study)
    first = add_measures(study, ["rmsd:10"], DATASETS)
    new = [*LABEL_MEASURES, *(f"{name}[rmsd:10]" for name in MEASURES)]
    assert list(first.columns) == [*before.columns, *new]
    pd.testing.assert_frame_equal(first[list(before.columns)], before)
    second = add_measures(study, ["cosine", "rmsd:10"], DATASETS)
    assert len(added_columns(second)) == 2 * len(MEASURES)
    pd.testing.assert_frame_equal(second[list(first.columns)], first, check_exact=True)
    pd.testing.assert_frame_equal(read_results(study), second)
    assert second[[f"nn_bacc[{word}]" for word in ("rmsd:10", "cosine")]].notna().all(axis=None)


def test_what_is_there_is_not_measured_again(study, monkeypatch):
    measured = []

    def count(dataset, subsets, words, progress):
        measured.append((dataset.name, *words))
        return measure_subsets_with(dataset, subsets, words, progress)

    monkeypatch.setattr(addition, "measure_subsets_with", count)
    whole = add_measures(study, ["rmsd:3"], DATASETS)
    assert measured == [("a", "rmsd:3"), ("b", "rmsd:3")]
    added = pd.read_parquet(study / ADDED)
    columns = list(added_columns(added))
    added.loc[added["dataset"] == "b", columns] = np.nan  # as an interruption leaves it
    added.to_parquet(study / ADDED)
    measured.clear()
    added = added.drop(columns="class_signal")  # as versions before it left it
    added.to_parquet(study / ADDED)
    again = add_measures(study, ["rmsd:3"], DATASETS)
    assert measured == [("b", "rmsd:3")]
    pd.testing.assert_frame_equal(again[list(whole)], whole)


def test_values_are_those_of_the_subsets(study):
    table = add_measures(study, ["rmsd:10"], DATASETS)
    decides = read_description(study)["decides"]
    for dataset, rows, subsets in designed_subsets(decides, DATASETS, read_results(study)):
        x = dataset.train_images.reshape(len(dataset.train_labels), -1) / 255
        z = np.exp(-10 * cdist(x, x) / np.sqrt(x.shape[1]))
        for i, subset in zip(rows.index, subsets, strict=True):
            others = np.setdiff1d(np.arange(len(x)), subset)
            across = z[others][:, subset]
            row = table.loc[i]
            counts = np.bincount(dataset.train_labels[subset], minlength=dataset.n_classes) + 0.5
            signal = np.prod(counts) ** (1 / len(counts)) / np.sqrt(counts.sum())
            assert row["class_signal"] == pytest.approx(signal, rel=1e-12)
            paper = features(dataset.train_images, dataset.train_labels, subset[None],
                             similarity=lcrjax.RMSD(10.0))  # fmt: skip
            for name in PAPER_MEASURES:
                assert row[f"{name}[rmsd:10]"] == pytest.approx(paper[name].item(), rel=1e-6)
            own = across * (dataset.train_labels[others][:, None] == dataset.train_labels[subset])
            wanted = np.exp(-np.mean(np.log(own.sum(axis=1) / len(subset))))
            assert row["own_cross_1[rmsd:10]"] == pytest.approx(wanted, rel=1e-6)
            assert row["cross_2[rmsd:10]"] == pytest.approx(1 / across.mean(), rel=1e-6)
            within = z[subset][:, subset]
            among = z[others][:, others]
            wanted = np.sqrt(within.mean() + among.mean() - 2 * across.mean())
            assert row["mmd[rmsd:10]"] == pytest.approx(wanted, rel=1e-5)
            wanted = np.linalg.inv(within).sum()
            assert row["magnitude[rmsd:10]"] == pytest.approx(wanted, rel=1e-6)
            assert row["vendi_2[rmsd:10]"] == pytest.approx(1 / np.mean(within**2), rel=1e-6)


def test_a_similarity_that_only_jax_knows_is_measured_by_weighing():
    dataset = DATASETS[1]
    subsets = [np.arange(9), np.arange(20, 35)]
    numbers = lcrjax.data.Split(dataset.train_images.reshape(-1, 16) / 255.0, dataset.train_labels)
    rows = lcrjax.data.Dataset("rows", numbers, None, dataset.class_names)
    found = measure_subsets_with(rows, subsets, ["gower"])
    x = rows.train.elements
    z = 1 - cdist(x / np.ptp(x, axis=0), x / np.ptp(x, axis=0), "cityblock") / 16
    for s, subset in enumerate(subsets):
        others = np.setdiff1d(np.arange(len(x)), subset)
        wanted = z[others][:, subset].max(axis=1).mean()
        assert found.loc[s, "facility_location[gower]"] == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize(
    ("words", "datasets", "sentence"),
    [
        ([], DATASETS, "name one at least"),
        (["rmsd:-1"], DATASETS, "a number above 0"),
        (["edit"], DATASETS, "compares texts"),
        (["file:z.npy"], DATASETS, "which has no subsets"),
        (["rmsd"], DATASETS[:1], "the study has the datasets a, b"),
        (["rmsd"], [DATASETS[0], fake.dataset("b", 5)], "not what was studied"),
        (["rmsd"], None, "is not in"),
    ],
)
def test_bad_input_is_refused(study, words, datasets, sentence, tmp_path):
    with pytest.raises(ValueError, match=sentence):
        add_measures(study, words, datasets, data=tmp_path)
    assert not (study / ADDED).exists()


def test_an_unfinished_study_and_other_subsets_are_refused(study):
    table = read_results(study)
    table["CB_1"] *= 1.01
    with pytest.raises(ValueError, match="other subsets of a"):
        list(designed_subsets(read_description(study)["decides"], DATASETS, table))
    (study / "results.parquet").unlink()
    with pytest.raises(ValueError, match="not finished"):
        add_measures(study, ["rmsd"], DATASETS)


def test_one_process_at_a_time(study):
    with locked(study), pytest.raises(lcrjax.study.FolderInUseError):
        add_measures(study, ["rmsd"], DATASETS)
