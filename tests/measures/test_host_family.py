import jax
import numpy as np
import pytest
from hypothesis import given, settings

import lcrjax
from lcrjax.measures.family import MEASURES
from lcrjax.measures.family import family as family_kernel
from lcrjax.measures.host_family import host_family, members_of_labels, members_of_table
from tests import reference
from tests.measures.test_family import C, Q, S, communities

NINE = np.array((0.0, 1e-12, 0.3, 1.0, 1 + 1e-12, 1 + 1e-7, 2.0, 1e4, np.inf))
PLAIN = [name for name in MEASURES if not name.endswith("hat")]


def compare(found, wanted, close, names=MEASURES):
    """Numbers of classes and dataset, and their logs."""
    for level in (0, 1):
        for name in names:
            there = wanted[level][name].reshape(len(wanted[2]), -1)
            here, log = found[level][name], found[level + 2][name]
            atol = close * np.abs(wanted[0][name]).max() if name not in PLAIN else 0
            np.testing.assert_allclose(here, there, rtol=close, atol=atol, err_msg=name)
            with np.errstate(all="ignore"):
                np.testing.assert_allclose(log, np.log(here), rtol=1e-12, atol=3e-14)
    np.testing.assert_allclose(found[4][:, 0], wanted[2], rtol=close)


@given(community=communities())
@settings(max_examples=6)
def test_equals_the_definitions_in_mpmath(community):
    abundance, z = community
    weighed = z @ abundance
    found = host_family(members_of_table(abundance, weighed), NINE)
    exact = reference.exact(abundance), reference.exact(weighed)
    wanted = reference.family(*exact, NINE.tolist(), reference.exact_power_mean)
    compare(found, wanted, 1e-13, PLAIN)
    for name in ("rho_hat", "beta_hat"):
        size = max(1, np.abs(wanted[0][name]).max())
        np.testing.assert_allclose(found.class_level[name], wanted[0][name], atol=1e-13 * size)


@pytest.mark.parametrize("z", [np.eye(S), np.where(np.eye(S) > 0, 1, 1e-9)], ids=["I", "far"])
def test_keeps_its_digits_over_thirty_decades_of_abundances(z, rng):
    abundance = 10.0 ** rng.uniform(-30, 0, (S, C))
    abundance[rng.random((S, C)) < 0.2] = 0
    abundance[0] = 1
    abundance /= abundance.sum()
    weighed = z @ abundance
    found = host_family(members_of_table(abundance, weighed), NINE)
    exact = reference.exact(abundance), reference.exact(weighed)
    wanted = reference.family(*exact, NINE.tolist(), reference.exact_power_mean)
    compare(found, wanted, 1e-13, PLAIN)


@given(community=communities())
@settings(max_examples=25)
def test_equals_the_traced_family(community):
    """Which the public functions use for numbers that are not at hand, in float64."""
    abundance, z = community
    weighed = z @ abundance
    found = host_family(members_of_table(abundance, weighed), np.asarray(Q))
    with jax.enable_x64(True):
        other = jax.tree.map(np.asarray, traced(abundance, weighed, np.asarray(Q)))
    hats = np.stack([other.class_level[name] for name in ("rho_hat", "beta_hat")])
    clear = np.abs(hats).min() > 1e-9  # the sign of hats around zero is a matter of rounding
    for one, two in zip(found[:4], other[:4], strict=True):
        for name in MEASURES if clear else PLAIN:
            here = one[name] if one[name].shape == two[name].shape else one[name][:, 0]
            np.testing.assert_allclose(here, two[name], rtol=1e-9 if "hat" in name else 1e-12,
                                       atol=3e-12)  # fmt: skip
    np.testing.assert_allclose(found[4][:, 0], other[4], rtol=1e-12)


traced = jax.jit(family_kernel)


def test_many_labelled_datasets_at_once_equal_each_alone(rng):
    """Classes that one of them lacks do not count there."""
    labels = rng.integers(0, 6, (5, 20))
    labels[0], labels[1] = 3, labels[1] % 2
    own = rng.uniform(0.1, 0.9, labels.shape)
    everyone = own + rng.random(labels.shape)
    members = members_of_labels(labels, own, everyone)
    found = host_family(members, np.asarray(Q))
    ends = np.cumsum(members.classes)
    assert members.classes.tolist() == [len(set(row)) for row in labels]
    for i, end in enumerate(ends):
        here = slice(i, i + 1)
        alone = host_family(members_of_labels(labels[here], own[here], everyone[here]),
                            np.asarray(Q))  # fmt: skip
        for name in MEASURES:
            for level in (0, 2):
                many = found[level][name][:, end - members.classes[i] : end]
                np.testing.assert_array_equal(many, alone[level][name])
            for level in (1, 3):
                np.testing.assert_array_equal(found[level][name][:, i], alone[level][name][:, 0])
        np.testing.assert_array_equal(found[4][:, i], alone[4][:, 0])


def test_labels_equal_their_table(rng):
    labels = rng.integers(0, C, (1, S))
    abundance = np.eye(C)[labels[0]] / S
    weighed = np.exp(-rng.random((S, S))) @ abundance
    own = weighed[range(S), labels[0]][None]
    found = host_family(members_of_labels(labels, own, weighed.sum(1)[None]), np.asarray(Q))
    table = host_family(members_of_table(abundance, weighed), np.asarray(Q))
    for one, two in zip(jax.tree.leaves(found), jax.tree.leaves(table), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-13, atol=1e-14)


def test_one_class_returns_rho_for_the_hats(rng):
    p = rng.random((S, 1))
    p /= p.sum()
    weighed = np.exp(-rng.random((S, S))) @ p
    compare(host_family(members_of_table(p, weighed), NINE),
            reference.family(p, weighed, NINE), 1e-12)  # fmt: skip


def test_negative_hats_have_a_mean_at_orders_zero_and_infinity_alone():
    p = np.full((S, C), 0.3)  # where all have everything, rho of a rare class exceeds C
    p[:, 0] = 1e-3
    p /= p.sum()
    found = host_family(members_of_table(p, p), NINE)
    wanted = reference.family(p, p, NINE)
    assert wanted[0]["beta_hat"][0, 0] < -0.1
    for level in (0, 1):
        here, there = found[level]["beta_hat"], wanted[level]["beta_hat"]
        np.testing.assert_allclose(here, there.reshape(here.shape), rtol=1e-12)
    assert np.isnan(found[1]["beta_hat"][1:-1]).all()
    assert np.isfinite(found[1]["beta_hat"][[0, -1]]).all()


def test_traced_numbers_give_what_those_at_hand_give(rng, x64):
    """Of `diversity` and `measure`: under jit the general kernels do the work."""
    counts = rng.integers(0, 9, (S, C)) + np.eye(S, C)
    z = np.exp(-rng.random((S, S)))
    np.fill_diagonal(z, 1)
    images, labels = rng.random((S, 3, 2)), np.arange(S) % C
    for given_array, program in (
        (counts, lambda counts: lcrjax.diversity(counts, z, q=Q)),
        (images, lambda images: lcrjax.measure(images, labels, q=Q)),
    ):
        found, under_jit = program(given_array), jax.jit(program)(given_array)
        for name in PLAIN:
            for level in ("class_level", "dataset_level", "class_entropy", "dataset_entropy"):
                here, there = (getattr(x, level)[name] for x in (found, under_jit))
                np.testing.assert_allclose(here, there, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(found.class_balance, under_jit.class_balance, rtol=1e-11)


def test_no_entropy_is_a_negative_zero():
    found = lcrjax.diversity([1.0, 2.0, 3.0], q=(0, 1, 2, np.inf))
    for name, values in found.dataset_entropy.items():
        assert not np.signbit(np.where(np.asarray(values) == 0, values, 1)).any(), name
