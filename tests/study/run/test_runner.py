import dataclasses
import functools
import signal

import numpy as np
import pandas as pd
import pytest

from lcrjax import RMSD, measure
from lcrjax.data import Split
from lcrjax.similarity.spec import parse_similarity
from lcrjax.study.columns import FEATURES
from lcrjax.study.design.config import StudyConfig
from lcrjax.study.measuring.addition import add_measures
from lcrjax.study.run import runner
from lcrjax.study.run.folder import (
    CONFIG,
    FolderInUseError,
    read_description,
    write_description,
)
from lcrjax.study.run.machines import MachineError, machine
from lcrjax.study.run.parts import measure_subsets, usual_block_size
from lcrjax.study.run.plan import plan_study
from lcrjax.study.run.progress import StudyProgress
from lcrjax.study.run.store import RESULTS, ROWS, open_store, read_results
from lcrjax.study.table import SCHEMA, same_results
from lcrjax.training import TrainingConfig
from tests.study import fake_parts as fake
from tests.study.fake_parts import run_study

CONFIG_SMALL = StudyConfig(sizes=(16, 32), bins=6, per_bin=4, candidates=500)


def stop_after(blocks):
    """A callback that interrupts the study when so many blocks are written."""
    written = 0

    def callback(progress):
        nonlocal written
        written += progress.stage == "written"
        if written == blocks:
            signal.raise_signal(signal.SIGINT)

    return callback


def test_the_table_has_one_row_per_subset_in_a_fixed_order(tmp_path):
    datasets = [fake.dataset("b"), fake.dataset("a", seed=1, shape=(4, 5, 3))]
    table = run_study(datasets, tmp_path / "s", CONFIG_SMALL)

    assert list(table.columns) == SCHEMA.names
    key = ["dataset", "n", "subset"]
    assert table[key].equals(table[key].sort_values(key))
    assert not table.duplicated(key).any()
    for _, group in table.groupby(["dataset", "n"]):
        assert group["subset"].tolist() == list(range(len(group)))
    first = table.iloc[0]
    assert (first["dataset"], first["n_pixels"], first["n_channels"], first["n_classes"]) == (
        *("a", 20, 3, 3),
    )
    assert table["failure"].isna().all()
    assert (table["size"] == table["n"]).all()


def test_small_subsets_of_all_datasets_come_first(tmp_path):
    datasets = [fake.dataset("b"), fake.dataset("a", seed=1, shape=(4, 5, 3))]
    seen = []

    def note(progress):
        if progress.stage == "written":
            seen.append((progress.n, progress.dataset))

    run_study(datasets, tmp_path / "s", CONFIG_SMALL, progress=note)
    assert seen == sorted(seen)
    assert len(set(seen)) == 4


def test_of_a_size_with_a_limit_the_extremes_and_those_between_are_kept():
    data = fake.dataset("a")
    every = plan_study([data], CONFIG_SMALL, fake.block_size)
    limited = dataclasses.replace(CONFIG_SMALL, most_at={32: 3})
    some = plan_study([data], limited, fake.block_size)

    def rows(blocks, n):
        return np.concatenate([b.subsets for b in blocks if b.n == n])

    assert np.array_equal(rows(some, 16), rows(every, 16))
    all_of_32 = rows(every, 32)
    middle = round((len(all_of_32) - 1) / 2)
    assert np.array_equal(rows(some, 32), all_of_32[[0, middle, -1]])


def test_every_row_is_what_its_subset_and_seed_give(tmp_path):
    data = fake.dataset()
    table = run_study([data], tmp_path, CONFIG_SMALL)
    blocks = plan_study([data], CONFIG_SMALL, fake.block_size)
    assert max(len(b.seeds) for b in blocks) > 1
    subsets = [s for b in blocks for s in b.subsets]
    seeds = [s for b in blocks for s in b.seeds]
    assert table["seed"].tolist() == seeds
    alone = fake.train(data, subsets, seeds)
    np.testing.assert_array_equal(table["bacc"], alone["bacc"])
    measured = fake.measure(data, subsets)
    np.testing.assert_array_equal(table[list(FEATURES)], measured[list(FEATURES)])


def test_an_interrupted_study_goes_on_without_repeating_a_block(tmp_path):
    data = [fake.dataset()]
    whole = run_study(data, tmp_path / "whole", CONFIG_SMALL)

    trained = []

    def train(dataset, subsets, seeds, config, **options):
        trained.extend(int(s) for s in seeds)
        return fake.train(dataset, subsets, seeds, config, **options)

    def go_on(**options):
        return run_study(data, tmp_path / "cut", CONFIG_SMALL, train=train, **options)

    for blocks in (1, 2, 1):
        with pytest.raises(KeyboardInterrupt):
            go_on(progress=stop_after(blocks))
        assert not (tmp_path / "cut" / RESULTS).exists()
    partial = read_results(tmp_path / "cut")
    assert len(partial) == len(trained)
    cut = go_on()

    assert same_results(cut, whole)
    assert len(trained) == len(set(trained)) == len(whole)
    again = go_on()
    assert len(trained) == len(whole)
    pd.testing.assert_frame_equal(again, cut)  # to the wall times
    pd.testing.assert_frame_equal(read_results(tmp_path / "cut"), cut)


def test_the_order_of_datasets_does_not_matter(tmp_path):
    a, b = fake.dataset("a"), fake.dataset("b", seed=1)
    one = run_study([a, b], tmp_path, CONFIG_SMALL)
    assert same_results(run_study([b, a], tmp_path, CONFIG_SMALL), one)
    assert same_results(run_study([a], tmp_path / "a", CONFIG_SMALL), one[one["dataset"] == "a"])


def test_a_damaged_file_is_written_anew(tmp_path):
    data = [fake.dataset()]
    whole = run_study(data, tmp_path, CONFIG_SMALL)
    victim = sorted((tmp_path / ROWS).iterdir())[1]
    victim.write_bytes(victim.read_bytes()[:100])
    assert same_results(run_study(data, tmp_path, CONFIG_SMALL), whole)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"config": StudyConfig(sizes=(16,), bins=6, candidates=500)},
            r"sizes: \[16, 32\] -> \[16\]",
        ),
        ({"config": StudyConfig(sizes=(16, 32), bins=6, candidates=500, seed=9)}, "seed: 0 -> 9"),
        (
            {
                "config": StudyConfig(
                    sizes=(16, 32), bins=6, candidates=500, training=TrainingConfig(max_epochs=7)
                )
            },
            "training.max_epochs: 1000 -> 7",
        ),
        ({"datasets": [{"seed": 4}]}, r"datasets.toy.content_hash: \w+ -> \w+"),
        (
            {"datasets": [{}, {"name": "more"}]},
            "datasets.more.classes: absent -> 3",
        ),
    ],
)
def test_resuming_with_anything_different_is_refused_and_shown(tmp_path, change, line):
    run_study([fake.dataset()], tmp_path, CONFIG_SMALL)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    arguments = {"datasets": [{}], "config": CONFIG_SMALL} | change
    datasets = [fake.dataset(**d) for d in arguments["datasets"]]
    with pytest.raises(ValueError, match=line):
        run_study(datasets, tmp_path, arguments["config"])
    assert before == {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}


def test_other_versions_are_refused(tmp_path):
    run_study([fake.dataset()], tmp_path, CONFIG_SMALL)
    path = tmp_path / CONFIG
    path.write_text(path.read_text().replace('"numpy": "', '"numpy": "0.'))
    with pytest.raises(ValueError, match=r"versions.numpy: 0\.\S+ -> "):
        run_study([fake.dataset()], tmp_path, CONFIG_SMALL)


def test_another_kind_of_machine_is_refused_unless_allowed(tmp_path):
    data = [fake.dataset()]
    whole = run_study(data, tmp_path / "whole", CONFIG_SMALL)
    with pytest.raises(KeyboardInterrupt):
        run_study(data, tmp_path / "cut", CONFIG_SMALL, progress=stop_after(1))
    description = read_description(tmp_path / "cut")
    assert description["machines"] == [machine()]
    there = {**machine(), "processor": "Z80"}
    write_description(tmp_path / "cut", {**description, "machines": [there]})
    with pytest.raises(MachineError, match=r"--allow-mixed; .*\n  processor: Z80 -> "):
        run_study(data, tmp_path / "cut", CONFIG_SMALL)
    table = run_study(data, tmp_path / "cut", CONFIG_SMALL, allow_mixed=True)
    assert same_results(table, whole)
    assert read_description(tmp_path / "cut")["machines"] == [there, machine()]
    # Where nothing is left to compute, a table may be read anywhere.
    write_description(tmp_path / "cut", {**description, "machines": [there]})
    assert same_results(run_study(data, tmp_path / "cut", CONFIG_SMALL), whole)


def test_rows_of_another_study_are_refused(tmp_path):
    run_study([fake.dataset()], tmp_path / "one", CONFIG_SMALL)
    other = StudyConfig(sizes=(16, 32), bins=6, candidates=500, seed=1)
    run_study([fake.dataset()], tmp_path / "two", other)
    for file in (tmp_path / "one" / ROWS).iterdir():
        (tmp_path / "two" / ROWS / file.name).write_bytes(file.read_bytes())
    with pytest.raises(ValueError, match="rows of another study"):
        run_study([fake.dataset()], tmp_path / "two", other)


@pytest.mark.parametrize("content", ["notes.txt", "config.json"])
def test_a_folder_with_something_else_is_refused_and_left_alone(tmp_path, content):
    (tmp_path / content).write_text('{"mine": 1}')
    with pytest.raises(ValueError, match="choose a new folder"):
        run_study([fake.dataset()], tmp_path, CONFIG_SMALL)
    assert [p.name for p in tmp_path.iterdir()] == [content]


def test_a_file_in_the_folders_place_is_refused(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(ValueError, match="is a file"):
        run_study([fake.dataset()], tmp_path / "out", CONFIG_SMALL)


def test_a_second_process_is_told_and_leaves(tmp_path):
    refused = []

    def callback(progress):
        if progress.stage == "written" and not refused:
            with pytest.raises(FolderInUseError, match="another process is at work"):
                run_study([fake.dataset()], tmp_path, CONFIG_SMALL)
            refused.append(True)

    run_study([fake.dataset()], tmp_path, CONFIG_SMALL, progress=callback)
    assert refused
    with open_store(tmp_path, read_description(tmp_path)):
        pass  # released


def test_impossible_sizes_are_refused_before_anything_starts(tmp_path):
    datasets = [fake.dataset("large"), fake.dataset("small", counts=(10, 10, 8))]
    with pytest.raises(ValueError, match=r"'small' has 28 .* from 3 to 28"):
        run_study(datasets, tmp_path / "out", CONFIG_SMALL)
    assert not (tmp_path / "out").exists()


def test_impossible_sizes_may_be_skipped(tmp_path):
    datasets = [fake.dataset("large"), fake.dataset("small", counts=(10, 10, 8))]
    config = StudyConfig(sizes=(16, 32), bins=6, candidates=500, skip_impossible=True)
    table = run_study(datasets, tmp_path, config)
    assert set(zip(table["dataset"], table["n"], strict=True)) == {
        *(("large", 16), ("large", 32), ("small", 16)),
    }


def test_two_datasets_of_one_name_are_refused(tmp_path):
    with pytest.raises(ValueError, match="two datasets are called 'toy'"):
        run_study([fake.dataset(), fake.dataset(seed=2)], tmp_path / "out", CONFIG_SMALL)


def test_names_that_no_file_could_have_work(tmp_path):
    table = run_study([fake.dataset("tfds:a/b é*?"), fake.dataset("..")], tmp_path, CONFIG_SMALL)
    assert set(table["dataset"]) == {"tfds:a/b é*?", ".."}
    assert same_results(
        run_study([fake.dataset("tfds:a/b é*?"), fake.dataset("..")], tmp_path, CONFIG_SMALL), table
    )


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch):
    import os

    data = [fake.dataset()]
    whole = run_study(data, tmp_path / "whole", CONFIG_SMALL)
    real, calls = os.fsync, []

    def fsync(descriptor):
        calls.append(1)
        if len(calls) == 7:
            raise OSError(28, "No space left on device")
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(OSError, match="No space left"):
            run_study(data, tmp_path / "cut", CONFIG_SMALL)
    assert 0 < len(read_results(tmp_path / "cut")) < len(whole)
    assert same_results(run_study(data, tmp_path / "cut", CONFIG_SMALL), whole)
    assert not list((tmp_path / "cut").rglob("*.partial"))


def test_progress_tells_a_consistent_story(tmp_path):
    told = []
    run_study([fake.dataset()], tmp_path, CONFIG_SMALL, progress=told.append)
    rows = [t.rows for t in told]
    assert rows == sorted(rows)
    assert rows[-1] == told[-1].total
    shares = [t.share for t in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert told[0] == StudyProgress("designing", "toy")
    assert {t.stage for t in told} == {"designing", "features", "training", "written"}
    told.clear()
    run_study([fake.dataset()], tmp_path, CONFIG_SMALL, progress=told.append)
    assert {t.stage for t in told} == {"designing", "found"}


def test_the_share_done_counts_pixels(tmp_path):
    told = []
    datasets = [fake.dataset("a"), fake.dataset("b", shape=(8, 8))]
    table = run_study(datasets, tmp_path, CONFIG_SMALL, progress=told.append)
    work = (table["n"] * table["n_pixels"]).to_numpy()
    first = next(t for t in told if t.stage == "written")
    done = (table["dataset"] == "a") & (table["n"] == 16) & (table["subset"] < first.rows)
    assert first.share == pytest.approx(work[done].sum() / work.sum())


def test_the_similarity_is_measured_with_and_written_down(tmp_path):
    seen = []

    def measure(dataset, subsets, similarity):
        seen.append(similarity)
        return fake.measure(dataset, subsets)

    config = dataclasses.replace(CONFIG_SMALL, similarity="rmsd:10")
    run_study([fake.dataset()], tmp_path, config, measure=measure)
    assert set(seen) == {RMSD(10.0)}
    assert read_description(tmp_path)["decides"]["similarity"] == "rmsd:10"
    with pytest.raises(ValueError, match="similarity: rmsd:10 -> absent"):
        run_study([fake.dataset()], tmp_path, CONFIG_SMALL, measure=measure)


def test_parts_of_others_are_written_down_and_must_stay(tmp_path):
    run_study([fake.dataset()], tmp_path, CONFIG_SMALL)
    decides = read_description(tmp_path)["decides"]
    assert decides["train"].endswith("fake_parts.train")
    assert decides["measure"].endswith("fake_parts.measure")
    other = functools.partial(fake.train, width=3)
    with pytest.raises(ValueError, match=r"train: .*train -> .*train\(width=3\)"):
        run_study([fake.dataset()], tmp_path, CONFIG_SMALL, train=other)


@pytest.mark.parametrize(
    ("similarity", "dtype"),
    [("rmsd:10", np.uint8), ("gaussian:2", np.uint8), ("gaussian:2", np.float32)],
)
def test_features_are_those_of_the_similarity_whatever_the_type_of_pixels(
    tmp_path, dtype, similarity
):
    data = fake.dataset()
    if dtype == np.float32:
        train = Split(data.train_images / np.float32(255), data.train_labels)
        data = dataclasses.replace(data, train=train)
    config = StudyConfig(sizes=(16,), bins=6, candidates=500, similarity=similarity)
    table = run_study([data], tmp_path, config, measure=measure_subsets)
    block = plan_study([data], config, fake.block_size)[0]
    subset = block.subsets[0]
    images = data.train_images[subset] / (255.0 if dtype == np.uint8 else 1.0)
    measured = measure(
        images,
        data.train_labels[subset],
        q=np.array([0.0]),
        similarity=parse_similarity(similarity),
    )
    assert table["A_0"][0] == pytest.approx(float(measured.dataset_level["alpha"][0]), rel=1e-5)


def of_kind(kind):
    data = fake.dataset()
    rng = np.random.default_rng(0)
    elements = {
        "vectors": rng.normal(size=(len(data.train), 4)).astype("f4"),
        "texts": np.array([f"text {i % 7}" for i in range(len(data.train))]),
        "rows": pd.DataFrame({"x": rng.normal(size=len(data.train)), "c": data.train_labels}),
    }[kind]
    train = Split(elements, data.train_labels)
    return dataclasses.replace(data, train=train, test=train.take(np.arange(20)), kind=kind)


@pytest.mark.parametrize(
    ("kind", "similarity"),
    [("vectors", "laplacian:0.5median"), ("texts", "edit"), ("rows", "gower")],
)
def test_other_kinds_of_elements_need_another_train(tmp_path, kind, similarity):
    data = of_kind(kind)
    config = StudyConfig(sizes=(16,), bins=6, candidates=500, similarity=similarity)
    with pytest.raises(ValueError, match=f"toy holds {kind}, and the networks of lcrjax"):
        runner.run_study([data], tmp_path / "refused", config)
    assert not (tmp_path / "refused").exists()
    table = runner.run_study([data], tmp_path, config, train=fake.train)
    subset = plan_study([data], config, usual_block_size)[0].subsets[0]
    part = data.train.take(subset)
    alike = parse_similarity(similarity, data.train.elements)
    measured = measure(part.elements, part.labels, q=0.0, similarity=alike)
    assert table["A_0"][0] == pytest.approx(float(measured.dataset_level["alpha"][0]), rel=1e-5)


def test_a_similarity_of_another_kind_of_elements_is_refused(tmp_path):
    with pytest.raises(ValueError, match="'rmsd' compares images or vectors, no texts"):
        run_study([of_kind("texts")], tmp_path, StudyConfig(sizes=(16,)))


def test_more_measures_are_taken_in_the_end_and_kept(tmp_path):
    datasets = [fake.dataset("b"), fake.dataset("a", seed=1)]
    config = dataclasses.replace(CONFIG_SMALL, measures=("rmsd:10",))
    stages = []

    def stop(progress):
        stages.append((progress.stage, progress.dataset))
        if stages[-1] == ("measuring", "b"):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run_study(datasets, tmp_path / "s", config, progress=stop)
    table = run_study(datasets, tmp_path / "s", config)
    assert stages.index(("measuring", "a")) > max(
        i for i, (stage, _) in enumerate(stages) if stage == "written"
    )
    alone = run_study(datasets, tmp_path / "t", CONFIG_SMALL)
    expected = add_measures(tmp_path / "t", ["rmsd:10"], datasets)
    pd.testing.assert_frame_equal(
        table.drop(columns="seconds"), expected.drop(columns="seconds"), check_exact=True
    )
    # Who asks for none, or for more, goes on with the same study.
    told = []
    assert same_results(run_study(datasets, tmp_path / "s", CONFIG_SMALL), table)
    more = dataclasses.replace(config, measures=("cosine",))
    more = run_study(datasets, tmp_path / "s", more, progress=lambda p: told.append(p.stage))
    assert "training" not in told
    assert list(more.columns)[: len(table.columns)] == list(table.columns)
    assert more["A_0[cosine]"].notna().all()
    assert same_results(more[list(alone.columns)], alone)


@pytest.mark.parametrize(
    ("measures", "sentence"),
    [
        (("rmsd:-1",), "a number above 0"),
        (("file:z.npy",), "which has no subsets"),
        (("edit",), "compares texts"),
    ],
)
def test_measures_that_cannot_be_taken_are_refused_before_work(tmp_path, measures, sentence):
    with pytest.raises(ValueError, match=sentence):
        run_study([fake.dataset()], tmp_path / "s", StudyConfig(measures=measures))
    assert not (tmp_path / "s").exists()
