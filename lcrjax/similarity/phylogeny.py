"""Similarity from a phylogeny: its branches, as seen from each species, are the elements."""

import dataclasses
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int

from lcrjax.numerics.inputs import numbers
from lcrjax.numerics.tables import first_difference, is_labelled
from lcrjax.similarity.base import Similarity

if TYPE_CHECKING:
    import pandas as pd


class HistoricalSpecies(Similarity):
    r"""Similarity of the historical species of a phylogeny, as `lcrjax.from_newick` makes it.

    A historical species (i, b) is what lived on the branch b that leads to the present species i.
    (j, c) is similar to it if j descends from b, by $\bar T / L_j$, where $L_j$ is the length from
    the root to j and $\bar T$ the mean of these, weighted by abundance: one, if all species are as
    far from the root. Ordinariness is sums within branches, in time and memory H: there is no
    matrix, which need be neither symmetric nor have a diagonal of ones.

    Attributes:
        tip: The present species of each of H historical ones, (H,).
        branch: Its branch, (H,).
        scale: $\bar T / L_j$ of each, (H,).
        names: Names of the H historical species, static.

    References:
        Leinster & Cobbold (2012), appendix A; Reeve et al. (2016), appendix.
    """

    tip: Int[Any, " H"]
    branch: Int[Any, " H"]
    scale: Float[Any, " H"]
    names: tuple[tuple[str, str], ...] = dataclasses.field(metadata={"static": True})

    def check(self, count: int, names: tuple[Any, ...] | None) -> None:
        """Compare with the abundances.

        Raises:
            ValueError: If they are of other elements than the historical species.
        """
        if count != len(self.names):
            raise ValueError(
                f"the phylogeny has {len(self.names)} historical species, but there are {count} "
                "rows of counts: give the abundances that from_newick returns"
            )
        at = first_difference(self.names, names)
        if names is not None and at is not None:
            raise ValueError(
                f"row {at} of the phylogeny is {self.names[at]!r} and row {at} of the counts "
                f"{names[at]!r}: give the abundances that from_newick returns, in their order"
            )

    def ordinariness(
        self, elements: Any, weights: Float[Array, "m k"], others: Any = None
    ) -> Float[Array, "n k"]:
        """Z w: what each species has of the weights, added up over the descendants of a branch.

        Raises:
            ValueError: If `others` are given: the phylogeny knows its own species alone.
        """
        if others is not None:
            raise ValueError("a phylogeny knows no others than its own historical species")
        weights = jnp.asarray(weights)
        count = len(self.names)
        scaled = weights * jnp.asarray(self.scale, weights.dtype)[:, None]
        of_tips = jax.ops.segment_sum(scaled, self.tip, num_segments=count)
        of_branches = jax.ops.segment_sum(of_tips[self.tip], self.branch, num_segments=count)
        return of_branches[self.branch]


def from_newick(newick: str, counts: Any) -> "tuple[pd.DataFrame, HistoricalSpecies]":
    """Read a phylogeny, and spread counts of species over its branches.

    Diversities of the result are phylogenetic: gamma of a single class is the mean phylogenetic
    diversity of Chao, Chiu & Jost (2010), and times the mean length from the root to the species,
    at q = 0, the total length of branches (Faith).

    Args:
        newick: A rooted tree in Newick's format with lengths of all branches, such as
            "((A:1,B:1):2,C:3);". A length of the root is a branch as others are.
        counts: How often each species occurs: a DataFrame with a row for each, by the names of the
            tree's tips, and a column for each class; a Series or a dict, of one class. Tips that
            are not in it are pruned.

    Returns:
        Relative abundances of the historical species, a row for each with the names of its species
        and branch (its first and last species, and its number), and their similarity:
        `lcrjax.diversity(*lcrjax.from_newick(newick, counts))`.

    Raises:
        ValueError: If the tree cannot be read, a branch has no length or a negative one, names of
            tips repeat, or counts are negative, missing, or of species that the tree lacks (all are
            named).

    Examples:
        >>> import lcrjax
        >>> counts = {"A": 2, "B": 2, "C": 4}
        >>> D = lcrjax.diversity(*lcrjax.from_newick("((A:1,B:1):2,C:3);", counts), q=0)
        >>> print(round(float(3 * D.dataset_level["gamma"][0]), 3))  # all branches: 1 + 1 + 2 + 3
        7.0
    """
    import pandas as pd

    if isinstance(counts, dict):
        counts = pd.Series(counts)
    if not is_labelled(counts):
        raise ValueError("counts have no names: give a DataFrame, Series or dict, by the tips")
    frame = counts.to_frame("all") if counts.ndim == 1 else counts
    table = np.asarray(numbers("counts", frame), np.float64)
    if not np.all((table >= 0) & (table < np.inf)) or not table.any():
        raise ValueError("counts are negative, missing or all zero: give counts of species")
    tips, lengths = _paths(newick)
    species = [str(name) for name in frame.index]
    unknown = [name for name in species if name not in tips]
    if unknown:
        raise ValueError(f"the tree has no tips {unknown}: it has {sorted(tips)[:10]} ...")
    if len(set(species)) < len(species):
        raise ValueError("species repeat in the counts: add their rows up")
    depth = np.array([sum(lengths[branch] for branch in tips[name]) for name in species])
    if not np.all(depth > 0):
        raise ValueError(f"{species[int(depth.argmin())]!r} lies at the root: give it a length")
    shares = table / table.sum()
    mean = float(shares.sum(axis=1) @ depth)
    pairs = [(i, b) for i, name in enumerate(species) for b in tips[name] if lengths[b] > 0]
    tip, branch = np.array(pairs, np.int32).T
    abundance = shares[tip] * np.array([lengths[b] for b in branch])[:, None] / mean
    first: dict[int, str] = {}
    last: dict[int, str] = {}
    for i, b in pairs:
        first.setdefault(b, species[i])
        last[b] = species[i]
    names = tuple((species[i], f"{first[b]}..{last[b]} ({b})") for i, b in pairs)
    rows = pd.MultiIndex.from_tuples(names, names=["species", "branch"])
    similarity = HistoricalSpecies(tip, branch, (mean / depth)[tip], names)
    return pd.DataFrame(abundance, index=rows, columns=frame.columns), similarity


def _paths(newick: str) -> tuple[dict[str, list[int]], dict[int, float]]:
    """The branches from the root to each tip, by number, and their lengths."""
    try:
        import dendropy
    except ImportError as error:
        raise ValueError('trees need dendropy: pip install "lcrjax[phylogeny]"') from error
    try:
        tree = dendropy.Tree.get(
            data=newick, schema="newick", rooting="force-rooted", preserve_underscores=True
        )
    except Exception as error:
        raise ValueError(f"the tree cannot be read: {error}") from error
    paths: dict[Any, list[int]] = {}
    tips: dict[str, list[int]] = {}
    lengths: dict[int, float] = {}
    for number, node in enumerate(tree.preorder_node_iter()):
        name, length = node.taxon.label if node.taxon else node.label, node.edge.length
        if length is None and node.parent_node is None:
            length = 0.0
        if length is None or not 0 <= length < np.inf:
            raise ValueError(f"the branch to {name or 'a node'!r} has length {length}: give all")
        lengths[number] = float(length)
        paths[node] = [*paths.get(node.parent_node, []), number]
        if node.is_leaf():
            tips[str(name)] = paths[node]
    return tips, lengths
