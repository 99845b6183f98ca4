"""The search against a loop of statsmodels fits, in one run: `python -m benchmarks.search`.

The table is as long as the paper's (4,599 subsets of 7 datasets) and its features correlate as
diversities do. Both sides use one thread and are timed in processor time, which is fairer than the
clock on a machine that has other things to do. Both turn the same table into adjusted R-squared of
every single feature, pair and triple.
"""

import argparse
import itertools
import statistics
import time

import numpy as np
import pandas as pd
import statsmodels.api as sm
from threadpoolctl import threadpool_limits

from lcrjax.study.analysis.branch_and_bound import best_of_every_size
from lcrjax.study.analysis.combinations import search_sizes
from lcrjax.study.analysis.projection import project
from lcrjax.study.analysis.regression import design_matrix
from lcrjax.study.analysis.resampling import bootstrap
from lcrjax.study.columns import FEATURES, PARAMETERS


def correlated_table(rows: int, seed: int = 0) -> pd.DataFrame:
    """Make a table whose 27 features come of eight causes, some nearly the same."""
    rng = np.random.default_rng(seed)
    causes = rng.normal(size=(rows, 8))
    logs = 0.3 * causes @ rng.normal(size=(8, 27)) + 0.05 * rng.normal(size=(rows, 27))
    logs[:, 1] = logs[:, 0] + 1e-2 * rng.normal(size=rows)
    table = pd.DataFrame(np.exp(logs), columns=list(FEATURES))
    dataset = rng.integers(0, 7, rows)
    table["dataset"] = [f"dataset {i}" for i in dataset]
    for name, most in zip(PARAMETERS, (5000, 4, 12), strict=True):
        table[name] = rng.integers(1, most, 7)[dataset]
    table["bacc"] = 0.6 + 0.05 * causes[:, :3].sum(axis=1) + 0.05 * rng.normal(size=rows)
    return table


def loop_of_fits(table: pd.DataFrame) -> dict[tuple[str, ...], float]:
    """Adjusted R-squared of every combination, one statsmodels fit each."""
    base = sm.add_constant(np.log(table[list(PARAMETERS)].to_numpy(float)))
    logs = np.log(table[list(FEATURES)].to_numpy())
    y = table["bacc"].to_numpy()
    return {
        tuple(FEATURES[i] for i in c): sm.OLS(y, np.hstack([base, logs[:, c]])).fit().rsquared_adj
        for size in (1, 2, 3)
        for c in itertools.combinations(range(len(FEATURES)), size)
    }


def seconds(work, repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=4599)
    parser.add_argument("--exhaustive", action="store_true", help="also run through all 2^27")
    arguments = parser.parse_args()
    table = correlated_table(arguments.rows)
    with threadpool_limits(1):
        reference: dict[tuple[str, ...], float] = {}
        search_sizes(table)
        before = seconds(lambda: search_sizes(table), 25)
        loop = seconds(lambda: reference.update(loop_of_fits(table)), 1)
        ours = (before + seconds(lambda: search_sizes(table), 25)) / 2  # load drifts; be fair
        found = pd.concat(search_sizes(table).values())
        error = max(
            abs(reference[f] - r) for f, r in zip(found.features, found.adj_r2, strict=True)
        )
        print(f"{arguments.rows} rows, {len(reference)} combinations of 1 to 3 features, 1 thread")
        print(f"  statsmodels loop {loop:8.3f} s  ({1e3 * loop / len(reference):.3f} ms a fit)")
        print(f"  search_sizes     {1e3 * ours:8.3f} ms; ratio {loop / ours:.0f}")
        print(f"  largest difference of adjusted R-squared {error:.1e}")

        projection = project(design_matrix(table))
        subsets, best = best_of_every_size(projection)
        spent = seconds(lambda: best_of_every_size(projection), 3)
        print(f"best subset of every size 1 to 27, branch and bound: {spent:.2f} s")
        if arguments.exhaustive:
            start = time.process_time()
            all_subsets, all_best = best_of_every_size(projection, bounds=False)
            same = all(np.array_equal(a, b) for a, b in zip(subsets, all_subsets, strict=True))
            gap = np.max(np.abs(best - all_best)) / projection.total
            print(
                f"  all 2^27 one by one: {time.process_time() - start:.1f} s; "
                f"same subsets: {same}; largest gap in R-squared {gap:.1e}"
            )
        for over in ("subsets", "datasets"):
            spent = seconds(lambda over=over: bootstrap(table, over=over), 3)
            print(f"bootstrap over {over}, 2000 resamples of 27 models: {spent:.2f} s")


if __name__ == "__main__":
    main()
