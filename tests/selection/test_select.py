"""Choosing elements: against brute force, its laws, and its refusals."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lcrjax
from lcrjax.pairwise.columns import Columns
from lcrjax.selection import select
from lcrjax.selection.objectives import facility_location
from lcrjax.selection.objectives.k_centre import KCentre
from lcrjax.selection.objectives.most_diverse_set import Alpha, Gamma
from lcrjax.selection.objectives.words import as_objective
from lcrjax.similarity import Gower

N, D = 24, 3
OBJECTIVES = ("herding", "facility-location", "coverage", "coverage:0.5", "k-centre", "A_0", "A_1",
              "A_inf", "G_1", "G_2", "A_1:0.2", "random")  # fmt: skip


def vectors(seed=0, n=N):
    return np.random.default_rng(seed).normal(size=(n, D)).astype(np.float32)


def kernel(x):
    """Z in float64, by its definition."""
    x = np.asarray(x, np.float64)
    return np.exp(-np.sqrt(((x[:, None] - x[None, :]) ** 2).sum(-1)))


def worth(name, z, chosen):
    """The objective of some elements, by its definition."""
    u = np.full(len(z), 1 / len(z))
    own, zp = z[np.ix_(chosen, chosen)], z[:, chosen].mean(axis=1)
    kind, _, number = name.partition(":")
    if kind == "herding":
        p = np.zeros(len(z))
        p[chosen] = 1 / len(chosen)
        return -(p - u) @ z @ (p - u)
    if kind == "facility-location":
        return u @ z[:, chosen].max(axis=1)
    if kind == "k-centre":
        return z[:, chosen].max(axis=1).min()
    if kind == "coverage":
        q = float(number or 1)
        return u @ np.log(zp) if q == 1 else np.log(u @ zp ** (q - 1)) / (q - 1)
    q, ordinariness = float(kind[2:]), own.mean(axis=1)
    if q == np.inf:
        return 1 / ordinariness.max()
    if q == 1:
        return np.exp(-np.log(ordinariness).mean())
    return (ordinariness ** (q - 1)).mean() ** (1 / (1 - q))


@pytest.mark.parametrize("objective", [o for o in OBJECTIVES if o != "random"])
def test_values_are_the_objective_of_each_prefix(objective):
    x = vectors()
    found = select(x, 6, similarity="laplacian:1", objective=objective)
    assert len(set(found.indices.tolist())) == 6
    expected = [worth(objective, kernel(x), found.indices[: k + 1]) for k in range(6)]
    np.testing.assert_allclose(found.values, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("objective", ["herding", "facility-location", "coverage", "A_0", "G_1"])
def test_choices_are_near_the_best_of_all(objective):
    """What greedy choice promises for submodular functions; and more than most sets reach."""
    x = vectors(1, 12)
    found = select(x, 4, similarity="laplacian:1", objective=objective)
    sets = itertools.combinations(range(12), 4)
    worths = np.sort([worth(objective, kernel(x), np.array(s)) for s in sets])
    assert found.values[-1] >= worths[int(0.97 * len(worths))] - 1e-6


@pytest.mark.parametrize(
    "objective", ["facility-location", "coverage", "coverage:0.5", "coverage:2"]
)
def test_lazy_choice_is_that_of_all_gains(objective):
    """Each choice is the best of all that there are then, as tried one by one."""
    x, chosen = vectors(2, 60), []
    z = kernel(x)
    found = select(x, 8, similarity="laplacian:1", objective=objective).indices.tolist()
    for k, i in enumerate(found):
        tried = {
            j: worth(objective, z, np.array([*chosen, j])) for j in set(range(60)) - set(chosen)
        }
        if k or objective == "facility-location":  # coverage begins with the most ordinary
            assert tried[i] >= max(tried.values()) - 1e-6
        chosen.append(i)


def test_stochastic_greedy_looks_at_a_part_and_loses_little(monkeypatch):
    x, looked = vectors(n=120), []
    refine = facility_location._Facilities.refine
    monkeypatch.setattr(facility_location, "_PAIRS_OF_EACH", 0)  # gains are never all exact
    monkeypatch.setattr(
        facility_location._Facilities,
        "refine",
        lambda self, some, soon: (looked.append(set(soon.tolist())), refine(self, some, soon)),
    )

    def chosen(epsilon, seed=0):
        looked.clear()
        word = f"facility-location:{epsilon:g}"
        return select(x, 10, similarity="laplacian:1", objective=word, seed=seed)

    exact = chosen(0)
    best, all_of_them = exact.values[-1], set().union(*looked)
    assert len(all_of_them) > 60
    values = [chosen(0.5, seed).values[-1] for seed in range(20)]
    assert 0.9 * best < np.mean(values) < best
    assert len(set(values)) > 10
    assert len(set().union(*looked)) <= 9 * np.ceil(120 / 10 * np.log(2))
    assert chosen(0.5, 3).indices.tolist() == chosen(0.5, 3).indices.tolist()
    assert chosen(1e-6).indices.tolist() == exact.indices.tolist()  # looks at all


def test_no_exchange_of_one_for_another_makes_herding_better():
    x = vectors(3, 40)
    z, chosen = kernel(x), select(x, 7, similarity="laplacian:1", objective="herding").indices
    best = worth("herding", z, chosen)
    for place, new in itertools.product(range(7), set(range(40)) - set(chosen.tolist())):
        other = chosen.copy()
        other[place] = new
        assert worth("herding", z, other) <= best + 1e-6


@given(st.integers(0, 10_000), st.sampled_from(OBJECTIVES))
@settings(max_examples=20)
def test_choice_does_not_depend_on_the_order_of_the_pool(seed, objective):
    if objective == "random":
        return
    x = vectors(seed)
    order = np.random.default_rng(seed).permutation(N)
    first = select(x, 5, similarity="laplacian:1", objective=objective)
    second = select(x[order], 5, similarity="laplacian:1", objective=objective)
    np.testing.assert_allclose(first.values, second.values, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("balance", ["balanced", "proportional", [4, 2, 0]])
def test_classes_have_their_shares_and_each_prefix_is_balanced(objective, balance):
    labels = np.array(["a"] * 12 + ["b"] * 6 + ["c"] * 6)
    found = select(
        vectors(), 6, labels, similarity="laplacian:1", objective=objective, balance=balance
    )
    expected = {"balanced": [2, 2, 2], "proportional": [3, 2, 1]}.get(str(balance), balance)
    assert found.counts.tolist() == expected
    if balance == "balanced":
        assert sorted(labels[found.indices[:3]]) == ["a", "b", "c"]


def test_classes_are_chosen_from_apart():
    labels = np.repeat(["a", "b"], N // 2)
    found = select(vectors(), 6, labels, similarity="laplacian:1")
    for name in ("a", "b"):
        (own,) = np.nonzero(labels == name)
        alone = select(vectors()[own], 3, similarity="laplacian:1")
        assert sorted(own[alone.indices]) == sorted(found.indices[labels[found.indices] == name])


def test_free_balance_takes_whatever_comes():
    x = vectors()
    labels = np.repeat(["a", "b"], N // 2)
    free = select(x, 5, labels, similarity="laplacian:1", balance="free")
    np.testing.assert_array_equal(free.indices, select(x, 5, similarity="laplacian:1").indices)
    assert free.counts.sum() == 5


def test_what_is_given_counts_and_is_not_chosen_again():
    x = vectors(4)
    z = kernel(x)
    found = select(x[6:], 3, similarity="laplacian:1", objective="facility-location", given=x[:6])
    together = [*range(6), *(found.indices + 6)]
    assert found.values[-1] == pytest.approx(worth("facility-location", z, together), abs=1e-5)
    tried = [worth("facility-location", z, [*range(6), j]) for j in range(6, N)]
    assert found.indices[0] == int(np.argmax(tried))


def test_what_is_given_fills_classes_up():
    labels = np.repeat(["a", "b"], 10)
    x = vectors(5, 20)
    found = select(x, 6, labels, similarity="laplacian:1", given=(x[:4], ["a"] * 4))
    assert found.counts.tolist() == [1, 5]


def test_diversities_of_pool_and_selection():
    x, labels = vectors(6), np.repeat(["a", "b"], N // 2)
    found = select(x, 6, labels, similarity=lcrjax.Laplacian(1.0))
    before = lcrjax.measure(x, labels, similarity=lcrjax.Laplacian(1.0))
    index = found.indices
    after = lcrjax.measure(x[index], labels[index], similarity=lcrjax.Laplacian(1.0))
    np.testing.assert_allclose(found.before.dataset_level["alpha"], before.dataset_level["alpha"])
    np.testing.assert_allclose(found.after.dataset_level["alpha"], after.dataset_level["alpha"])
    assert "Selection of 6" in repr(found)


@pytest.mark.parametrize("give", [lambda z: z, lambda z: lcrjax.Precomputed(z)])
def test_matrices_texts_and_products(give):
    x = vectors(7)
    of_matrix = select(np.arange(N), 5, similarity=give(kernel(x)))
    np.testing.assert_array_equal(of_matrix.indices, select(x, 5, similarity="laplacian:1").indices)
    assert of_matrix.after.dataset_level["gamma"].shape == (3,)
    texts = ["abc", "abd", "xyz", "xyw", "abe"]
    assert {int(i) > 1 and int(i) < 4 for i in select(texts, 2).indices} == {True, False}


def test_images_are_compared_at_a_scale_that_tells_them_apart():
    images = np.random.default_rng(8).integers(0, 256, (20, 4, 4), np.uint8)
    found = select(images, 5)
    assert found.similarity == lcrjax.RMSD(10.0)
    same = select(images / np.float32(255), 5)
    np.testing.assert_array_equal(found.indices, same.indices)


def test_columns_are_those_of_the_matrix():
    x = vectors(9, 70)
    pool = Columns(lcrjax.Laplacian(1.0), x)
    index = np.array([3, 69, 0])
    np.testing.assert_allclose(pool.columns(index), kernel(x)[index], atol=1e-5)
    np.testing.assert_allclose(
        pool.part(np.arange(5, 30)).columns(np.array([2])), kernel(x)[[7], 5:30], atol=1e-5
    )


class TestRefusals:
    labels = np.repeat(["cat", "dog"], N // 2)

    def refused(self, said, *args, **options):
        options.setdefault("similarity", "laplacian:1")
        with pytest.raises(ValueError, match=said):
            select(*args, **options)

    @pytest.mark.parametrize("size", [0, N + 1, True])
    def test_sizes(self, size):
        self.refused(f"the size is {size!r}: give a whole number from 1 to 24", vectors(), size)

    def test_classes_that_are_too_small_are_named(self):
        labels = np.array(["cat"] * 22 + ["dog"] * 2)
        self.refused(
            "class 'dog' has 2 elements to choose from, and 3 are wanted", vectors(), 6, labels
        )

    def test_unknown_words(self):
        self.refused(
            "no objective 'hearding': did you mean 'herding'", vectors(), 3, objective="hearding"
        )
        self.refused("no objective 'A0': did you mean 'A_0'", vectors(), 3, objective="A0")
        self.refused("could not convert", vectors(), 3, objective="A_x")
        self.refused("the balance is 'even'", vectors(), 3, self.labels, balance="even")
        self.refused("there is no class 'cow'", vectors(), 3, self.labels, balance={"cow": 3})
        self.refused(
            "counts sum to 2, and the size is 3", vectors(), 3, self.labels, balance=[1, 1]
        )

    def test_what_is_given(self):
        self.refused("have shape", vectors(), 3, given=vectors()[:, :2])
        self.refused("has no labels", vectors(), 3, self.labels, given=vectors())
        self.refused("'cow' is given", vectors(), 3, self.labels, given=(vectors()[:1], ["cow"]))

    def test_similarities_that_go_one_way(self):
        z = kernel(vectors())
        z[0, 1] = 0
        self.refused("not symmetric", np.arange(N), 3, similarity=z)

    def test_labels_and_viewpoints(self):
        self.refused("24 elements and 2 labels", vectors(), 3, ["a", "b"])
        self.refused("viewpoint in", vectors(), 3, objective="coverage:3")
        self.refused("viewpoints lie in", vectors(), 3, objective="A_-1")
        self.refused("leaves", vectors(), 22, objective="A_0:0.5")
        self.refused("a share of the elements", vectors(), 3, objective="G_1:1")
        self.refused("epsilon is 1", vectors(), 3, objective="facility-location:1")

    def test_words_are_objectives(self):
        assert as_objective("A_inf:0.2") == Alpha(np.inf, 0.2)
        assert as_objective("G_1") == Gamma(1.0)
        assert as_objective(KCentre()) == KCentre()


@pytest.mark.parametrize("objective", ["herding", "random"])
def test_progress_is_told_and_may_end_the_work(objective):
    x = np.random.default_rng(0).normal(size=(20, 3)).astype("f4")
    y, told = ["a", "b"] * 10, []
    select(x, 6, y, objective=objective, progress=told.append)
    assert told == sorted(told)
    assert len(told) == 6 * (2 if objective == "herding" else 1)
    assert told[-1] == 1

    def end(share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        select(x, 6, y, objective=objective, progress=end)


def test_rows_of_a_table_are_chosen_by_gower():
    """As by the matrix of their similarities, but for ties on the way."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"age": rng.normal(size=24), "sex": rng.choice([*"fm"], 24)})
    y = ["a", "b"] * 12
    z = np.asarray(lcrjax.ordinariness(table, np.eye(24), Gower.of(table)))
    for options in ({}, {"labels": y}):
        found = select(table, 6, **options)
        assert isinstance(found.similarity, Gower)
        by_matrix = select(np.arange(24), 6, **options, similarity=(z + z.T) / 2)
        ends = ([each.values[0], each.values[-1]] for each in (found, by_matrix))
        np.testing.assert_allclose(*ends, rtol=1e-5, atol=1e-6)  # of sums of about one
    numbers = select(table[["age"]], 3)
    assert numbers.similarity == select(table[["age"]].to_numpy(), 3).similarity


def test_a_matrix_in_a_file_is_measured_by(tmp_path):
    x = np.random.default_rng(0).normal(size=(20, 3)).astype("f4")
    z = np.asarray(lcrjax.ordinariness(x, np.eye(20), "laplacian:1"))
    np.save(tmp_path / "Z.npy", z)
    found = select(x, 5, ["a", "b"] * 10, similarity=tmp_path / "Z.npy")
    again = select(x, 5, ["a", "b"] * 10, similarity="laplacian:1")
    np.testing.assert_array_equal(found.indices, again.indices)
    for when in ("before", "after"):
        ours, theirs = (getattr(f, when).dataset_level["alpha"] for f in (found, again))
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
