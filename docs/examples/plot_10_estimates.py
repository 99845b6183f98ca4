"""
Estimate a large dataset
========================

Instead of all pairs, some rows are compared with all elements. Every number then has an interval.
"""

import matplotlib.pyplot as plt

import lcrjax
from lcrjax.data import load

digits = load("digits")
images, labels = digits.train_images, digits.train_labels
exact = float(lcrjax.measure(images, labels, similarity="rmsd:10", q=1).dataset_level["alpha"][0])

fig, ax = plt.subplots(figsize=(6, 2.8), layout="constrained")
for rows in (200, 300, 400, 600, 800):
    D = lcrjax.measure(images, labels, similarity="rmsd:10", q=1, rows=rows)
    low, high = D.dataset_interval["alpha"][0]
    value = float(D.dataset_level["alpha"][0])
    ax.errorbar(
        rows, value, yerr=[[value - low], [high - value]], fmt="o", color="#0072B2", capsize=4
    )
ax.axhline(exact, color="black", lw=0.8, label="all pairs")
ax.set(xlabel="rows compared with all", ylabel="A at viewpoint 1")
ax.legend()
