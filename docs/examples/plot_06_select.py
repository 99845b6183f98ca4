"""
Choose images to label
======================

Twenty images by herding, which needs no labels, beside twenty at random.
"""

import matplotlib.pyplot as plt
import numpy as np

from lcrjax.data import load
from lcrjax.selection import select

digits = load("digits")
images = digits.train_images
vectors = images.reshape(len(images), -1)
chosen = select(vectors, 20).indices
random = np.random.default_rng(0).choice(len(images), 20, replace=False)

fig, axes = plt.subplots(4, 10, figsize=(7, 3.1), layout="constrained")
for rows, places, name in ((axes[:2], chosen, "chosen"), (axes[2:], random, "random")):
    for ax, place in zip(rows.ravel(), places, strict=True):
        ax.imshow(images[place], cmap="gray_r")
        ax.set(xticks=[], yticks=[])
    rows[0, 0].set_ylabel(name)

# %%
# All digits are among the chosen, though nobody told the method about classes:

for name, places in (("chosen", chosen), ("random", random)):
    print(name, np.bincount(digits.train_labels[places], minlength=10))
