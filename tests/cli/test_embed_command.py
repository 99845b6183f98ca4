import numpy as np
import pytest

from lcrjax.data import load
from lcrjax.study.run.reference import train_reference
from lcrjax.training import FullConfig, TrainingConfig
from tests.study import fake_parts as fake


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    data = fake.write_npz(folder / "toy.npz", fake.dataset(counts=(14, 12), shape=(6, 5)))
    recipe = TrainingConfig(base_channels=16, max_epochs=1, batch_size=8)
    train_reference(load(data), folder / "m", FullConfig(recipe))
    return folder


def test_embeddings_are_written_and_measured(run, model):
    result = run("embed", model / "toy.npz", "--model", model / "m", "--out", "v.npz")
    assert result.exit_code == 0, result.output
    assert "Written: v.npz" in result.stderr
    with np.load("v.npz") as file:
        np.savez("plain.npz", images=file["train_embeddings"], labels=file["train_labels"])
    result = run("measure", "plain.npz", "--q", "1")
    assert result.exit_code == 0, result.output
    assert "Similarity: cosine of vectors" in result.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["toy.npz", "--model", "none"], "holds no model"),
        (["toy.npz", "--out", "v.txt"], "give a name that ends in .npz or .npy"),
        (["toy.npz", "--resize", "9"], "are 9 × 9 × 1, and the model in"),
        (["toy.npz", "--out", "no/v.npz"], "does not exist"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(run, model, words, sentence):
    given = ["--model", model / "m"] if "--model" not in words else []
    result = run("embed", model / words[0], *words[1:], *given)
    assert result.exit_code == 2, result.output
    assert sentence in result.stderr
    assert "Traceback" not in result.output
