"""The page of a selection: what was chosen, what was left, and what more would add."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from lcrjax.data import Dataset
from lcrjax.data.dataset import KINDS
from lcrjax.report.figures.style import class_colours
from lcrjax.report.page.chosen_curves import NEARLY, PANELS, Curves, charts, follow
from lcrjax.report.page.dataset import MOST_CLASSES
from lcrjax.report.page.excerpts import shown
from lcrjax.report.page.findings import Finding
from lcrjax.report.page.rendering import percent, render, significant
from lcrjax.selection import Selection

#: Chosen elements of a class that are shown, and those left; more where there is one class.
_CHOSEN, _LEFT = 8, 4
_OF_ONE = 4
_LETTERS = {"A": "alpha", "R": "normalized_rho", "G": "gamma"}


def selection_page(
    dataset: Dataset,
    found: Selection,
    *,
    alike: str = "",
    progress: Callable[[str, float], None] = lambda stage, share: None,
) -> str:
    """Write a selection's page: what was chosen and left, and what it is worth as it grows.

    Random selections of the same classes stand beside it.

    Args:
        dataset: From whose training elements `found` was chosen.
        found: As `lcrjax.selection.select` returns it.
        alike: The similarity in words; empty for its name.
        progress: Called with what is being done and which share of that.

    Returns:
        An HTML document without references to anything outside itself.

    Raises:
        ValueError: If the selection is from a pool of another size.

    Examples:
        >>> from lcrjax.data import load
        >>> from lcrjax.selection import select
        >>> digits = load("digits")
        >>> found = select(digits.train_images, 20, digits.train_labels)
        >>> "20 of 1,347 images" in selection_page(digits, found)
        True
    """
    before = found.before
    pool = len(dataset.train)
    if (found.labels is not None and len(found.labels) != pool) or max(found.indices) >= pool:
        raise ValueError(f"the selection is not from the {pool} training elements: give its data")
    stage = "following the selection and random ones"
    progress(stage, 0.0)
    curves = follow(found, lambda share: progress(stage, share))
    progress("drawing", 0.0)
    known = found.labels is not None
    parts = _classes(dataset, found)
    pictured = sorted(parts, key=lambda part: -part["chosen"])[:MOST_CLASSES]
    pictured.sort(key=lambda part: part["number"])
    taken = np.zeros(pool, bool)
    taken[found.indices] = True
    letters = _LETTERS if known else {"G": "gamma"}
    measure = "A" if known and found.given is None else "G"
    return render(
        "selection.html",
        title=f"Selection from {dataset.name}",
        dataset=dataset,
        one=KINDS[dataset.kind],
        many=dataset.kind,
        pool=pool,
        size=len(found),
        given=0 if found.given is None else len(found.given),
        objective=str(found.objective),
        alike=alike or str(found.similarity),
        known=known,
        findings=_findings(dataset, found, curves, measure),
        letters=[(letter, q) for letter in letters for q in ("0", "1", "∞")],
        diversities=[
            (name, [float(v) for m in letters.values() for v in np.ravel(d.dataset_level[m])])
            for name, d in (("pool", before), ("chosen", found.after))
        ],
        classes=parts,
        panels=list(zip(_panels(measure, KINDS[dataset.kind]), charts(curves), strict=True)),
        draws=len(curves.drawn),
        nearly=curves.first("match", NEARLY),
        pictured=[
            {**part, "strips": _strips(dataset, found, curves, taken, part, len(pictured) == 1)}
            for part in pictured
        ],
    )


def _panels(measure: str, one: str) -> list[dict[str, str]]:
    unit = f"effective {one}–class pairs" if measure == "A" else f"effective {one}s"
    return [
        {"name": f"{measure} at q = 1", "unit": unit},
        {"name": "Match", "unit": "1 is the whole pool"},
        {"name": "Nearness", "unit": "to the nearest chosen one"},
    ]


def _findings(dataset: Dataset, found: Selection, curves: Curves, measure: str) -> list[Finding]:
    """Say in sentences what the curves say."""
    many, size, pool = dataset.kind, len(found), len(dataset.train)
    pool += 0 if found.given is None else len(found.given)
    ends = dict(zip(PANELS, curves.chosen[:, -1], strict=True))
    random = {name: curves.drawn[:, k, -1] for k, name in enumerate(PANELS)}
    together = f"{size:,} {many}" if found.given is None else f"{size:,} {many} and those given"
    text = f"{together} hold {percent(ends['match'])} of what all {pool:,} do (their match, below)"
    nearly = curves.first("match", NEARLY)
    if nearly is not None and nearly < size:
        text += f"; the first {nearly:,} hold {percent(NEARLY)}"
        text += ", after which little is added" if nearly <= size / 2 else ""
    said = [Finding("good" if nearly is not None else "note", f"{text}.")]
    level = float(random["match"].mean())
    enough = curves.first("match", level)
    if ends["match"] >= random["match"].max() and enough is not None:
        said.append(
            Finding(
                "good",
                f"The first {enough:,} chosen hold as much as {size:,} random ones, "
                f"{percent(level)}.",
            )
        )
    elif ends["match"] < random["match"].min():
        said.append(
            Finding(
                "warning",
                f"Random {many} hold more, {percent(level)}: this objective does not aim to "
                "represent the pool.",
            )
        )
    low, high = float(random["diversity"].min()), float(random["diversity"].max())
    said.append(
        Finding(
            "good" if ends["diversity"] > high else "note",
            f"{measure} at q = 1 is {significant(ends['diversity'])}; of random selections it is "
            f"{significant(low)} to {significant(high)}.",
        )
    )
    said += [Finding("note", note) for note in dataset.notes]
    return sorted(said, key=lambda finding: ("warning", "good", "note").index(finding.level))


def _classes(dataset: Dataset, found: Selection) -> list[dict[str, Any]]:
    """Each class with what was chosen of it; one for all where labels were not known."""
    if found.labels is None:
        every = np.arange(len(dataset.train))
        return [
            {
                "number": 0,
                "name": f"all {dataset.kind}",
                "colour": "#0072B2",
                "pool": len(every),
                "chosen": len(found),
                "members": every,
                "values": [],
            }
        ]
    colours = list(class_colours(dataset.class_names).values())
    levels = [
        {name: value[1] for name, value in _by_name(d).items()} for d in (found.before, found.after)
    ]
    labels = dataset.train_labels
    return [
        {
            "number": c,
            "name": name,
            "colour": colours[c],
            "pool": int((labels == c).sum()),
            "chosen": int((labels[found.indices] == c).sum()),
            "members": np.flatnonzero(labels == c),
            "values": [level.get(name) for level in levels],
        }
        for c, name in enumerate(dataset.class_names)
    ]


def _by_name(diversity: Any) -> dict[str, Any]:
    values = np.asarray(diversity.class_level["normalized_alpha"], np.float64).T
    return dict(zip(diversity.class_names, values.tolist(), strict=True))


def _strips(
    dataset: Dataset,
    found: Selection,
    curves: Curves,
    taken: Bool[np.ndarray, " n"],
    part: dict[str, Any],
    alone: bool,
) -> list[tuple[str, list[dict[str, Any]]]]:
    """What was chosen of a class, and what was left that is most and least like it."""
    members: Int[np.ndarray, " m"] = part["members"]
    order = {int(i): k for k, i in enumerate(found.indices, 1)}
    chosen = found.indices[np.isin(found.indices, members)]
    left = members[~taken[members]]
    left = left[np.argsort(-curves.near[left].round(6), kind="stable")]
    more = _OF_ONE if alone else 1
    few = min(_LEFT * more, len(left) // 2)

    def show(places: np.ndarray, caption: Callable[[int], str]) -> list[dict[str, Any]]:
        split, kind = dataset.train, dataset.kind
        return [{**shown(split, kind, i), "value": caption(i)} for i in places.tolist()]

    def near(i: int) -> str:
        return significant(float(curves.near[i]), 3)

    strips = [
        ("chosen", show(chosen[: _CHOSEN * more], lambda i: f"{order[i]}.")),
        ("left, like chosen ones", show(left[:few], near)),
        ("left, unlike them", show(left[::-1][: few or len(left)], near)),
    ]
    return [(name, items) for name, items in strips if items]
