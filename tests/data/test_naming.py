import numpy as np
import pytest

from lcrjax.data import DataError, load


@pytest.fixture
def named(tmp_path):
    np.savez(
        tmp_path / "a.npz",
        X=np.random.default_rng(0).random((6, 3)),
        y=np.array([10, 2, 1] * 2),
        names=[f"patient{i // 2}_{i}.png" for i in range(6)],
    )
    return lambda **options: load(tmp_path / "a.npz", test_fraction=0, **options)


def test_classes_are_named_in_natural_order(named):
    data = named(class_names=["one", "two", "ten"])
    assert [data.class_names[i] for i in data.train_labels[:3]] == ["ten", "two", "one"]


@pytest.mark.parametrize(
    ("names", "match"),
    [
        (["a", "b"], r"3 classes \(1, 2, 10\), but 2 names"),
        (["a", "b", "a"], "not all distinct"),
        (["2", "1", "10"], "'2' is given as name of class '1', but is the name of another"),
    ],
)
def test_names_that_would_mislead(named, names, match):
    with pytest.raises(DataError, match=match):
        named(class_names=names)


def test_groups_come_from_names(named):
    groups = ["0", "0", "1", "1", "2", "2"]
    assert named(group_pattern=r"patient(\d+)").train.groups.tolist() == groups
    assert named(group_pattern=r"patient\d").train.groups[2] == "patient1"


@pytest.mark.parametrize(
    ("pattern", "match"),
    [("(", "no regular expression"), ("site", "does not occur in 6 names, the first 'patient0_0")],
)
def test_patterns_that_find_nothing(named, pattern, match):
    with pytest.raises(DataError, match=match):
        named(group_pattern=pattern)


def test_a_pattern_needs_names():
    pytest.importorskip("sklearn")
    with pytest.raises(DataError, match="have no names"):
        load("digits", group_pattern="a")


def test_options_of_tables_mean_nothing_elsewhere():
    with pytest.raises(DataError, match="label_column='a' means nothing for digits"):
        load("digits", label_column="a")
    with pytest.raises(DataError, match=r"labels='a\.npy' means nothing for digits"):
        load("digits", labels="a.npy")
