import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from lcrjax.training import FullConfig, FullProgress, TrainingConfig, resnet18, train_full
from lcrjax.training.batches import Images, as_input
from lcrjax.training.checkpoints import BEST, LAST, Checkpoints
from lcrjax.training.full import check_full, prepare
from lcrjax.training.full_result import CURVE
from lcrjax.training.networks.protocol import choose_backend
from lcrjax.training.programs import make_full_programs

# 97 images in batches of 16 are cut into 7 of 13 or 14.
TRAIN, TEST = 97, 60
RECIPE = TrainingConfig(
    base_channels=16,
    learning_rate=1e-2,
    batch_size=16,
    settling_batch=32,
    max_epochs=4,
    target_accuracy=1.0,
)
CONFIG = FullConfig(RECIPE)
WITH_VALIDATION = FullConfig(RECIPE, validation=0.2)


@pytest.fixture(scope="module")
def few(digits):
    return dataclasses.replace(
        digits,
        train_images=digits.train_images[:TRAIN],
        train_labels=digits.train_labels[:TRAIN],
        test_images=digits.test_images[:TEST],
        test_labels=digits.test_labels[:TEST],
    )


@pytest.fixture(scope="module")
def programs():
    backend = choose_backend(resnet18, RECIPE, 1)
    return make_full_programs(backend, (8, 8, 1), 10, RECIPE, "cosine")


def train(dataset, config=CONFIG, **options):
    """Two steps a call, so that there is something to cut in an epoch; a sample of 40 images."""
    checkpoints, progress = options.pop("checkpoints", None), options.pop("progress", None)
    work = prepare(dataset, config, checkpoints=checkpoints, progress=progress, sample=40)
    return dataclasses.replace(work, images_per_call=32, **options).result()


@pytest.fixture(scope="module")
def whole(few):
    return train(few)


class CutError(Exception):
    """The end of a process, as far as training can tell."""


def same(a, b):
    assert a.scores == b.scores
    assert (a.epoch, a.epochs, a.failure) == (b.epoch, b.epochs, b.failure)
    pd.testing.assert_frame_equal(
        a.curve.drop(columns="seconds"), b.curve.drop(columns="seconds"), check_exact=True
    )


def test_learns_and_follows_itself(few, whole):
    curve = whole.curve
    assert tuple(curve.columns) == CURVE
    assert curve["epoch"].tolist() == [1, 2, 3, 4] == list(range(1, whole.epochs + 1))
    assert curve["loss"].iloc[-1] < 0.9 * curve["loss"].iloc[0]
    assert curve["sample_accuracy"].iloc[-1] > 0.3
    assert whole.scores["bacc"] > 0.15
    assert whole.scores["bacc"] == curve["test_bacc"].iloc[-1]
    assert curve.filter(like="validation").isna().all(axis=None)
    assert whole.epoch == whole.epochs
    assert not whole.converged
    assert whole.failure is None
    assert whole.seconds == pytest.approx(curve["seconds"].sum())


def test_the_same_bits_twice_by_one_program_each(few, whole, programs):
    events = []
    same(whole, train(few, progress=events.append))
    assert all(isinstance(event, FullProgress) for event in events)
    assert sum(event.fresh for event in events) == 4
    assert [e.images for e in events if e.epoch == 2 and not e.fresh] == [27, 55, 83]
    assert programs.advance._cache_size() == 1
    assert programs.close._cache_size() == 1
    assert programs.classify._cache_size() == 1


@pytest.mark.parametrize("calls", [1, 2, 5, 14])
def test_cut_anywhere_without_warning_it_ends_with_the_same_bits(
    few, whole, programs, tmp_path, calls
):
    """As SIGKILL would: nothing is done when it strikes, and what was saved is what there is."""
    left = calls

    def advance(*arguments):
        nonlocal left
        left -= 1
        if left < 0:
            raise CutError
        return programs.advance(*arguments)

    def go_on(seconds_between_saves):
        return train(
            few,
            checkpoints=Checkpoints(tmp_path),
            programs=programs._replace(advance=advance),
            seconds_between_saves=seconds_between_saves,
        )

    with pytest.raises(CutError):
        go_on(0.0 if calls % 2 else 1e9)
    (tmp_path / LAST / "999.orbax-checkpoint-tmp-1").mkdir(parents=True)  # a write cut off
    left = 10**6
    same(whole, go_on(1e9))
    assert [p.name for p in (tmp_path / LAST).iterdir()] == ["28"]
    # All 28 steps were trained once; again only what no checkpoint had.
    again = 10**6 - left
    assert again == (16 - calls if calls % 2 else 16 - 4 * (calls // 4))
    left = 0
    same(whole, go_on(1e9))


def test_an_interrupt_loses_nothing(few, whole, tmp_path):
    events = []

    def interrupt(progress):
        events.append(progress)
        if len(events) == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(few, checkpoints=Checkpoints(tmp_path), progress=interrupt)
    last = events[-1]
    assert 0 < last.images < TRAIN
    same(whole, train(few, checkpoints=Checkpoints(tmp_path), progress=events.append))
    assert (events[7].epoch, events[7].images) == (last.epoch, last.images)


def test_the_best_epoch_is_chosen_by_validation_images_and_kept(few, programs, tmp_path):
    checkpoints = Checkpoints(tmp_path)
    result = train(few, WITH_VALIDATION, checkpoints=checkpoints)
    curve = result.curve.set_index("epoch")
    assert result.epoch == curve["validation_bacc"].idxmax()
    assert result.scores["acc"] == curve.loc[result.epoch, "test_acc"]
    assert [p.name for p in (tmp_path / BEST).iterdir()] == [str(result.epoch)]

    # What is kept is that model: it scores the same by another way.
    _, test, trained_on, held_out = check_full(few, WITH_VALIDATION)
    assert sorted([*trained_on, *held_out]) == list(range(TRAIN))
    assert len(np.unique(few.train_labels[held_out])) == 10
    abstract = jax.eval_shape(programs.start, jax.ShapeDtypeStruct((), jnp.uint32)).model
    (params, statistics), notes = checkpoints.restore(BEST, (abstract.params, abstract.statistics))
    assert notes["epoch"] == result.epoch
    pixels, ones = as_input(jnp.asarray(test.pixels), "float32"), jnp.ones(TEST)
    run = jax.jit(resnet18.apply, static_argnums=4)
    logits = np.asarray(run(params, statistics, pixels, ones, False)[0])
    assert balanced_accuracy_score(few.test_labels, logits.argmax(1)) == pytest.approx(
        result.scores["bacc"], abs=1e-6
    )
    odds = np.exp(logits.astype(np.float64))
    auc = roc_auc_score(few.test_labels, odds / odds.sum(1, keepdims=True), multi_class="ovr")
    assert auc == pytest.approx(result.scores["auc"], abs=1e-4)


def test_stops_at_the_target_counted_over_all_images(few, programs):
    easy = FullConfig(dataclasses.replace(RECIPE, target_accuracy=0.2))
    result = train(few, easy, programs=programs)
    assert result.converged
    assert result.epochs < 4
    assert result.train_accuracy >= 0.2
    assert (result.curve["train_accuracy"].iloc[:-1].fillna(0) < 0.2).all()


def test_a_loss_that_is_no_number_ends_training_and_is_told(few, programs, tmp_path):
    def start(seed):
        epoch = programs.start(seed)
        params = jax.tree.map(lambda p: p * jnp.nan, epoch.model.params)
        return dataclasses.replace(epoch, model=dataclasses.replace(epoch.model, params=params))

    poisoned = programs._replace(start=start)
    for _ in range(2):  # the second finds it so
        result = train(few, checkpoints=Checkpoints(tmp_path), programs=poisoned)
        assert result.failure == "the loss became NaN or infinite in epoch 1"
        assert not result.converged
        assert np.isnan(list(result.scores.values())).all()


def test_the_step_size_falls_along_half_a_cosine(few, programs):
    images = Images(
        jnp.asarray(few.train_images[..., None]), jnp.asarray(few.train_labels, jnp.int32)
    )

    order = jnp.arange(TRAIN, dtype=jnp.int32)

    def change(done):
        state = programs.start(jnp.uint32(1))
        before = jax.tree.map(np.array, state.model.params)
        state = dataclasses.replace(
            state, model=dataclasses.replace(state.model, epoch=jnp.int32(done))
        )
        state = jax.device_put(state, jax.devices()[0])
        state = programs.advance(state, images, order, jnp.int32(TRAIN), jnp.int32(1))
        return jax.tree.map(lambda a, b: np.asarray(a) - b, state.model.params, before)

    first = change(0)
    for epoch, share in ((1, 0.5 + 0.5 * np.cos(np.pi / 4)), (2, 0.5), (4, 0.0)):
        jax.tree.map(
            lambda a, b, s=share: np.testing.assert_allclose(a, s * b, atol=2e-6),
            change(epoch),
            first,
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schedule": "linear"}, "schedule"),
        ({"training": TrainingConfig(schedule="cosine")}, "that of FullConfig"),
        ({"training": TrainingConfig(beyond=30)}, "training.beyond is 30"),
        ({"validation": 1.0}, "validation"),
        ({"seed": -1}, "seed"),
    ],
)
def test_bad_choices_are_told(change, message):
    with pytest.raises(ValueError, match=message):
        FullConfig(**change)


def test_a_class_too_small_to_validate_is_told(few):
    labels = few.train_labels.copy()
    labels[labels == 3] = 4
    labels[0] = 3
    with pytest.raises(ValueError, match="class '3' has one element only"):
        train_full(dataclasses.replace(few, train_labels=labels), WITH_VALIDATION)
