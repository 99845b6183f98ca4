"""
Measure texts
=============

Texts are compared by runs of three characters (``ngram``) or by edits (``edit``). The texts are
paragraphs of the descriptions of four datasets that come with scikit-learn.
"""

import re

import matplotlib.pyplot as plt
import sklearn.datasets

import lcrjax

texts, labels = [], []
for name in ("breast_cancer", "diabetes", "digits", "wine"):
    description = getattr(sklearn.datasets, f"load_{name}")().DESCR
    paragraphs = [" ".join(p.split()) for p in re.split(r"\n\s*\n|\n\s*-", description)]
    paragraphs = [p for p in paragraphs if 40 < len(p) < 400]
    texts += paragraphs
    labels += [name] * len(paragraphs)

D = lcrjax.measure(texts, labels, similarity="ngram", q=1)
D.to_frame().set_index("level")[["normalized_alpha", "normalized_rho", "gamma"]].round(2)

# %%
# The most ordinary and the most unusual paragraph, by their mean similarity to all:

ordinary = lcrjax.ordinariness(texts, [1 / len(texts)] * len(texts), "ngram")
for place in (ordinary.argmax(), ordinary.argmin()):
    print(f"{ordinary[place]:.3f}  {texts[place][:90]}")

fig, ax = plt.subplots(figsize=(6, 2.5), layout="constrained")
for name in D.class_names:
    own = [x for x, label in zip(ordinary, labels, strict=True) if label == name]
    ax.plot(own, [name] * len(own), "o", alpha=0.6)
ax.set(xlabel="ordinariness of a paragraph")
