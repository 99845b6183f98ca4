"""
Measure a table
===============

Rows of a table are compared column by column with Gower's similarity: numbers by their distance,
words by being equal, ordered categories by their ranks.
"""

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_wine

import lcrjax

wine = load_wine(as_frame=True)
table = wine.data[["alcohol", "hue", "proline"]].copy()
table["strength"] = pd.Categorical(
    pd.cut(table["alcohol"], 3, labels=["light", "medium", "strong"]), ordered=True
)
names = wine.target_names[wine.target]
D = lcrjax.measure(table, names, similarity="gower", q=1)
D.to_frame().set_index("level")[["alpha", "normalized_alpha", "normalized_rho"]].round(3)

# %%
# Which wines are unusual? Those with little similarity to the others of their class.

weights = pd.get_dummies(pd.Series(names)).to_numpy(float)
to_class = lcrjax.ordinariness(table, weights / weights.sum(axis=0), "gower")
own = (to_class * weights).sum(axis=1)
fig, ax = plt.subplots(figsize=(6, 3), layout="constrained")
points = ax.scatter(table["alcohol"], table["proline"], c=own, s=18, cmap="viridis")
fig.colorbar(points, label="similarity to the own class")
ax.set(xlabel="alcohol", ylabel="proline")
