import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import lcrjax
from lcrjax.measures.family import family

TREE = "(((A:1,B:1):2,C_x:3.5):0.5,(D:2,E:1)f:2);"
COUNTS = pd.DataFrame(
    {"u": [4, 0, 2, 1, 3], "v": [1, 5, 0, 2, 2]}, index=["A", "B", "C_x", "D", "E"]
)
#: Length and descendants of every branch.
BRANCHES = [(1, "A"), (1, "B"), (2, "AB"), (3.5, "C"), (0.5, "ABC"), (2, "D"), (1, "E"), (2, "DE")]


@pytest.mark.parametrize("q", [0, 0.5, 1, 2])
def test_mean_phylogenetic_diversity(q, x64):
    """Chao, Chiu & Jost (2010): sums over branches of their length and descendants' share."""
    p = COUNTS.sum(axis=1) / COUNTS.to_numpy().sum()
    share = {name[0]: value for name, value in p.items()}
    lengths = np.array([length for length, _ in BRANCHES])
    a = np.array([sum(share[tip] for tip in tips) for _, tips in BRANCHES])
    mean = float(lengths @ a)
    if q == 1:
        right = np.exp(-np.sum(lengths / mean * a * np.log(a)))
    else:
        right = np.sum(lengths / mean * a**q) ** (1 / (1 - q))
    found = lcrjax.diversity(*lcrjax.from_newick(TREE, COUNTS), q=q)
    np.testing.assert_allclose(found.dataset_level["gamma"], right, rtol=1e-12)
    if q == 0:
        np.testing.assert_allclose(mean * found.dataset_level["gamma"], lengths.sum())


def test_family_is_that_of_the_matrix(x64):
    """Historical species, as Leinster & Cobbold (2012) define them, pair by pair."""
    abundance, similarity = lcrjax.from_newick(TREE, COUNTS)
    depths = {"A": 3.5, "B": 3.5, "C_x": 4, "D": 4, "E": 3}
    p = COUNTS.sum(axis=1) / COUNTS.to_numpy().sum()
    mean = sum(p[name] * depths[name] for name in p.index)
    pairs = [(i, b) for i in COUNTS.index for b, (_, tips) in enumerate(BRANCHES) if i[0] in tips]
    z = np.array([[mean / depths[j] if j[0] in BRANCHES[b][1] else 0 for j, _ in pairs]
                  for _, b in pairs])  # fmt: skip
    shares = COUNTS / COUNTS.to_numpy().sum()
    table = np.array([shares.loc[i] * BRANCHES[b][0] / mean for i, b in pairs])
    assert len(pairs) == len(abundance) == 12
    assert abundance.to_numpy().sum() == pytest.approx(1)
    found = lcrjax.diversity(abundance, similarity, q=(0, 1, 2))
    right = family(table, z @ table, np.array([0.0, 1.0, 2.0]))
    for name, level in right.dataset_level.items():
        np.testing.assert_allclose(found.dataset_level[name], level, rtol=1e-9, err_msg=name)
        np.testing.assert_allclose(found.class_level[name], right.class_level[name], rtol=1e-9)


def test_a_root_with_a_length_is_a_branch_and_species_without_counts_are_pruned():
    given = {"A": 1, "B": 3}
    abundance, _ = lcrjax.from_newick("((A:1,B:1):1,C:2):2;", given)
    np.testing.assert_allclose(abundance["all"], np.array([2, 1, 1, 6, 3, 3]) / 16)
    pruned, _ = lcrjax.from_newick("((A:1,B:1):1,C:2);", pd.Series(given))
    assert len(pruned) == 4


def test_similarity_is_a_pytree():
    abundance, similarity = lcrjax.from_newick(TREE, COUNTS)
    w = jnp.asarray(abundance.to_numpy(np.float32))
    found = jax.jit(lambda s: s.ordinariness(None, w))(similarity)
    np.testing.assert_allclose(found, similarity.ordinariness(None, w), rtol=1e-6)


@pytest.mark.parametrize(
    ("tree", "counts", "said"),
    [
        ("(A:1,B);", {"A": 1}, "the branch to 'B' has length None"),
        ("(A:1,B:-1);", {"A": 1}, "the branch to 'B' has length -1"),
        ("((A:1,B:1;", {"A": 1}, "the tree cannot be read: .*parenthes"),
        ("(A:1,A:1);", {"A": 1}, "the tree cannot be read"),
        ("(A:1,B:1);", {"A": 1, "Z": 1}, r"no tips \['Z'\]"),
        ("(A:1,B:1);", {"A": -1}, "counts are negative"),
        ("(A:1,B:1);", np.ones(2), "counts have no names"),
        ("(A:0,B:1);", {"A": 1}, "'A' lies at the root"),
    ],
)
def test_no_phylogeny(tree, counts, said):
    with pytest.raises(ValueError, match=said):
        lcrjax.from_newick(tree, counts)


def test_abundances_belong_to_their_phylogeny():
    abundance, similarity = lcrjax.from_newick(TREE, COUNTS)
    with pytest.raises(ValueError, match="12 historical species, but there are 5"):
        lcrjax.diversity(COUNTS, similarity)
    with pytest.raises(ValueError, match="row 0 of the phylogeny"):
        lcrjax.diversity(abundance[::-1], similarity)
    with pytest.raises(ValueError, match="knows no others"):
        similarity.ordinariness(None, jnp.ones((12, 1)), np.ones(12))
