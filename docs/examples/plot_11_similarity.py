"""
Use a similarity of your own
============================

Write a function of two vectors with ``jax.numpy``. This one compares how much ink two digits have
in common.
"""

import jax.numpy as jnp
import matplotlib.pyplot as plt

import lcrjax
from lcrjax.data import load

digits = load("digits")
images, labels = digits.train_images[:500], digits.train_labels[:500]
vectors = images.reshape(len(images), -1)


def overlap(sharpness, x, y):
    """Share of common ink, with a power that makes it more or less strict."""
    return (jnp.minimum(x, y).sum() / jnp.maximum(x, y).sum()) ** sharpness


fig, ax = plt.subplots(figsize=(6, 3), layout="constrained")
for sharpness in (0.5, 1.0, 2.0, 4.0):
    alike = lcrjax.Pointwise(overlap, jnp.float32(sharpness))
    D = lcrjax.measure(vectors, labels, similarity=alike, q=1)
    ax.plot(range(10), D.class_level["normalized_alpha"][0], "o-", label=f"sharpness {sharpness:g}")
ax.set(xlabel="digit", ylabel="effective images in the class", xticks=range(10))
fig.legend(loc="outside right")
