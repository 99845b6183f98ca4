import dataclasses
import json

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from lcrjax import native
from lcrjax.data import Dataset, Split
from lcrjax.study.run import embedding
from lcrjax.study.run.embedding import embed_dataset
from lcrjax.study.run.reference import RESULT, read_reference, train_reference
from lcrjax.training import FullConfig, TrainingConfig
from lcrjax.training.batches import as_input
from tests.study import fake_parts as fake


@pytest.fixture(scope="module")
def data():
    return fake.dataset(counts=(14, 12), shape=(6, 5))


@pytest.fixture(scope="module", params=[0.0, 0.25], ids=["last", "best"])
def model(request, data, tmp_path_factory):
    """A model of one epoch, and the best of two by validation images."""
    folder = tmp_path_factory.mktemp("model") / "m"
    epochs = 2 if request.param else 1
    recipe = TrainingConfig(base_channels=16, max_epochs=epochs, batch_size=8)
    train_reference(data, folder, FullConfig(recipe, validation=request.param))
    return folder


def read(path):
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def test_the_last_layer_makes_logits_of_embeddings(model, data, tmp_path):
    shares = []
    (path,) = embed_dataset(data, model, tmp_path / "v.npz", progress=shares.append)
    found, r = read(path), read_reference(model)
    assert shares == [len(data.train) / (len(data.train) + 20), 1.0]
    for name, split in (("train", data.train), ("test", data.test)):
        pixels = as_input(jnp.asarray(split.elements[..., None]), "float32")
        ones = jnp.ones(len(split), jnp.float32)
        logits, _ = r.backend.forward(r.params, r.statistics, pixels, ones, training=False)
        ours = found[f"{name}_embeddings"]
        assert ours.dtype == np.float32
        assert ours.shape == (len(split), 128)
        made = ours @ np.asarray(r.params["weight"]) + np.asarray(r.params["bias"])
        np.testing.assert_allclose(made, logits, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(found[f"{name}_labels"], split.labels)
    assert found["class_names"].tolist() == list(data.class_names)
    with native.disabled():
        (path,) = embed_dataset(data, model, tmp_path / "xla.npz")
    theirs = read(path)["train_embeddings"]
    np.testing.assert_allclose(theirs, found["train_embeddings"], rtol=1e-3, atol=1e-4)


def test_what_was_cut_off_goes_on(model, data, tmp_path, monkeypatch):
    (whole,) = embed_dataset(data, model, tmp_path / "whole.npz")
    monkeypatch.setattr(embedding, "_OF_A_PART", 9)
    own, counts = embedding._embedded, []

    def counted(images, reference):
        counts.append(len(images))
        return own(images, reference)

    monkeypatch.setattr(embedding, "_embedded", counted)

    def stop(share):
        if len(counts) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed_dataset(data, model, tmp_path / "v.npz", progress=stop)
    assert not (tmp_path / "v.npz").exists()
    other = dataclasses.replace(data, train=data.train.take(np.arange(20)))
    with pytest.raises(ValueError, match="holds another embedding"):
        embed_dataset(other, model, tmp_path / "v.npz")
    (again,) = embed_dataset(data, model, tmp_path / "v.npz")
    assert counts == [9, 9, 8, 9, 9, 2]  # of 26 and 20 images
    found, wanted = read(again), read(whole)
    assert sorted(found) == sorted(wanted)
    for name in wanted:
        if name.endswith("embeddings"):
            np.testing.assert_allclose(found[name], wanted[name], rtol=1e-5, atol=1e-6)
        else:
            np.testing.assert_array_equal(found[name], wanted[name])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["v.npz", "whole.npz"]


def test_an_array_has_a_table_beside_it(model, data, tmp_path):
    names = np.array([f"{i}.png" for i in range(len(data.train))])
    train = Split(data.train.elements, data.train_labels, names)
    alone = Dataset("toy", train, None, data.class_names)
    array, table = embed_dataset(alone, model, tmp_path / "v.npy")
    frame = pd.read_csv(table)
    assert np.load(array).shape == (26, 128)
    assert frame["name"].tolist() == names.tolist()
    assert frame["label"].tolist() == [data.class_names[c] for c in data.train_labels]
    assert set(frame["split"]) == {"train"}
    (path,) = embed_dataset(alone, model, tmp_path / "v.npz")
    assert sorted(read(path)) == ["class_names", "embeddings", "labels", "names"]


def test_what_cannot_be_is_one_sentence(model, data, tmp_path):
    wide = fake.dataset(counts=(3, 3), shape=(7, 5))
    with pytest.raises(ValueError, match=r"7 × 5 × 1, and the model in .* on 6 × 5 × 1 \(height"):
        embed_dataset(wide, model, tmp_path / "v.npz")
    with pytest.raises(ValueError, match=r"give a name that ends in \.npz or \.npy"):
        embed_dataset(data, model, tmp_path / "v.txt")
    with pytest.raises(ValueError, match="holds no model"):
        embed_dataset(data, tmp_path, tmp_path / "v.npz")
    summary = (model / RESULT).read_text()
    try:
        (model / RESULT).write_text(json.dumps({"failure": "NaN"}))
        with pytest.raises(ValueError, match="failed"):
            embed_dataset(data, model, tmp_path / "v.npz")
        (model / RESULT).unlink()
        with pytest.raises(ValueError, match="is not over"):
            embed_dataset(data, model, tmp_path / "v.npz")
    finally:
        (model / RESULT).write_text(summary)
    assert list(tmp_path.iterdir()) == []
