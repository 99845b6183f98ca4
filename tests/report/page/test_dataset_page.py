import base64
import dataclasses
import hashlib
import io
import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

import lcrjax
from lcrjax.data import Dataset, Split, load
from lcrjax.report import dataset_page
from lcrjax.report.page.measured import measure_dataset
from lcrjax.report.page.rendering import render, significant
from lcrjax.report.page.representative import by_class, nearest_class_accuracy, relative, whole
from tests.report.page.conftest import HOSTILE
from tests.report.page.pages import check


def test_names_that_are_code_are_shown_and_not_run(hostile, hostile_page):
    page = check(hostile_page)
    for name in (*HOSTILE, hostile.name, hostile.source):
        assert " ".join(name.split()) in page.text
    assert "alert(" not in "".join(page.of("script")[0])
    (own,) = [s for s in page.scripts if "addEventListener" in s]
    digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in hostile_page
    data = [json.loads(s) for s in page.scripts if s.startswith("{")]
    assert len(data) == 2
    assert data[0]["names"] == [*HOSTILE, "dataset"]
    assert data[1]["names"] == list(HOSTILE)
    assert any(HOSTILE[0] in a["alt"] for a in page.of("img"))
    assert "49" not in page.text.split("é")[1][:20]


def test_the_page_tells_what_the_library_measures(hostile, hostile_page):
    names = np.array([f"{c:02}" for c in hostile.train_labels])
    page = check(hostile_page)
    found = lcrjax.measure(hostile.train_images, names, q=(0, 1, 2, np.inf))
    for measure in ("alpha", "normalized_rho", "gamma", "normalized_alpha"):
        for value in [*np.ravel(found.dataset_level[measure]), *found.class_level[measure][1]]:
            assert significant(float(value)) in page.text


def test_copies_and_leaks_are_found_and_shown(hostile_page):
    page = check(hostile_page)
    assert "2 of 8 test images (25 %) have a near-duplicate in training, 1 of them" in page.text
    assert "1 pair of nearly the same training image carries two different labels" in page.text
    alternatives = [a["alt"] for a in page.of("img")]
    assert f"test image 0, {HOSTILE[0]}" in alternatives
    assert f"training image 10, {HOSTILE[1]}" in alternatives
    assert page.text.count("identical") >= 3


def test_shown_pairs_are_a_table_to_download(hostile_page):
    page = check(hostile_page)
    (link,) = [a for a in page.of("a") if "download" in a]
    text = base64.b64decode(link["href"].removeprefix("data:text/csv;base64,")).decode()
    table = pd.read_csv(io.StringIO(text))
    assert len(table) == len([f for f in page.of("figure") if "pair" in f.get("class", "").split()])
    assert (table["near"] == "yes").any()
    identical = table[table["rmsd"] == 0]
    assert set(identical["kind"]) == {"leak", "across"}
    assert HOSTILE[0] in set(table["class"])


def test_the_day_and_the_command_are_told(monkeypatch):
    monkeypatch.setattr("sys.argv", ["/usr/bin/lcrjax", "report", "my data.npz"])
    content = {"title": "t", "findings": []}
    page = render("base.html", **content)
    today = f"{datetime.now(UTC):%d %B %Y}"
    assert f"on {today} by <code>lcrjax report &#39;my data.npz&#39;</code>." in page
    monkeypatch.setattr("sys.argv", ["/usr/bin/pytest", "report"])
    assert f"on {today}." in render("base.html", **content)


@pytest.fixture(scope="module")
def leaking():
    """Test images that are training images under another label, and of patients in training."""
    images = np.random.default_rng(0).integers(0, 256, (12, 4, 4), dtype=np.uint8)
    labels, long = np.repeat([0, 1], 6), "a/folder/of/many/<b>pictures</b>/whose-name-is-long"
    names = np.array([f"{long}/{i}.png" for i in range(12)])
    groups = np.array([f"<i>{i % 3}" for i in range(12)])
    train = Split(images, labels, names, groups)
    tests = np.concatenate([images[:1], 255 - images[8:]])
    test_groups = np.array(["<i>1", "<i>1", "<i>2", "new", "newer"])
    test = Split(tests, np.array([1, 1, 1, 0, 0]), np.array([f"t{i}.png" for i in range(5)]))
    test = dataclasses.replace(test, groups=test_groups)
    return Dataset("leaking", train, test, ("cat", "dog"))


def test_a_test_image_under_another_label_is_told_wherever_one_looks(leaking):
    text = dataset_page(leaking)
    page = check(text)
    assert (
        "1 of 5 test images has a near-duplicate in training under another label (1 of them to "
        "the last bit): one of each pair is wrong" in page.text
    )
    across = page.text.split("Across classes")[1].split("Within a class")[0]
    assert "identicalcatdog" in across.replace(" ", "").replace("dogcat", "catdog")
    assert "test t0.png · train a/folder/of/man…e-is-long/0.png" in across
    assert "None is near" not in across
    (span,) = [a for a in page.of("span") if "/0.png" in a.get("title", "")][:1]
    assert span["title"] == leaking.train.name_of(0)
    heat = json.loads([s for s in page.scripts if s.startswith("{")][1])
    assert set(heat["full"]) == set(leaking.train.names)
    assert max(map(len, heat["indices"])) == 31


def test_groups_in_both_splits_are_counted_and_named(leaking, hostile_page):
    assert leaking.shared_groups == ("<i>1", "<i>2")
    said = "2 groups are in both training and test (<i>1, <i>2), with 3 of 5 test images"
    assert said in check(dataset_page(leaking)).text
    assert "in both training and test (" not in hostile_page


def test_the_same_dataset_gives_the_same_page(hostile, hostile_page):
    assert dataset_page(hostile) == hostile_page


def test_digits_have_a_page_of_modest_size():
    text = dataset_page(load("digits"))
    page = check(text)
    assert len(text) < 1_000_000
    assert "None of 450 test images has a near-duplicate" in page.text
    assert len(page.of("img")) > 120


def test_a_single_image_of_floats_has_a_page(hostile):
    image, label = hostile.train_images[:1] / np.float32(255), np.zeros(1, int)
    page = check(dataset_page(Dataset("tiny", Split(image, label), Split(image, label), ("only",))))
    assert "not stated; ask the source" in page.text
    assert "1 of 1 test images (100 %) has a near-duplicate" in page.text


def test_a_class_without_test_images_is_told(hostile_page):
    assert check(hostile_page).text.count("not in the test set") == 1


@pytest.fixture(scope="module")
def measured(hostile):
    return measure_dataset(hostile)


def test_test_and_training_are_compared_as_the_library_compares_them(hostile, measured):
    both = np.concatenate([hostile.train_images, hostile.test_images])
    n, t = len(hostile.train_labels), len(hostile.test_labels)
    p, r = np.repeat([0, 1], [n, t]), np.repeat([1, 0], [n, t])
    for q in (0, 1, 2, np.inf):
        expected = float(lcrjax.relative_diversity(p, r, lcrjax.RMSD(), q, elements=both))
        assert relative(measured.test, measured.test_in, q) == pytest.approx(expected, rel=1e-5)
    found = whole(measured)
    expected = float(lcrjax.cross_diversity(p, r, lcrjax.RMSD(), 1, elements=both))
    assert found.cross == pytest.approx(expected, rel=1e-5)
    rows = by_class(hostile, measured)
    assert rows[3] is None
    for c, row in enumerate(rows[:3]):
        mine = np.concatenate([hostile.train_labels == c, np.zeros(t, bool)])
        theirs = np.concatenate([np.zeros(n, bool), hostile.test_labels == c])
        expected = lcrjax.relative_diversity(
            theirs.astype(float), mine.astype(float), lcrjax.RMSD(), 1, elements=both
        )
        assert row.relative == pytest.approx(float(expected), rel=1e-5)
        alone = lcrjax.diversity(mine[:n].astype(float), lcrjax.RMSD(), q=1,
                                 elements=hostile.train_images)  # fmt: skip
        assert row.diversity == pytest.approx(float(alone.dataset_level["gamma"][0]), rel=1e-5)


def test_nearest_class_accuracy():
    labels = np.array([0, 0, 0, 1])
    accuracy = nearest_class_accuracy(labels, np.array([1, 3, 2, 2.0]), np.array([2, 2, 2, 3.0]))
    assert accuracy == (0.75, pytest.approx((2 / 3 + 1) / 2))
