import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import lcrjax
from lcrjax.similarity import precomputed

S = 7


@pytest.fixture
def z(rng):
    """Make an asymmetric similarity matrix."""
    matrix = rng.random((S, S))
    np.fill_diagonal(matrix, 1)
    return matrix


@pytest.fixture
def weights(rng):
    return rng.random((S, 2)).astype("f4")


def saved(z, kind, folder):
    path = folder / f"z.{kind.removesuffix('-header')}"
    if kind == "npy":
        np.save(path, z)
    else:
        header = [f"element {i}" for i in range(S)] if "header" in kind else False
        pd.DataFrame(z).to_csv(path, index=False, header=header)
    return path


@pytest.mark.parametrize("kind", ["array", "jax", "frame", "npy", "csv", "csv-header"])
@pytest.mark.parametrize("blocks", ["one", "many"])
def test_every_form_is_read_by_rows(kind, blocks, z, weights, tmp_path, monkeypatch):
    if blocks == "many":
        monkeypatch.setattr(precomputed, "_ROWS_AT_ONCE", 3 * S)
    matrix = {"array": lambda: z, "jax": lambda: jnp.asarray(z), "frame": lambda: pd.DataFrame(z)}
    given = matrix[kind]() if kind in matrix else saved(z, kind, tmp_path)
    found = lcrjax.Precomputed(given).ordinariness(None, weights)
    np.testing.assert_allclose(found, z @ weights, rtol=1e-6)
    assert found.dtype == jnp.float32
    as_text = lcrjax.Precomputed(str(given)) if kind in ("npy", "csv") else None
    if as_text is not None:
        np.testing.assert_array_equal(as_text.ordinariness(None, weights), found)
    whole = lcrjax.diversity(weights, lcrjax.Precomputed(given), q=1)
    again = lcrjax.diversity(weights, z, q=1)
    np.testing.assert_allclose(whole.class_level["alpha"], again.class_level["alpha"], rtol=1e-6)


def test_works_under_jit_and_grad(z, weights):
    def total(matrix):
        return jnp.sum(lcrjax.Precomputed(matrix).ordinariness(None, weights))

    slope = jax.jit(jax.grad(total))(jnp.asarray(z, jnp.float32))
    np.testing.assert_allclose(slope, np.broadcast_to(weights.sum(1), (S, S)), rtol=1e-6)
    similarity = lcrjax.Precomputed(z)
    found = jax.jit(lambda s: s.ordinariness(None, weights))(similarity)
    np.testing.assert_allclose(found, z @ weights, rtol=1e-6)


def test_knows_no_others(z, weights):
    with pytest.raises(ValueError, match="no others"):
        lcrjax.Precomputed(z).ordinariness(None, weights, others=np.ones((S, 2)))


@pytest.mark.parametrize("kind", ["npy", "csv", "csv-header"])
@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ((5, 2), -1.0, "elements 5 and 2 is -1"),
        ((5, 2), np.nan, "elements 5 and 2 is nan"),
        ((4, 4), 0.5, "element 4 to itself is 0.5"),
    ],
)
def test_bad_files_name_the_elements(
    kind, place, value, message, z, weights, tmp_path, monkeypatch
):
    monkeypatch.setattr(precomputed, "_ROWS_AT_ONCE", 3 * S)
    z[place] = value
    with pytest.raises(ValueError, match=message):
        lcrjax.Precomputed(saved(z, kind, tmp_path)).ordinariness(None, weights)


@pytest.mark.parametrize("kind", ["npy", "csv"])
@pytest.mark.parametrize("shape", [(S - 1, S), (S + 1, S), (S, S - 1), (S, S + 1), (S + 1, S + 1)])
def test_files_of_another_shape(kind, shape, weights, tmp_path, monkeypatch):
    monkeypatch.setattr(precomputed, "_ROWS_AT_ONCE", 3 * S)
    path = saved(np.eye(*shape), kind, tmp_path)
    with pytest.raises(ValueError, match="rows"):
        lcrjax.Precomputed(path).ordinariness(None, weights)


def test_files_that_are_none(tmp_path, weights):
    with pytest.raises(ValueError, match=r"no .npy, .csv or .npz file that exists"):
        lcrjax.Precomputed(tmp_path / "none.npy")
    (tmp_path / "z.txt").write_text("1")
    with pytest.raises(ValueError, match=r"no .npy, .csv or .npz"):
        lcrjax.Precomputed(tmp_path / "z.txt")
    for name, text in (("z.npy", "nonsense"), ("z.csv", "a,b\n1,x\n"), ("empty.csv", "")):
        (tmp_path / name).write_text(text)
        with pytest.raises(ValueError, match=name):
            lcrjax.Precomputed(tmp_path / name).ordinariness(None, weights)
    np.save(tmp_path / "flat.npy", np.ones(S))
    with pytest.raises(ValueError, match=r"flat.npy"):
        lcrjax.Precomputed(tmp_path / "flat.npy").ordinariness(None, weights)


def test_names_are_compared(z):
    names = list("abcdefg")
    frame = pd.DataFrame(z, index=names, columns=names)
    series = pd.Series(np.arange(1.0, S + 1), index=names)
    lcrjax.diversity(series, frame)
    for counts in (series[::-1], {"x": series[::-1]}):
        with pytest.raises(ValueError, match=r"row 0 of the similarity is 'a'.*'g'"):
            lcrjax.diversity(counts, frame)
    numbered = pd.DataFrame(z, index=range(S)[::-1], columns=range(S)[::-1])
    with pytest.raises(ValueError, match="row 0 of the similarity is 6"):
        lcrjax.diversity(pd.Series(np.ones(S)), numbered)
    with pytest.raises(ValueError, match="columns of the similarity are ordered unlike"):
        lcrjax.diversity(np.ones(S), frame[names[::-1]])
    with pytest.raises(ValueError, match=r"shape \(7, 7\), but there are 6 rows"):
        lcrjax.diversity(series[:-1], frame)


def test_named_counts_with_a_list_or_a_file(z, tmp_path):
    series = pd.Series(np.ones(S), index=list("abcdefg"))
    wanted = lcrjax.diversity(np.ones(S), z).dataset_level["gamma"]
    np.save(tmp_path / "z.npy", z)
    mapped = np.load(tmp_path / "z.npy", mmap_mode="r")
    for given in (z.tolist(), str(tmp_path / "z.npy"), mapped, z.astype(">f8"), z.astype(object)):
        found = lcrjax.diversity(series, given).dataset_level["gamma"]
        np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_mapped_arrays_are_read_in_blocks(z, weights, tmp_path, monkeypatch):
    monkeypatch.setattr(precomputed, "_ROWS_AT_ONCE", 3 * S)
    np.save(tmp_path / "z.npy", z)
    mapped = np.load(tmp_path / "z.npy", mmap_mode="r")
    blocks = list(precomputed._row_blocks(mapped, S))
    assert [len(block) for block in blocks] == [3, 3, 1]
    found = lcrjax.Precomputed(mapped).ordinariness(None, weights)
    np.testing.assert_allclose(found, z @ weights, rtol=1e-6)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.float64(1), r"shape \(\)"),
        (np.ones((2, 2, 2)), r"shape \(2, 2, 2\)"),
        (np.full((2, 2), "a"), "dtype <U1"),
        (np.eye(2) + 1j, "dtype complex128"),
    ],
)
def test_files_of_no_matrix(table, message, tmp_path):
    np.save(tmp_path / "z.npy", table)
    with pytest.raises(ValueError, match=message):
        lcrjax.Precomputed(tmp_path / "z.npy")


@pytest.mark.parametrize("head", ["\ufeff1,0.5\n", "0,1\n1,0.5\n", "\ufeffa,b\n1,0.5\n"])
def test_heads_of_csv_files(head, tmp_path):
    (tmp_path / "z.csv").write_text(head + "0.25,1\n", encoding="utf-8")
    found = lcrjax.Precomputed(tmp_path / "z.csv").ordinariness(None, np.eye(2))
    np.testing.assert_array_equal(found, [[1, 0.5], [0.25, 1]])


def test_a_letter_in_the_first_row(tmp_path):
    (tmp_path / "z.csv").write_text("1,x\n0.25,1\n")
    with pytest.raises(ValueError, match="no table of numbers"):
        lcrjax.Precomputed(tmp_path / "z.csv").ordinariness(None, np.eye(2))


def test_weights_must_fit(z, weights):
    with pytest.raises(ValueError, match=r"shape \(7, 7\), but there are 6 rows of weights"):
        lcrjax.Precomputed(z).ordinariness(None, weights[:-1])
