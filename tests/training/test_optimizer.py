"""The step size over the epochs of a model."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from lcrjax.training import FullConfig, TrainingConfig
from lcrjax.training.batches import Images
from tests.training.conftest import programs_of


def test_a_model_steps_as_far_as_its_epoch_says(digits, narrow):
    config = dataclasses.replace(
        narrow, optimizer="sgd", schedule="cosine", schedule_epochs=4, check_above=1.0
    )
    pixels = digits.train_images[:16, ..., None]
    images = Images(jnp.asarray(pixels), jnp.asarray(digits.train_labels[:16], jnp.int32))
    programs = programs_of(config)
    subset = jnp.arange(16, dtype=jnp.int32)[None]

    def change(epoch):
        """Take one step, for the subset is one batch."""
        model = programs.start(jnp.zeros(1, jnp.uint32))
        before = jax.tree.map(np.array, model.params)
        model = dataclasses.replace(model, epoch=jnp.full(1, epoch, jnp.int32))
        model = programs.advance(model, images, subset, jnp.int32(16), jnp.int32(1))
        assert model.epoch == epoch + 1
        return jax.tree.leaves(jax.tree.map(lambda a, b: np.asarray(a) - b, model.params, before))

    first = change(0)
    assert all(np.abs(a).max() > 0 for a in first)
    for epoch in (1, 3, 4, 30):
        share = 0.01 + 0.99 * (0.5 + 0.5 * np.cos(np.pi * min(epoch / 4, 1)))
        for a, b in zip(first, change(epoch), strict=True):
            np.testing.assert_allclose(b, share * a, atol=1e-6 + 1e-3 * np.abs(a).max())


def test_a_constant_schedule_is_not_written_down():
    plain = TrainingConfig(schedule_epochs=3).to_dict()
    assert not {"schedule", "schedule_epochs"} & set(plain)
    assert TrainingConfig(**plain) == TrainingConfig()
    assert FullConfig().to_dict()["training"] == FullConfig().training.to_dict()
    cosine = TrainingConfig(schedule="cosine", schedule_epochs=3)
    assert TrainingConfig(**cosine.to_dict()) == cosine
