"""What a comparison of two datasets says, in words: names of its numbers, and findings."""

from typing import Any

import numpy as np

from lcrjax.numerics.listing import counted
from lcrjax.report.page.findings import Finding
from lcrjax.report.page.rendering import percent, significant
from lcrjax.selection import Comparison, Row
from lcrjax.selection.sides import class_notes

#: Measures that stand on a page and a terminal, by their letters.
LETTERS = {"alpha": "A", "normalized_rho": "R", "gamma": "G", "normalized_beta": "B"}
#: What else is called how, and what it means.
WORDS = {
    "class_balance": ("CB", "effective number of classes"),
    "size": ("size", "elements"),
    "relative_diversity": ("relative diversity", "1: as ordinary there as at home"),
    "cross_diversity": ("cross diversity", "how diverse it looks from there"),
    "nearest_similarity": ("similarity to the nearest", "less is newer"),
    "largest_similarity": ("similarity to the nearest", "more is nearer"),
    "ordinariness": ("mean similarity", "to all elements, more is nearer"),
    "own_ordinariness": ("mean similarity, own class", "more is nearer"),
    "mmd": ("mean discrepancy (MMD)", "less is nearer"),
    "neighbour_bacc": ("nearest-neighbour BACC", "of the plainest model, more is better"),
    "near_duplicates": ("near-duplicates in it", "elements of the target that it holds"),
}
#: Numbers that are counts.
COUNTS = ("size", "near_duplicates")
#: Numbers of a target that stand in sentences, and in which.
_OF_TARGET = (
    (
        "neighbour_bacc",
        "better",
        "The label of the most similar element would classify {target} with a balanced accuracy of "
        "{x} from {a} and {y} from {b}",
    ),
    (
        "largest_similarity",
        "nearer",
        "An element of {target} finds one of similarity {x} in {a} and of {y} in {b}, on average",
    ),
)


def called(row: Row) -> str:
    """Name a number as columns do, such as A_1."""
    name = LETTERS.get(row.name, WORDS.get(row.name, (row.name,))[0])
    if row.q is None:
        return name
    order = "inf" if np.isinf(row.q) else f"{row.q:g}"
    if name in (*LETTERS.values(), "CB") and order in ("0", "1", "inf"):
        return f"{name}_{order}"
    return f"{name}, q = {'∞' if order == 'inf' else order}"


def written(row: Row) -> tuple[str, str, str]:
    """Write a number of both sides and their difference; counts as whole numbers."""
    if row.name in COUNTS:
        return tuple(f"{x:,.0f}".replace("-", "−") for x in (row.a, row.b, row.difference))  # type: ignore[return-value]
    return significant(row.a), significant(row.b), significant(row.difference, 3)


def explained_by(row: Row) -> str:
    """Say in a few words what a number means; nothing of a measure with a letter."""
    return WORDS[row.name][1] if row.name in WORDS else ""


def interval(row: Row) -> str:
    """Write the interval of a difference; a dash where there is none."""
    if row.lower is None or row.upper is None:
        return "–"
    return f"{significant(row.lower, 3)} to {significant(row.upper, 3)}"


def shown_rows(comparison: Comparison, part: str) -> list[Row]:
    """The numbers of whole datasets that readers see, of one part."""
    names = (*LETTERS, *WORDS)
    rows = [
        r for r in comparison.rows if (r.part, r.level) == (part, "dataset") and r.name in names
    ]
    return sorted(rows, key=lambda r: (names.index(r.name), -1 if r.q is None else r.q))


def comparison_findings(comparison: Comparison) -> list[Finding]:
    """Say in sentences what was found, the gravest first."""
    found = [Finding("note", comparison.verdict.said), *_target(comparison), *_near(comparison)]
    found += [_size(comparison), *_diversity(comparison)]
    lacks = class_notes(comparison.a, comparison.b, comparison.target)
    found += [Finding("warning" if x in lacks else "note", x) for x in comparison.notes]
    return sorted(found, key=lambda finding: ("warning", "note", "good").index(finding.level))


def _rows(comparison: Comparison, part: str) -> dict[str, Row]:
    return {r.name: r for r in shown_rows(comparison, part)}


def _target(comparison: Comparison) -> list[Finding]:
    if comparison.target is None:
        return []
    rows, found = _rows(comparison, "target"), []
    a, b, target = comparison.a.name, comparison.b.name, comparison.target.name
    for name, word, what in _OF_TARGET:
        if name not in rows:
            continue
        row, write = rows[name], percent if name == "neighbour_bacc" else significant
        said = what.format(target=target, a=a, b=b, x=write(row.a), y=write(row.b))
        found.append(Finding("note", f"{said}: {_better(row, a, b, word)}."))
    leaks: Any = rows.get("near_duplicates")
    if leaks is not None and leaks.a + leaks.b:
        found.append(
            Finding(
                "warning",
                f"{counted(int(leaks.a), 'element')} of {target} {_have(leaks.a)} a near-duplicate "
                f"in {a}, and {leaks.b:,.0f} in {b}: scores on it are too good.",
            )
        )
    return found


def _better(row: Row, a: str, b: str, word: str) -> str:
    if row.lower is None or row.upper is None or row.lower <= 0 <= row.upper:
        return f"the 95 % interval of the difference, {interval(row)}, holds zero"
    return f"{b if row.difference > 0 else a} is {word} (95 % interval {interval(row)})"


def _near(comparison: Comparison) -> list[Finding]:
    near, many = comparison.near, comparison.a.kind
    a, b = comparison.a.name, comparison.b.name
    if not len(near):
        return [Finding("good", f"No two {many} of {a} and {b} are near-duplicates.")]
    own, its = len(set(near.first.tolist())), len(set(near.second.tolist()))
    said = f"{counted(len(near), 'near-duplicate pair')} between {a} and {b}: {own:,} "
    said += f"of {len(comparison.a):,} {many} of {a}, {its:,} of {len(comparison.b):,} of {b}"
    across = int(near.across.sum())
    if across:
        return [Finding("warning", f"{said}; {across:,} under two labels.")]
    return [Finding("note", f"{said}.")]


def _size(comparison: Comparison) -> Finding:
    a, b = comparison.a, comparison.b
    return Finding(
        "note",
        f"{a.name} has {len(a):,} {a.kind} of {len(a.class_names)} classes, {b.name} {len(b):,} "
        f"of {len(b.class_names)}.",
    )


def _diversity(comparison: Comparison) -> list[Finding]:
    rows = [r for r in shown_rows(comparison, "measure") if r.name == "alpha"]
    if not rows:
        return []
    row = next((r for r in rows if r.q == 0), rows[0])
    a, b = comparison.a.name, comparison.b.name
    said = f"{called(row)} is {significant(row.a)} of {a} and {significant(row.b)} of {b}"
    if row.lower is not None and row.upper is not None:
        clear = not row.lower <= 0 <= row.upper
        said += f"; the interval of the difference, {interval(row)}, "
        said += "does not hold zero" if clear else "holds zero"
    return [Finding("note", f"{said}.")]


def _have(count: float | int) -> str:
    return "has" if count == 1 else "have"
