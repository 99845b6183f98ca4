"""Choice of a model on all datasets but one, judged on the one that was left out."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lcrjax.study.analysis.combinations import search
from lcrjax.study.analysis.complete_cases import select_complete_cases
from lcrjax.study.analysis.fixed_effects import centre
from lcrjax.study.columns import FEATURES


def nested_selection(
    table: pd.DataFrame,
    features: Sequence[str] = FEATURES,
    size: int = 1,
    target: str = "bacc",
) -> pd.DataFrame:
    """Let all datasets but one choose the best combination of features, and judge it on that one.

    The best of many candidates looks better than it is, on the table that it was chosen on. Here
    nothing of a dataset takes part in the choice that it judges. The model has an intercept for
    every dataset, so that only differences within datasets count.

    Args:
        table: One row per subset; its column `dataset` names the dataset.
        features: Candidates, positive numbers; their logs are taken.
        size: Number of features in a combination.
        target: Column to explain.

    Returns:
        One row per dataset: `dataset`, `features` (what the others chose), `r2_others` (explained
        of the target's variance within the others), `r2` (within this one, with slopes of its own)
        and `r2_transferred` (with the slopes of the others; negative where the dataset's mean
        predicts better). `attrs` holds `target`, and `r2` and `r2_transferred` of all rows
        together.

    Raises:
        ValueError: As `search` does, or if the table has fewer than three datasets.

    References:
        Not in the paper.
    """
    values, rows = select_complete_cases(table, tuple(features), (target,))
    datasets = table["dataset"].astype(str).to_numpy()[rows]
    names = np.unique(datasets)
    if len(names) < 3:
        raise ValueError(f"the table has {len(names)} datasets: give three, two of which choose")
    frame = pd.DataFrame(values, columns=[target, *features])
    y, X = values[:, 0], np.log(values[:, 1:])
    result, wrong = [], np.zeros((3, len(y)))
    wrong[0] = centre(y, datasets)
    for name in names:
        mine, rest = datasets == name, datasets != name
        # Regressions take logs: e is 1, and 1 is 0.
        marks = {f"is {d}": np.exp((datasets == d).astype(float)) for d in names if d != name}
        marks.pop(next(iter(marks)))
        marked = frame.assign(**marks)[rest]
        best = search(marked, target, size, tuple(marks), features)["features"].iloc[0]
        at = [list(features).index(feature) for feature in best]
        others = _without_means(y[rest], X[rest][:, at], datasets[rest])
        own = _without_means(y[mine], X[mine][:, at], datasets[mine])
        theirs, its = (np.linalg.lstsq(x, t, rcond=1e-10)[0] for t, x in (others, own))
        errors = own[0] - own[1] @ its, own[0] - own[1] @ theirs
        wrong[1:, mine] = errors
        r2 = [1 - np.sum(e**2) / np.sum(own[0] ** 2) for e in errors]
        chosen = 1 - np.sum((others[0] - others[1] @ theirs) ** 2) / np.sum(others[0] ** 2)
        result.append((name, tuple(best), chosen, *r2))
    found = pd.DataFrame(
        result, columns=["dataset", "features", "r2_others", "r2", "r2_transferred"]
    )
    total, own_slopes, transferred = np.sum(wrong**2, axis=1)
    found.attrs.update(
        target=target, r2=1 - own_slopes / total, r2_transferred=1 - transferred / total
    )
    return found


def _without_means(
    y: np.ndarray, X: np.ndarray, datasets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    return centre(y, datasets), centre(X, datasets)
