"""Findings: what a reader should know of a dataset at once, in sentences."""

from typing import NamedTuple

import numpy as np

from lcrjax.data import Dataset
from lcrjax.data.dataset import KINDS
from lcrjax.measures.flatness import flat_remark
from lcrjax.report.duplicates import group_leak
from lcrjax.report.page.measured import Measured
from lcrjax.report.page.rendering import percent
from lcrjax.report.page.representative import Representation, nearest_class_accuracy

#: Below this part of perfect balance classes are called unbalanced.
_UNBALANCED = 0.9
#: Below this share of leaked test images a score hardly moves.
_NEGLIGIBLE = 0.005


class Finding(NamedTuple):
    """A sentence, and whether it is `good` news, a `warning` or neither (`note`)."""

    level: str
    text: str


def findings(dataset: Dataset, measured: Measured, overall: Representation | None) -> list[Finding]:
    """Say in sentences what was found, the gravest first."""
    one, many = KINDS[dataset.kind], dataset.kind
    near = measured.nearness is not None
    found = [_balance(dataset, measured)]
    if measured.drawn:
        found.append(Finding("note", _estimate(dataset, measured)))
    if flat := flat_remark(measured.diversity, len(dataset.train), many):
        found.append(Finding("note", flat))
    if near:
        found += [*_labels(measured, one, many), _copies(measured, one, many)]
    if overall is not None:
        found.append(_representation(overall, one, many, near))
        if near:
            found += [_leak(measured, many), _nearest(dataset, measured, one, many)]
    if (leak := group_leak(dataset)) is not None:
        found.append(Finding("warning", leak))
    found += [Finding("note", note) for note in dataset.notes]
    return sorted(found, key=lambda finding: ("warning", "note", "good").index(finding.level))


def _estimate(dataset: Dataset, measured: Measured) -> str:
    """Say what a page of large data is from, and how to get the exact one."""
    n, many = len(dataset.train), dataset.kind
    rows = measured.diversity.rows
    said = "Diversity is exact" if rows is None else f"Diversity is an estimate from {rows:,}"
    return (
        f"{said} of {n:,} training {many}, and what is said of single {many} is of "
        f"{len(measured.rows):,} drawn at random and compared with all: lcrjax report --exact "
        "compares all pairs, and --rows sets how many are drawn."
    )


def _leak(measured: Measured, many: str) -> Finding:
    limit, tests = measured.threshold, len(measured.test_rmsd)
    copies = int(np.sum(measured.test_rmsd == 0))
    near = int(np.sum(measured.test_rmsd <= limit))
    if not near:
        drawn = measured.drawn
        return Finding(
            "good", f"None of {tests:,} {drawn}test {many} has a near-duplicate in training."
        )
    exact = f", {copies:,} of them to the last bit" if copies else ""
    of = f"{tests:,} {measured.drawn}test {many}"
    text = f"{near:,} of {of} ({percent(near / tests)}) {_have(near)} a "
    text += f"near-duplicate in training{exact}: "
    if near / tests < _NEGLIGIBLE:
        return Finding("note", text + "too few to change a score by much, but remove them.")
    return Finding("warning", text + "scores on this test set are too good.")


def _labels(measured: Measured, one: str, many: str) -> list[Finding]:
    found = []
    if measured.pairs_across is None:
        apart = measured.train_near[1].rmsd
        if drawn := int(np.sum(apart <= measured.threshold)):
            exact = _exactly(int(np.sum(apart == 0)))
            have = f"{drawn:,} of {len(apart):,} drawn training {many} {_have(drawn)}"
            found.append(f"{have} a near-duplicate under another label{exact}")
    elif across := int(measured.pairs_across[-1]):
        exact = _exactly(int(measured.pairs_across[0]))
        pairs = f"{across:,} {'pair' if across == 1 else 'pairs'} of nearly the same training {one}"
        carry = "carries" if across == 1 else "carry"
        found.append(f"{pairs} {carry} two different labels{exact}")
    if tests := int(np.sum(measured.test_across <= measured.threshold)):
        exact = _exactly(int(np.sum(measured.test_across == 0)))
        of = f"{len(measured.test_across):,} {measured.drawn}test {many}"
        have = f"{tests:,} of {of} {_have(tests)}"
        found.append(f"{have} a near-duplicate in training under another label{exact}")
    wrong = "one of each pair is wrong, or the classes overlap."
    return [Finding("warning", f"{text}: {wrong}") for text in found]


def _exactly(copies: int) -> str:
    return f" ({copies:,} of them to the last bit)" if copies else ""


def _copies(measured: Measured, one: str, many: str) -> Finding:
    near = int(np.sum(measured.train_rmsd <= measured.threshold))
    n = len(measured.train_rmsd)
    if not near and measured.drawn:
        return Finding("good", f"None of {n:,} drawn training {many} has a near-duplicate.")
    if not near:
        return Finding("good", f"No two of {n:,} training {many} are near-duplicates.")
    copies = int(np.sum(measured.train_rmsd == 0))
    exact = f"; {copies:,} {_have(copies)} an exact copy" if copies else ""
    return Finding(
        "note" if near / n < 0.05 else "warning",
        f"{near:,} of {n:,} {measured.drawn}training {many} ({percent(near / n)}) {_have(near)} a "
        f"near-duplicate among {'all' if measured.drawn else 'them'}{exact}.",
    )


def _balance(dataset: Dataset, measured: Measured) -> Finding:
    balance = float(measured.diversity.class_balance[measured.at(1)])
    text = f"The class balance is that of {balance:.2f} classes of one size, out of "
    text += f"{dataset.n_classes}."
    good = balance >= _UNBALANCED * dataset.n_classes
    return Finding("good" if good else "note", text)


def _representation(overall: Representation, one: str, many: str, near: bool) -> Finding:
    ratio = overall.test_rmsd / overall.train_rmsd if overall.train_rmsd > 0 else float("nan")
    text = (
        f"From training to test the relative diversity is {overall.relative:.3f} (1 means: test "
        f"{many} are as ordinary in training as among themselves)"
    )
    if near:
        text += (
            f", and a test {one} is {ratio:.2f} times as far from its nearest training {one} as "
            f"training {many} are from each other"
        )
    good = abs(overall.relative - 1) < 0.02 and (not near or 0.9 < ratio < 1.1)
    return Finding("good" if good else "note", f"{text}.")


def _nearest(dataset: Dataset, measured: Measured, one: str, many: str) -> Finding:
    accuracy, balanced = nearest_class_accuracy(
        dataset.test_labels[measured.tests], *(kind.rmsd for kind in measured.test_near)
    )
    return Finding(
        "note",
        f"Taking the label of the nearest training {one} would classify {percent(accuracy)} of "
        f"the {measured.drawn}test {many} correctly (balanced accuracy {percent(balanced)}): "
        "a model should beat that.",
    )


def _have(count: int) -> str:
    return "has" if count == 1 else "have"
