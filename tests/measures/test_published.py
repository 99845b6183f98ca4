"""Examples that other programs print, computed anew; each says where its numbers come from."""

import numpy as np
import pandas as pd
import pytest

import lcrjax

FRUIT = ["apple", "orange", "banana", "pear", "blueberry", "grape"]


@pytest.mark.parametrize(
    ("counts", "printed"),
    [([30, 1, 1, 1, 1, 1], (6.00, 1.90, 1.17)), ([6, 6, 6, 6, 6, 5], (6.00, 5.99, 5.83))],
)
def test_bowls_of_fruit(counts, printed):
    """README of sentropy, datasets 1a and 1b."""
    found = lcrjax.diversity(pd.DataFrame({"bowl": counts}, index=FRUIT), q=(0, 1, np.inf))
    np.testing.assert_allclose(found.dataset_level["alpha"], printed, atol=5e-3)
    np.testing.assert_allclose(found.dataset_level["gamma"], printed, atol=5e-3)


def birds():
    """Similarities of nine birds: 0.88, but for those listed."""
    z = np.full((9, 9), 0.88)
    near = {(0, 1): 0.91, (1, 3): 0.89, (1, 7): 0.89, (2, 3): 0.90, (2, 4): 0.89, (2, 8): 0.89,
            (3, 4): 0.92, (3, 5): 0.90, (3, 6): 0.89, (4, 5): 0.91, (4, 6): 0.89, (5, 6): 0.92,
            (6, 7): 0.89}  # fmt: skip
    for (i, j), value in near.items():
        z[i, j] = z[j, i] = value
    np.fill_diagonal(z, 1)
    return z


def animals():
    """Similarities of four arthropods and five vertebrates."""
    upper = [
        (0.60, 0.55, 0.45, 0.25, 0.22, 0.23, 0.18, 0.16),
        (0.60, 0.48, 0.22, 0.23, 0.21, 0.16, 0.14),
        (0.42, 0.27, 0.20, 0.22, 0.17, 0.15),
        (0.28, 0.26, 0.26, 0.20, 0.18),
        (0.75, 0.70, 0.66, 0.63),
        (0.85, 0.70, 0.70),
        (0.75, 0.72),
        (0.85,),
    ]
    z = np.eye(9)
    for i, row in enumerate(upper):
        z[i, i + 1 :] = z[i + 1 :, i] = row
    return z


def test_birds_and_other_animals():
    """README of sentropy, datasets 2a and 2b, whole and in two ways in two."""
    for z, printed in ((birds(), 1.11), (animals(), 2.16)):
        found = lcrjax.diversity(np.ones(9), z, q=0)
        np.testing.assert_allclose(found.dataset_level["alpha"], printed, atol=5e-3)
    phyla, mixed = np.repeat([0, 1], [4, 5]), np.arange(9) % 2
    for labels, rho in ((phyla, (0.63, 0.67)), (mixed, (0.93, 0.92))):
        found = lcrjax.diversity(np.eye(2)[labels], animals(), q=0)
        np.testing.assert_allclose(found.class_level["normalized_rho"][0], rho, atol=5e-3)
    found = lcrjax.diversity(np.eye(2)[phyla], animals(), q=0)
    np.testing.assert_allclose(found.class_level["alpha"][0], (3.54, 2.30), atol=6e-3)


def test_subcommunities():
    """Package rdiversity, the population of its README, and the values at q = 0 of its tests."""
    population = pd.DataFrame({"a": [1, 1, 0], "b": [2, 0, 0], "c": [3, 1, 0]})
    found = lcrjax.diversity(population, q=0)
    printed = {
        "alpha": (8, 4, 4),
        "normalized_alpha": (2, 1, 2),
        "beta": (1 / 4, 1 / 3, 1 / 2),
        "normalized_beta": (1, 4 / 3, 1),
        "rho": (4, 3, 2),
        "normalized_rho": (1, 3 / 4, 1),
        "gamma": (8 / 3, 4 / 3, 2),
    }
    for name, values in printed.items():
        np.testing.assert_allclose(found.class_level[name][0], values, rtol=1e-6, err_msg=name)


def test_representativeness_and_redundancy():
    """Documentation of Diversity.jl, "The framework": shared types, and equal shares of all."""
    two_thirds = np.array([[1, 1, 0], [1, 1, 0], [0, 1, 1], [0, 1, 1], [1, 0, 1], [1, 0, 1]])
    found = lcrjax.diversity(two_thirds, q=1)
    np.testing.assert_allclose(found.class_level["normalized_rho"][0], [2 / 3] * 3, rtol=1e-6)
    np.testing.assert_allclose(found.class_level["rho"][0], [2] * 3, rtol=1e-6)
    found = lcrjax.diversity(np.tile([1, 2, 3], (6, 1)), q=1)
    np.testing.assert_allclose(found.class_level["normalized_rho"][0], [1] * 3, rtol=1e-6)
    np.testing.assert_allclose(found.class_level["rho"][0], [6, 3, 2], rtol=1e-6)


def test_sequences(x64):
    """README of Diversity.jl: three sequences, alike by the share of places in common."""
    sequences = np.array([list(s) for s in ("ACGTACGT", "ACGAACGT", "TTTTTTTT")])
    distances = (sequences[:, None] != sequences).sum(axis=2)
    z = lcrjax.from_distance(distances, "linear", 1 / distances.max())
    found = lcrjax.diversity(np.array([0.3, 0.3, 0.4]), z, q=0)
    assert float(found.dataset_level["gamma"][0]) == pytest.approx(1.930059437936407, rel=1e-12)


@pytest.mark.parametrize(
    ("tree", "abundance", "z"),
    [
        (
            "(A:2,B:2)R:1;",
            (0.2, 0.4, 0.4 / 3, 0.8 / 3),
            [[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 1], [0, 0, 1, 1]],
        ),
        (
            "(A:1,B:2)R:1;",
            (0.25, 0.25, 0.4 / 2.4, 0.8 / 2.4),
            [[1.2, 1.2, 0.8, 0.8], [1.2, 1.2, 0, 0], [1.2, 1.2, 0.8, 0.8], [0, 0, 0.8, 0.8]],
        ),
    ],
)
def test_two_species_and_their_ancestor(tree, abundance, z):
    """Leinster & Cobbold (2012), appendix A, as the tests of rdiversity print it."""
    found, similarity = lcrjax.from_newick(tree, {"A": 0.6, "B": 0.4})
    np.testing.assert_allclose(found["all"], abundance)
    columns = np.eye(4, dtype=np.float32)
    np.testing.assert_allclose(lcrjax.ordinariness(np.arange(4), columns, similarity), z, rtol=1e-6)


def test_taxonomic_distance():
    """Four trees of rdiversity's `tax2dist`, at Shimatani's distances 0 to 4, made linear."""
    ranks = pd.DataFrame({
        "Species": ["tenuifolium", "asterolepis", "simplex var.grandiflora",
                    "simplex var.ochnacea"],
        "Genus": ["Protium", "Quararibea", "Swartzia", "Swartzia"],
        "Family": ["Burseraceae", "Bombacaceae", "Fabaceae", "Fabaceae"],
        "Subclass": ["Sapindales", "Malvales", "Fabales", "Fabales"],
    })  # fmt: skip
    distances = np.full((4, 4), 4.0)
    distances[2, 3] = distances[3, 2] = 1
    np.fill_diagonal(distances, 0)
    counts = np.array([1, 2, 3, 4])
    taxonomic = lcrjax.diversity(counts, lcrjax.Taxonomy(), elements=ranks)
    right = lcrjax.diversity(counts, lcrjax.from_distance(distances, "linear", 1 / 4))
    np.testing.assert_allclose(
        taxonomic.dataset_level["gamma"], right.dataset_level["gamma"], rtol=1e-6
    )
