"""How often the intervals of estimates hold the truth, on real data whose exact values are known.

    python -m experiments.coverage blood.npz

Cells of BloodMNIST (the file) and the digits that scikit-learn carries, as they are and with
planted outliers: images of random black and white pixels in place of one in 200. Similarities of
all pairs are computed once and sampled from. Results go to experiments/results/coverage, those of
`--columns` to columns/ in it, as they come: rows.csv (of each measure, viewpoint and level the
coverage and width, how many samples warned that intervals may hold the truth too seldom, and the
coverage of those that did not; percent) and table.md.
"""

import argparse
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import lcrjax
from lcrjax.data import load
from lcrjax.measures.family import MEASURES
from lcrjax.similarity.spec import as_similarity

RESULTS = Path(__file__).parent / "results" / "coverage"
Q = (0.0, 0.5, 1.0, 2.0)
#: Words, and what their lengths are divided by.
SIMILARITIES = {"rmsd": 1, "gaussian:median": 1, "gaussian:median / 3": 3}
OUTLIERS = 200  # one in so many


class Known(lcrjax.Similarity):
    """Similarities of numbered elements that have been computed before."""

    matrix: Any

    def ordinariness(self, elements: Any, weights: Any, others: Any = None) -> Any:
        """Weighted sums of rows."""
        rows = self.matrix[elements] if len(elements) < len(self.matrix) else self.matrix
        whole = others is None or len(others) == len(self.matrix)
        return (rows if whole else rows[:, others]) @ np.asarray(weights)


def cases(path: str, most: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Names, images and labels."""
    for name in (path, "digits"):
        train = load(name).train
        images, labels = np.asarray(train.elements)[:most], np.asarray(train.labels)[:most]
        name = Path(name).stem
        yield name, images, labels
        rng = np.random.default_rng(0)
        outliers = rng.permutation(len(images))[: len(images) // OUTLIERS]
        planted = images.copy()
        planted[outliers] = rng.choice([images.min(), images.max()], planted[outliers].shape)
        yield f"{name}, outliers", planted, labels


def covered(
    case: str,
    word: str,
    images: np.ndarray,
    labels: np.ndarray,
    rows: int,
    columns: int | None,
    count: int,
) -> pd.DataFrame:
    """Coverage and half width, in percent, of each measure at each viewpoint."""
    similarity, elements, _ = as_similarity(word.split(" ")[0], images)
    if isinstance(similarity, lcrjax.Gaussian):
        similarity = lcrjax.Gaussian(float(np.asarray(similarity.length)) / SIMILARITIES[word])
    eye = np.eye(len(images), dtype=np.float32)
    known = Known(np.asarray(lcrjax.ordinariness(elements, eye, similarity)))
    numbers = np.arange(len(images))
    truth = lcrjax.measure(numbers, labels, similarity=known, q=Q)
    samples, told = [], []
    for seed in range(count):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = lcrjax.measure(
                numbers, labels, similarity=known, q=Q, rows=rows, columns=columns, seed=seed
            )
        samples.append(found)
        told.append(any(issubclass(warning.category, UserWarning) for warning in caught))
    silent, out = ~np.array(told), []
    for level in ("dataset", "class"):
        for measure in MEASURES:
            right = np.asarray(getattr(truth, f"{level}_level")[measure])[..., None]
            ends = np.stack([getattr(found, f"{level}_interval")[measure] for found in samples])
            slack = 1e-6 * abs(right[..., 0])  # what float32 rounds
            held = (ends[..., 0] <= right[..., 0] + slack) & (right[..., 0] - slack <= ends[..., 1])
            half = 50 * np.ptp(ends, axis=-1) / abs(right[..., 0])
            for i, q in enumerate(Q):
                if not np.isfinite(right[i]).all():
                    continue  # the dataset's mean of negative numbers
                out.append(
                    {
                        "case": case, "similarity": word, "n": len(images), "rows": rows,
                        "level": level, "measure": measure, "q": q, "samples": count,
                        "coverage": 100 * held[:, i].mean(),
                        "worst_class": 100 * held[:, i].mean(axis=0).min(),
                        "half_width": np.median(half[:, i]), "warned": 100 * np.mean(told),
                        "silent_coverage": 100 * held[silent, i].mean() if silent.any() else np.nan,
                    }
                )  # fmt: skip
    return pd.DataFrame(out)


def summary(table: pd.DataFrame) -> str:
    """A, R and G in Markdown: coverage, with half the width of intervals in brackets."""
    head = "| data, similarity, q | " + " | ".join(
        f"{letter} of the {level}" for level in ("dataset", "classes") for letter in "ARG"
    )
    lines = [head + " |", "|---" * 7 + "|"]
    letters = dict(zip("ARG", ("alpha", "normalized_rho", "gamma"), strict=True))
    for (case, word, q), part in table.groupby(["case", "similarity", "q"], sort=False):
        cells = []
        for level in ("dataset", "class"):
            for measure in letters.values():
                row = part[(part["level"] == level) & (part["measure"] == measure)].iloc[0]
                cells.append(f"{row['coverage']:.1f} ({row['half_width']:.2g})")
        lines.append(f"| {case}, {word}, {q:g} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run all cases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", help="blood.npz of MedMNIST")
    parser.add_argument("--rows", type=int, default=800)
    parser.add_argument("--columns", type=int, help="to compare rows with; all if left out")
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--most", type=int, default=8000, help="elements of a dataset")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    out = options.out or (RESULTS if options.columns is None else RESULTS / "columns")
    out.mkdir(parents=True, exist_ok=True)
    parts = []
    for case, images, labels in cases(options.path, options.most):
        for word in SIMILARITIES:
            asked = (options.rows, options.columns, options.samples)
            parts.append(covered(case, word, images, labels, *asked))
            table = pd.concat(parts, ignore_index=True)
            table.round(3).to_csv(out / "rows.csv", index=False)
            (out / "table.md").write_text(summary(table), encoding="utf-8")
            print(f"{case}, {word}: done", flush=True)
    print(summary(table))


if __name__ == "__main__":
    main()
