from dataclasses import replace

import numpy as np
import pytest

from lcrjax.data import Dataset, Split

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror="alert(2)">',
    "</script><script>alert(3)</script>",
    "é {{ 7 * 7 }} & 'q' https://evil.example/x",
)


NOTES = ("50 of 200 images were held out as test set, 25% of each class at random (seed 0).",)


def make(counts=(9, 7, 8, 6), shape=(5, 5, 3), names=HOSTILE, seed=0):
    """A small dataset with a copy and a near copy between its splits, and one across classes.

    The last class is not in the test set.
    """
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    images = rng.integers(0, 256, (len(labels), *shape), dtype=np.uint8)
    kept = np.flatnonzero(labels < len(counts) - 1)[::3]
    tests, test_labels = images[kept] // 2 + 60, labels[kept]
    tests[0] = images[4]
    tests[1] = images[5] ^ 1
    images[counts[0] + 1] = images[0]
    return Dataset(
        '<b>odd</b> "name"',
        Split(images, labels),
        Split(tests, test_labels),
        names,
        source="<i>made</i> & up",
    )


@pytest.fixture(scope="session")
def hostile():
    """A dataset whose names are code."""
    return make()


@pytest.fixture(scope="session")
def hostile_page(hostile):
    from lcrjax.report import dataset_page

    return dataset_page(hostile)


@pytest.fixture(scope="session")
def study_folder(tmp_path_factory):
    """A finished study of two datasets, measured and trained by stand-ins; some rows failed."""
    from lcrjax.study.design.config import StudyConfig
    from tests.study import fake_parts as fake

    def train(dataset, subsets, seeds, config=None, *, progress=None):
        table = fake.train(dataset, subsets, seeds)
        if subsets.shape[1] == 16:
            table.loc[0, ["acc", "bacc", "auc", "auc_micro"]] = np.nan
            table.loc[0, "failure"] = "RuntimeError: <b>memory</b> ran out"
            table.loc[0, "converged"] = False
            table.loc[1, "converged"] = False
            table.loc[1, "train_accuracy"] = 0.91
        return table

    folder = tmp_path_factory.mktemp("study") / "st"
    fake.run_study(
        [fake.dataset("<script>toy</script>"), replace(fake.dataset("two", seed=1), notes=NOTES)],
        folder,
        StudyConfig(sizes=(16, 32), bins=8, per_bin=3, candidates=2000),
        train=train,
    )
    return folder


@pytest.fixture(scope="session")
def study_text(study_folder):
    from lcrjax.report import study_page

    return study_page(study_folder, resamples=50)
