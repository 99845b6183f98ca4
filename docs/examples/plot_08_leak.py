"""
Find what leaked into the test set
==================================

Five training images are hidden among the test images, a little brighter. They are found as
near-duplicates.
"""

import matplotlib.pyplot as plt
import numpy as np

from lcrjax.data import from_arrays, load
from lcrjax.report import near_duplicates

digits = load("digits")
images, labels = digits.train_images, digits.train_labels
hidden = [3, 141, 592, 653, 1000]
leaky = from_arrays(
    "leaky",
    images,
    labels,
    test_images=np.concatenate([digits.test_images, np.clip(1.03 * images[hidden], 0, 1)]),
    test_labels=np.append(digits.test_labels, labels[hidden]),
)
pairs = near_duplicates(leaky, kinds=["train-test"])
pairs[["first", "second", "first_class", "second_class", "distance"]]

# %%
# Test images are above, training images below:

fig, axes = plt.subplots(2, len(pairs), figsize=(6, 2.6), layout="constrained")
for column, pair in zip(axes.T, pairs.itertuples(), strict=True):
    column[0].imshow(leaky.test_images[int(pair.first)], cmap="gray_r")
    column[1].imshow(images[int(pair.second)], cmap="gray_r")
for ax in axes.ravel():
    ax.set(xticks=[], yticks=[])
