"""
Train a network of your own on subsets
======================================

A network is two functions. Everything around it stays: subsets, recipe, stopping rule and scores.
This one has a single hidden layer.
"""

import jax
import matplotlib.pyplot as plt
import numpy as np

from lcrjax.data import load
from lcrjax.training import Network, TrainingConfig, train_subsets


def init(key, shape, n_classes):
    """Draw two matrices."""
    first, second = jax.random.split(key)
    d = int(np.prod(shape))
    hidden = jax.random.normal(first, (d, 64)) * d**-0.5
    return {"hidden": hidden, "out": jax.random.normal(second, (64, n_classes)) / 8}, {}


def apply(params, statistics, images, weights, training):
    """Two products with a rectifier in between."""
    x = jax.nn.relu(images.reshape(len(images), -1) @ params["hidden"])
    return x @ params["out"], statistics


digits = load("digits")
rng = np.random.default_rng(0)
sizes = (30, 60, 120, 240)
subsets = [np.sort(rng.permutation(len(digits.train_labels))[:n]) for n in sizes for _ in range(3)]
config = TrainingConfig(learning_rate=1e-2, max_epochs=100)
network = Network("one hidden layer", init, apply)
scores = train_subsets(digits, subsets, seeds=range(12), config=config, network=network)
scores[["acc", "bacc", "epochs", "train_accuracy"]].head()

# %%
# More random images give better scores:

fig, ax = plt.subplots(figsize=(6, 2.8), layout="constrained")
ax.plot(np.repeat(sizes, 3), scores["bacc"], "o", color="#0072B2")
ax.set(xlabel="images", ylabel="balanced accuracy", xscale="log")
ax.set_xticks(sizes, [str(n) for n in sizes])
ax.minorticks_off()
