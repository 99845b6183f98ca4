"""
Ask a finished study
====================

What explains the scores of 464 models of seven datasets? The table is that of :doc:`/panel`.
``lcrjax study`` writes a table of your own.
"""

from pathlib import Path

import matplotlib.pyplot as plt

from lcrjax.study import read_results
from lcrjax.study.analysis import fixed_effects_r2

folder = Path("../../experiments/results/panel")  # of a clone of the repository
table = read_results(folder)
models = [("A_0",), ("A_1",), ("CB_1",), ("size",), ("CB_1", "size")]
fixed_effects_r2(table, models)

# %%
# One dataset: more images and a larger A at viewpoint 0 both go with better scores.

blood = table[table["dataset"] == "blood"]
fig, axes = plt.subplots(1, 2, figsize=(7, 2.8), sharey=True, layout="constrained")
for ax, column in zip(axes, ("size", "A_0"), strict=True):
    points = ax.scatter(blood[column], blood["bacc"], c=blood["CB_1"], s=16)
    ax.set(xlabel=column)
axes[0].set(ylabel="balanced accuracy", xscale="log")
fig.colorbar(points, label="class balance")
