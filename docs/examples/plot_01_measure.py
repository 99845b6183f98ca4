"""
Measure a dataset
=================

The diversity of scikit-learn's handwritten digits, and of each digit.
"""

import matplotlib.pyplot as plt
import numpy as np

import lcrjax
from lcrjax.data import load

digits = load("digits")
D = lcrjax.measure(digits.train_images, digits.train_labels, q=(0, 1, np.inf))
D

# %%
# The dataset is as diverse as 13 images, each alone in its class, that have nothing in common.
# Zeros are the least diverse digit and ones the most diverse (``normalized_alpha``).

frame = D.to_frame()
frame = frame[(frame["q"] == 1) & (frame["level"] != "dataset")]
fig, axes = plt.subplots(1, 2, figsize=(7, 2.8), layout="constrained")
for ax, name in zip(axes, ("normalized_alpha", "normalized_rho"), strict=True):
    ax.bar(frame["level"], frame[name], color="#0072B2")
    ax.set(title=name, xlabel="digit", ylim=(0.95 * frame[name].min(), 1.01 * frame[name].max()))
