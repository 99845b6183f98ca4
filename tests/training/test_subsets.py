import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from lcrjax.training import Progress, TrainingConfig, block_size, train_subsets
from lcrjax.training.batches import Images
from lcrjax.training.metrics import score
from lcrjax.training.networks.resnet18 import choose_execution
from lcrjax.training.programs import make_programs
from tests.training.conftest import programs_of
from tests.training.small_networks import PLAIN

COLUMNS = ["acc", "bacc", "auc", "auc_micro", "epochs", "train_accuracy", "converged", "failure"]


def draw(dataset, *sizes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.permutation(len(dataset.train_labels))[:n] for n in sizes]


def same(a, b):
    pd.testing.assert_frame_equal(a.drop(columns="seconds"), b.drop(columns="seconds"))


def test_sizes_of_all_kinds_and_the_same_bits_twice(digits, narrow):
    subsets = draw(digits, 64, 33, 64, 17, 100)
    events = []
    table = train_subsets(digits, subsets, range(5), narrow, progress=events.append)
    assert list(table.columns) == [*COLUMNS, "seconds"]
    assert table["converged"].all()
    assert table["failure"].isna().all()
    assert (table["train_accuracy"] >= 0.99).all()
    assert (table["acc"] > 0.25).all()
    assert (table["seconds"] > 0).all()
    same(table, train_subsets(digits, subsets, range(5), narrow))
    # Neighbours, their number and their order do not matter.
    turned = train_subsets(digits, subsets[3:1:-1], [3, 2], narrow)
    same(turned, table.iloc[[3, 2]].reset_index(drop=True))
    assert all(isinstance(event, Progress) for event in events)
    assert events[-1].finished == events[-1].total == 5
    assert events[-1].active == 0
    assert events[-1].images == sum(
        len(s) * e for s, e in zip(subsets, table["epochs"], strict=True)
    )
    assert programs_of(narrow).advance._cache_size() == 1
    assert programs_of(narrow).predict._cache_size() == 1


#: Sums of a different order differ in rounding, which chaos amplifies over many epochs.
TOGETHER = TrainingConfig(
    learning_rate=1e-2, batch_size=16, models_at_once=4, target_accuracy=0.6, check_above=0.3
)


@pytest.fixture(scope="module")
def among(digits):
    return train_subsets(
        digits, draw(digits, 48, 48, 48, 48, 48), range(5), TOGETHER, network=PLAIN
    )


def test_alone_and_among_others_agree(digits, among):
    subsets = draw(digits, 48, 48, 48, 48, 48)
    assert among["converged"].all()
    assert among["epochs"].nunique() > 1
    for i in (0, 3):
        alone = train_subsets(digits, [subsets[i]], [i], TOGETHER, network=PLAIN)
        assert alone["epochs"][0] == among["epochs"][i]
        np.testing.assert_allclose(
            alone.loc[0, COLUMNS[:4]].astype(float),
            among.loc[i, COLUMNS[:4]].astype(float),
            atol=0.01,
        )
    # Four slots, then one: never one program per subset.
    assert programs_of(TOGETHER, PLAIN, 4).advance._cache_size() == 2


def test_nan_stays_with_its_model(digits, among):
    poisoned = 3
    weights_key, _ = jax.random.split(jax.random.key(poisoned))

    def poison(key, shape, n_classes):
        params, statistics = PLAIN.init(key, shape, n_classes)
        bad = (jax.random.key_data(key) == jax.random.key_data(weights_key)).all()
        return jax.tree.map(lambda p: jnp.where(bad, jnp.nan, p), params), statistics

    table = train_subsets(
        digits,
        draw(digits, 48, 48, 48, 48, 48),
        range(5),
        TOGETHER,
        network=dataclasses.replace(PLAIN, init=poison),
    )
    assert "NaN" in table.loc[poisoned, "failure"]
    assert not table.loc[poisoned, "converged"]
    assert np.isnan(table.loc[poisoned, ["acc", "bacc", "auc"]].astype(float)).all()
    same(table.drop(index=poisoned), among.drop(index=poisoned))


def test_memorises_64_images_whose_labels_mean_nothing(digits, narrow):
    labels = np.random.default_rng(5).permutation(digits.train_labels)
    shuffled = dataclasses.replace(digits, train_labels=labels)
    row = train_subsets(shuffled, draw(digits, 64), [0], narrow).iloc[0]
    assert row["converged"]
    assert row["train_accuracy"] >= 0.99
    assert row["acc"] < 0.3  # there was nothing to learn


def test_a_thousand_epochs_without_meeting_the_target_are_a_valid_row(digits, narrow):
    scaled = dataclasses.replace(
        digits,
        train_images=digits.train_images.astype(np.float64) / 255,
        test_images=digits.test_images.astype(np.float64) / 255,
    )
    hopeless = dataclasses.replace(narrow, learning_rate=1e-8, max_epochs=1000)
    table = train_subsets(scaled, draw(digits, 14), [0], hopeless)
    row = table.iloc[0]
    assert row["epochs"] == 1000
    assert not row["converged"]
    assert row["failure"] is None
    assert 0 <= row["train_accuracy"] < 0.99
    assert 0 <= row["bacc"] <= 1


def test_evaluation_of_many_images_takes_little_memory():
    config = TrainingConfig(base_channels=8, settling_batch=64)
    programs = make_programs(choose_execution(config, 3), (28, 28, 1), 10, config)
    n, models = 20_000, 3
    like = jax.eval_shape(programs.start, jax.ShapeDtypeStruct((models,), jnp.uint32))
    images = Images(
        jax.ShapeDtypeStruct((n, 28, 28, 1), jnp.uint8), jax.ShapeDtypeStruct((n,), jnp.int32)
    )
    program = programs.predict.lower(like, jnp.int32(0), images).compile()
    needed = program.memory_analysis().temp_size_in_bytes
    predictions = n * 10 * 4
    first_layer = 28 * 28 * 8 * 4
    # A settling batch's activations and one model's predictions: all images as floats (63 MB)
    # would not fit.
    assert needed < 10 * 64 * first_layer + 4 * predictions < 25e6


def test_a_class_of_one_image(digits, narrow):
    labels = digits.train_labels
    ones = np.flatnonzero(labels == 1)[:30]
    twos = np.flatnonzero(labels == 2)[:1]
    others = np.flatnonzero(labels == 7)[:34]
    table = train_subsets(digits, [np.concatenate([ones, twos, others])], [0], narrow)
    assert table["failure"].isna().all()
    assert table["train_accuracy"][0] > 0.9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"subsets": [np.arange(5)]}, "fewer than the 10 classes"),
        ({"subsets": [np.arange(20) + 10**6]}, "there are 1497 training images"),
        ({"subsets": [np.arange(20) - 1]}, "from -1"),
        ({"subsets": [np.zeros(20, int)]}, "more than once"),
        ({"subsets": [np.arange(20.0)]}, "integer indices"),
        ({"seeds": [1, 2]}, "one per subset"),
        ({"seeds": [-1]}, "between 0 and"),
        ({"train_labels": np.full(1497, 10)}, "between 0 and 9"),
        ({"train_labels": np.zeros(3, int)}, "1497 training images but 3 labels"),
        ({"test_labels": np.zeros(300)}, "vector of integers"),
        ({"train_images": np.full((1497, 8, 8), 3.0)}, r"range from 3 to 3"),
        ({"train_images": np.full((1497, 8, 8), np.nan)}, "NaN or infinite"),
        ({"train_images": np.zeros((1497, 64), np.uint8)}, r"\(n, h, w\)"),
        ({"train_images": np.zeros((1497, 9, 8), np.uint8)}, "test images"),
        ({"n_classes": 1}, "two classes"),
    ],
)
def test_bad_input_is_told_before_any_work(digits, change, message):
    arguments = {"subsets": [np.arange(20)], "seeds": [0]}
    arguments.update({k: v for k, v in change.items() if k in arguments})
    dataset = dataclasses.replace(digits, **{k: v for k, v in change.items() if k not in arguments})
    with pytest.raises(ValueError, match=message):
        train_subsets(dataset, arguments["subsets"], arguments["seeds"])


def test_one_class_only_is_told(digits):
    with pytest.raises(ValueError, match="one class only"):
        train_subsets(digits, [np.flatnonzero(digits.train_labels == 3)[:20]], [0])


def test_no_subsets_make_an_empty_table(digits, narrow):
    table = train_subsets(digits, [], [], narrow)
    assert list(table.columns) == [*COLUMNS, "seconds"]
    assert len(table) == 0


def test_block_size(digits):
    config = TrainingConfig()
    sizes = [block_size(digits, n, config) for n in (64, 512, 2048)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] >= 1
    assert block_size(digits, 64, dataclasses.replace(config, models_at_once=8)) >= 8
    with pytest.raises(ValueError, match="at least one"):
        block_size(digits, 0, config)


@pytest.mark.parametrize(
    "change",
    [
        {"optimizer": "rmsprop"},
        {"precision": "float8"},
        {"learning_rate": 0.0},
        {"schedule": "linear"},
        {"schedule_epochs": 0},
        {"batch_size": 2},
        {"target_accuracy": 1.5},
        {"max_epochs": 0},
        {"beyond": -1},
        {"models_at_once": 0},
    ],
)
def test_bad_recipes_are_told(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        TrainingConfig(**change)


#: Scored three times: where it stops, seven epochs later, and where its running accuracy is enough.
LATER = dataclasses.replace(TOGETHER, beyond=7)


def test_one_training_gives_the_scores_of_a_longer_one_too(digits, among):
    subsets = draw(digits, 48, 48, 48, 48, 48)
    table = train_subsets(digits, subsets, range(5), LATER, network=PLAIN)
    same(table[[*COLUMNS, "seconds"]], among)
    assert (table["epochs_beyond"] == table["epochs"] + 7).all()
    assert (table["epochs_running"] != table["epochs"]).any()
    assert list(table.columns) == [
        *(*COLUMNS, "seconds"),
        *(f"{name}_{when}" for when in ("beyond", "running") for name in COLUMNS[:6]),
    ]
    # A model that nothing stops, looked at after so many epochs.
    free = dataclasses.replace(TOGETHER, target_accuracy=1.0, check_above=0.0)
    programs = programs_of(free, PLAIN)
    train, test = (
        Images(jnp.asarray(pixels[..., None]), jnp.asarray(labels, jnp.int32))
        for pixels, labels in (
            (digits.train_images, digits.train_labels),
            (digits.test_images, digits.test_labels),
        )
    )
    for i, when in ((0, "beyond"), (0, "running"), (3, "beyond"), (3, "running")):
        row = table.loc[i]
        model = programs.start(jnp.asarray([i], jnp.uint32))
        subset = jnp.asarray(subsets[i][None], jnp.int32)
        for _ in range(int(row[f"epochs_{when}"])):
            model = dataclasses.replace(model, accuracy=jnp.full(1, jnp.nan, jnp.float32))
            met = float(model.running[0]) >= LATER.target_accuracy
            assert when == "beyond" or not met  # the first epoch of its kind
            model = programs.advance(model, train, subset, jnp.int32(48), jnp.int32(1))
        probabilities = programs.predict(model, jnp.int32(0), test)
        scores = score(probabilities, digits.test_labels)
        found = [*scores, float(model.accuracy[0])]
        names = [f"{name}_{when}" for name in (*scores._fields, "train_accuracy")]
        np.testing.assert_allclose(found, row[names].astype(float), atol=0.01)
        if when == "running":
            assert float(model.running[0]) >= LATER.target_accuracy
    # Four slots, then one.
    assert programs_of(LATER, PLAIN, 4).advance._cache_size() == 2


def test_a_loss_that_fails_beyond_the_stop_leaves_the_scores_before_it(digits):
    def poison(params, statistics, images, weights, training):
        logits, statistics = PLAIN.apply(params, statistics, images, weights, training)
        sure = jnp.abs(logits).max() > 12  # logits grow with every epoch
        return jnp.where(training & sure, jnp.nan, logits), statistics

    network = dataclasses.replace(PLAIN, apply=poison)
    few = dataclasses.replace(LATER, beyond=400, models_at_once=1)
    row = train_subsets(digits, draw(digits, 48), [0], few, network=network).iloc[0]
    assert row["failure"] is None
    assert row["converged"]
    assert row["bacc"] > 0.2
    assert np.isnan(row["bacc_beyond"])
    assert np.isnan(row["epochs_beyond"])
