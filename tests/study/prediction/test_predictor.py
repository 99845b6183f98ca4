import dataclasses
import json

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import norm

import lcrjax
from lcrjax.data import Dataset, Split
from lcrjax.selection import compare
from lcrjax.selection.comparison import judge
from lcrjax.selection.sides import as_side
from lcrjax.study import fit_predictor, load_predictor, save_predictor
from lcrjax.study.measuring.of_dataset import measure_subsets_with
from lcrjax.study.prediction.sides import measure_sides
from tests.study import fake_parts as fake
from tests.study.analysis.test_differences import simulated


def study_table(**kinds):
    """A simulated study whose scores depend on size (0.1) and CB_1 (-0.05) alone."""
    table = simulated(per_dataset=80, **kinds).rename(columns={"size": "other"})
    table = table.rename(columns={"x": "size", "z": "CB_1"})
    return table.assign(size=80 * table["size"], n_pixels=16, n_channels=1, n_classes=3)


@pytest.fixture(scope="module")
def predictor():
    return fit_predictor(study_table())


def split(places):
    return Split(DATA.train_images[places], DATA.train_labels[places])


DATA = fake.dataset(counts=(60, 50, 55))
PLACES = np.arange(60), np.arange(60, 100), np.arange(100, 165)
PARTS = [Dataset(name, split(i), None, DATA.class_names)
         for name, i in zip(("a", "b", "target"), PLACES, strict=True)]  # fmt: skip


@pytest.fixture(scope="module")
def comparison():
    return compare(*PARTS, resampling=None)


def without(comparison, label):
    """The comparison as it were if b lacked a class."""
    kept = PARTS[1].train.take(np.flatnonzero(PARTS[1].train.labels != label))
    b = as_side(Dataset("b", kept, None, DATA.class_names), "b")
    return dataclasses.replace(comparison, b=b)


def balance(labels):
    shares = np.bincount(labels) / len(labels)
    return np.exp(-np.sum(shares * np.log(shares)))


def test_coefficients_and_noise_are_those_of_the_simulation(predictor):
    assert predictor.coefficients == pytest.approx((0.1, -0.05), abs=0.01)
    assert predictor.scale == pytest.approx(np.sqrt(2) * 0.06, rel=0.12)
    assert predictor.rows == 480
    assert predictor.left_out["error"] < 0.03


def test_the_verdict_is_that_of_the_difference(predictor, comparison):
    found = judge(comparison, predictor).verdict
    balances = [balance(part.train.labels) for part in PARTS]
    logs = np.log([40 / 60, balances[1] / balances[0]])
    chance = norm.cdf(logs @ predictor.coefficients / predictor.scale)
    assert chance < 0.5
    assert found.better == "a"
    assert found.probability == pytest.approx(1 - chance, rel=1e-6)
    assert "with a probability of" in found.said
    assert "This rests on 480 models of d0, d1" in found.said
    assert "a guess" not in found.said
    turned = dataclasses.replace(comparison, a=comparison.b, b=comparison.a)
    turned = judge(turned, predictor).verdict
    assert turned.better == "a"
    assert turned.probability == pytest.approx(found.probability, rel=1e-12)


def test_it_is_taken_by_compare(predictor, comparison):
    found = compare(*PARTS, resampling=None, predictor=predictor)
    assert found.verdict == judge(comparison, predictor).verdict


def test_what_lies_outside_of_the_study_is_said(predictor, comparison):
    said = judge(without(comparison, 2), predictor).verdict.said
    assert "Outside of what these learnt from, and so a guess" in said
    assert "b has classes 2 (3 to 3)" in said
    assert "one lacks a class of the other" in said
    narrow = dataclasses.replace(
        predictor, ranges={**predictor.ranges, "size": (64.0, 1024.0), "CB_1": (1.0, 1.5)}
    )
    said = judge(comparison, narrow).verdict.said
    assert "b has size 40 (64 to 1,024)" in said
    assert "CB_1 of a is 2.9" in said
    hardly = dataclasses.replace(predictor, ranges={**predictor.ranges, "size": (40.5, 59.5)})
    assert "guess" not in judge(comparison, hardly).verdict.said


def test_sides_are_measured_as_a_study_measures_subsets(comparison):
    """The same numbers, where the target is the images that the subsets lack."""
    measures = ("A_0", "R_1", "cross_1", "own_signal", "facility_location", "nn_bacc")
    names = ("A_1", "CB_1", "size", "class_signal", *(f"{m}[rmsd:10]" for m in measures))
    got = measure_sides(comparison, names, "rmsd")
    table = measure_subsets_with(DATA, PLACES[:2], ["rmsd:10", "rmsd"])
    for name in ("A_0[rmsd:10]", "R_1[rmsd:10]"):
        assert got[name] == pytest.approx(tuple(table[name]), rel=1e-6)
    assert got["A_1"] == pytest.approx(tuple(table["A_1[rmsd]"]), rel=1e-6)
    assert got["size"] == (60, 40)
    for k in (0, 1):
        counts = np.bincount(DATA.train_labels[PLACES[k]], minlength=3) + 0.5
        signal = np.prod(counts) ** (1 / 3) / np.sqrt(len(PLACES[k]) + 1.5)
        assert got["class_signal"][k] == pytest.approx(signal, rel=1e-12)
    flat = [DATA.train_images[i].reshape(len(i), -1) / 255 for i in PLACES]
    labels = [DATA.train_labels[i] for i in PLACES]
    for k in (0, 1):
        distance = cdist(flat[2], flat[k]) / 4
        z = np.exp(-10 * distance)
        own = (z * (labels[2][:, None] == labels[k])).sum(axis=1)
        per_class = [np.mean(np.log(own[labels[2] == c])) for c in range(3)]
        said = labels[k][distance.argmin(axis=1)]
        recalls = [np.mean(said[labels[2] == c] == c) for c in range(3)]
        expected = {
            "facility_location": z.max(axis=1).mean(),
            "cross_1": np.exp(-np.mean(np.log(z.mean(axis=1)))),
            "own_signal": np.exp(np.mean(per_class)) / np.sqrt(len(PLACES[k])),
            "nn_bacc": np.mean(recalls),
        }
        for name, value in expected.items():
            assert got[f"{name}[rmsd:10]"][k] == pytest.approx(value, rel=1e-6), name


def test_a_median_is_that_of_both_sides(comparison):
    name = "A_0[laplacian:0.5median]"
    got = measure_sides(comparison, (name,), "rmsd")[name]
    x = DATA.train_images[:100].reshape(100, -1) / 255
    distance = cdist(x, x)
    z = np.exp(-distance / (0.5 * np.median(distance[np.triu_indices(100, 1)])))
    for k, i in enumerate(PLACES[:2]):
        counts = np.eye(3)[DATA.train_labels[i]]
        expected = lcrjax.diversity(counts, z[np.ix_(i, i)], q=0).dataset_level["alpha"]
        assert got[k] == pytest.approx(float(np.ravel(expected)[0]), rel=1e-5)


def test_without_a_target_or_with_other_elements_it_is_not_known(predictor, comparison):
    needs = dataclasses.replace(predictor, features=("size", "nn_bacc[rmsd:1]"))
    verdict = judge(dataclasses.replace(comparison, target=None), needs).verdict
    assert verdict.better is None
    assert verdict.said.endswith(
        "not known: the study's nn_bacc[rmsd:1] needs a labelled target, and none is given."
    )
    texts = [as_side((["a", "ab", "b"], ["x", "x", "y"]), name) for name in "ab"]
    other = dataclasses.replace(predictor, features=("size", "A_0"))
    verdict = judge(dataclasses.replace(comparison, a=texts[0], b=texts[1]), other).verdict
    assert "not known: the study's A_0: 'rmsd' compares images" in verdict.said
    signal = dataclasses.replace(predictor, features=("size", "own_signal[rmsd:10]"))
    lacking = without(comparison, 2)
    first, second = measure_sides(lacking, ("class_signal",), "rmsd")["class_signal"]
    assert 0 < second < 0.5 * first  # a class of none is bad, and no reason to say nothing
    nameless = dataclasses.replace(comparison.b, labels=None, class_names=())
    counts = dataclasses.replace(predictor, features=("size", "class_signal"))
    verdict = judge(dataclasses.replace(comparison, b=nameless), counts).verdict
    assert "not known: class_signal of b is nan" in verdict.said
    verdict = judge(lacking, signal).verdict
    assert "not known: own_signal[rmsd:10] of b is 0, which has no logarithm" in verdict.said


def test_a_predictor_is_written_and_read_back(predictor, tmp_path):
    file = save_predictor(predictor, tmp_path)
    assert file == tmp_path / "predictor.json"
    assert load_predictor(tmp_path) == predictor
    assert load_predictor(save_predictor(predictor, tmp_path / "p.json")) == predictor


def _changed(change):
    def write(file):
        values = json.loads(file.read_text())
        change(values)
        file.write_text(json.dumps(values))

    return write


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda file: file.unlink(), "holds no predictor: fit one"),
        (lambda file: file.write_text("{"), "is no predictor"),
        (lambda file: file.write_text("[]"), "is no predictor"),
        (_changed(lambda v: v.update(form=2)), "of form 2, and this version .* reads form 1"),
        (_changed(lambda v: v.pop("scale")), "lacks or has too much of scale"),
        (_changed(lambda v: v.update(features=["size", "novelty"])), "'novelty' is not measured"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(predictor, tmp_path, damage, sentence):
    damage(save_predictor(predictor, tmp_path))
    with pytest.raises(ValueError, match=sentence):
        load_predictor(tmp_path)


def test_bad_tables_and_features_are_refused():
    table = study_table()
    with pytest.raises(ValueError, match="give three"):
        fit_predictor(table[table["dataset"] < "d2"])
    with pytest.raises(ValueError, match=r"'mmd\[rmsd\]' is not measured of two datasets"):
        fit_predictor(table, ("mmd[rmsd]",))
    with pytest.raises(ValueError, match="no column 'A_0"):
        fit_predictor(table, ("A_0[rmsd:10]",))
    with pytest.raises(ValueError, match="constant in every dataset"):
        fit_predictor(table.assign(A_0=2.0), ("A_0",))


def test_probabilities_of_comparisons_are_calibrated():
    """Of new datasets by the same rule, what is said with probability p is so in that share."""
    new = study_table(seed=9)
    predictor = fit_predictor(study_table())
    logs, y = np.log(new[list(predictor.features)].to_numpy()), new["bacc"].to_numpy()
    i, j = (np.arange(len(new)).reshape(6, 2, 40)[:, k].ravel() for k in (0, 1))
    p = norm.cdf((logs[j] - logs[i]) @ predictor.coefficients / predictor.scale)
    sure, right = np.maximum(p, 1 - p), (p > 0.5) == (y[j] > y[i])
    assert right.mean() == pytest.approx(sure.mean(), abs=0.06)
