"""
Compare embeddings with pixels
==============================

The same images, measured by their pixels and by an embedding. Here it is principal components;
the vectors of any network can take their place.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA

import lcrjax
from lcrjax.data import load

digits = load("digits")
labels = digits.train_labels
pixels = digits.train_images.reshape(len(labels), -1)
vectors = PCA(16, random_state=0).fit_transform(pixels).astype(np.float32)

measured = {
    "pixels, RMSD": lcrjax.measure(digits.train_images, labels, q=1),
    "pixels, half median": lcrjax.measure(pixels, labels, similarity="laplacian:0.5median", q=1),
    "PCA, half median": lcrjax.measure(vectors, labels, similarity="laplacian:0.5median", q=1),
    "PCA, cosine": lcrjax.measure(vectors, labels, similarity="cosine", q=1),
}

# %%
# Compare numbers of one similarity only. Across similarities, compare the order of the classes.

fig, axes = plt.subplots(1, 4, figsize=(9, 2.6), layout="constrained")
for ax, (name, D) in zip(axes, measured.items(), strict=True):
    ax.bar(range(10), D.class_level["normalized_alpha"][0], color="#009E73")
    ax.set(title=name, xlabel="digit", xticks=range(10))
axes[0].set_ylabel("effective images in the class")
