"""
Compare two datasets
====================

Which of two sets is better for a given test set? The first has all digits. The second has more
images, but no eights and nines.
"""

import matplotlib.pyplot as plt
import numpy as np

from lcrjax.data import load
from lcrjax.selection import compare

digits = load("digits")
images, labels = digits.train_images, digits.train_labels
order = np.random.default_rng(0).permutation(len(images))
a = order[:300]
b = order[300:][labels[order[300:]] < 8][:400]
found = compare((images[a], labels[a]), (images[b], labels[b]), digits, resampling=None)
table = found.to_frame()
target = table[table["part"] == "target"]
target[["name", "a", "b", "difference", "lower", "upper"]].round(3)

# %%
# If an interval does not hold zero, the two sets differ for this test set.

rows = target.dropna(subset=["lower"]).set_index("name")
rows = rows.loc[["largest_similarity", "neighbour_bacc"]]
fig, ax = plt.subplots(figsize=(6, 1.8), layout="constrained")
ends = [rows["difference"] - rows["lower"], rows["upper"] - rows["difference"]]
ax.errorbar(rows["difference"], rows.index, xerr=ends, fmt="o", capsize=4)
ax.axvline(0, color="grey", lw=0.8)
ax.set(xlabel="second minus first", ylim=(-0.5, 1.5))
