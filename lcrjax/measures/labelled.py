"""Diversity of labelled images, or of anything else that is compared and belongs to a class."""

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh
from jaxtyping import Float, Int

from lcrjax.measures.column_estimates import check_columns, estimated_by_columns
from lcrjax.measures.counted import diversity
from lcrjax.measures.estimates import check_asked, check_estimable, estimated, exact
from lcrjax.measures.family import labelled_family
from lcrjax.measures.labels import numbered, shared
from lcrjax.measures.resampling import Resampling, resampled
from lcrjax.measures.result import Diversity, result_of
from lcrjax.measures.streamed_sums import own_and_all
from lcrjax.measures.viewpoints import viewpoints
from lcrjax.measures.weighing import check_ordinariness
from lcrjax.numerics.arrays import at_hand
from lcrjax.numerics.groupings import AnyArray
from lcrjax.numerics.listing import counted
from lcrjax.numerics.memory import check_room
from lcrjax.numerics.meshes import is_spread
from lcrjax.numerics.progress import bar
from lcrjax.numerics.streams import Stream
from lcrjax.numerics.together import awaits_others, check_agreed, of_all, on_host, raised_in_all
from lcrjax.numerics.widths import float_dtype
from lcrjax.pairwise.checkpoints import Checkpoint
from lcrjax.pairwise.devices import check_mesh, product_over_mesh
from lcrjax.pairwise.streams import probe
from lcrjax.pairwise.zp import zp
from lcrjax.similarity import RMSD
from lcrjax.similarity.base import TiledSimilarity, count_elements, taken
from lcrjax.similarity.in_blocks import check_in_blocks, large_as_stream
from lcrjax.similarity.spec import as_similarity
from lcrjax.similarity.unnamed import check_images

_ends = jax.jit(lambda images: jnp.stack([jnp.nanmin(images), jnp.nanmax(images)])[:, None])
_traced_family = jax.jit(labelled_family, static_argnames="n_classes")


def measure(
    images: Any,
    labels: Any,
    *,
    similarity: Any = None,
    q: Any = (0, 1, np.inf),
    n_classes: int | None = None,
    class_names: Sequence[str] | None = None,
    resampling: Resampling | None = None,
    rows: int | None = None,
    error: float | None = None,
    seed: int = 0,
    mesh: Mesh | None = None,
    checkpoint: str | Path | None = None,
    columns: int | None = None,
    progress: bool = False,
) -> Diversity:
    """Measure how diverse a labelled image dataset is, and each of its classes.

    Every image is an element of its own, which occurs once, in its class. The matrix of
    similarities is never stored: memory grows with n, time with n².

    Args:
        images: n images, (n, h, w) or (n, h, w, c); uint8, or floats in [0, 1]. With another
            similarity whatever it compares, such as embeddings (n, d), or of a product of
            similarities a tuple. A `lcrjax.Stream` of them, or a large memory map or array of h5py,
            Zarr or Hugging Face, is read in blocks and never as a whole.
        labels: Their n classes: integers, strings or booleans. Or, where images have several, a
            matrix (n, C) of 0 and 1, such as a table with a column for each class: an image with k
            labels counts 1/k in each of these classes, as `diversity` counts shares.
        similarity: None for RMSD, the paper's; a `Similarity`; a word such as "cosine",
            "gaussian:median", "edit", "ngram" or "gower", as `parse_similarity` reads it; or a
            matrix (n, n), or the path of one.
        q: One viewpoint or several, in [0, inf].
        n_classes: Number C of classes that integer labels in 0..C-1 number: with it labels may be
            traced, and classes may be empty, whose values are NaN and count nowhere. Traced labels
            stay unchecked. None for the distinct labels.
        class_names: Names of the classes that integer labels in 0..C-1 number, such as those of a
            `lcrjax.data.Dataset`; it says `n_classes` too.
        resampling: `lcrjax.Bootstrap()` for intervals, or `lcrjax.Subsets(size)` for the diversity
            of fewer images.
        rows: For an estimate with 95 % intervals: how many images to compare with all, a sample
            stratified by class. Time grows with n times rows. Where they are all images, or more,
            intervals have no width.
        columns: Beside `rows`, how many images to compare these with in place of all, another
            sample stratified by class: time then does not grow with n. Beside `error`, how many at
            first: they grow as rows do.
        error: For an estimate of that precision: half the width of the intervals of the dataset's
            A, R and G at finite viewpoints, relative to their values, such as 0.002. Samples grow
            until it is reached; from half of all images on, all are compared, with a warning. Of
            more than 200,000 images an error that takes more pairs than so many have is refused.
        seed: Of the sample.
        mesh: Devices that share the work, of one process or of several (`docs/devices.md`): each
            holds a shard of the images. Those that lie on them stay there, and labels are those of
            all. Others are spread over them: each process gives a part of its own, of as many
            images with their labels, and all get the result for all.
        checkpoint: A folder for partial sums, written every half a minute. After a kill the same
            call resumes from them. They are removed in the end.
        progress: Show a bar with the share of pairs that is done. It needs rich; on a GPU no share
            is known.

    Returns:
        A `Diversity`; its `class_names` are those given, or the distinct labels, 2 before 10, or
        "0" to "C-1".

    Raises:
        ValueError: If the images are not n arrays of numbers without NaN, pixels lie outside
            [0, 1], there are not n labels, some are missing or do not lie in 0..C-1, or are
            traced without `n_classes`, an image has no label (the first are named), several labels
            are to be resampled, or a viewpoint is negative or NaN. If fewer than two rows for each
            class or an error of zero or less is asked for, or one that is out of reach, both of
            them, either with resampling, several labels, traced images or a similarity of no others
            than its own elements. If the mesh lacks the axis along which images are sharded, or
            processes disagree about images or classes. If a stream changes between two passes or
            its blocks do not fit together, it is to be resampled, spread over a mesh or has several
            labels, or the checkpoint is of other images, labels or another similarity.

    References:
        Paper, sections II-E and III-D. Estimates: Lohr (2021), Sampling, chapters 3 and 9.

    Examples:
        >>> import lcrjax
        >>> import numpy as np
        >>> dark, light = np.zeros((2, 8, 8), np.uint8), np.full((2, 8, 8), 255, np.uint8)
        >>> D = lcrjax.measure(np.concatenate([dark, light]), ["dark"] * 2 + ["light"] * 2, q=0)
        >>> print(D.class_names, np.round(D.class_level["alpha"], 3))
        ('dark', 'light') [[2. 2.]]
        >>> print(np.round(D.dataset_level["gamma"], 3))
        [1.462]
    """
    if progress:
        arguments = {**locals(), "progress": False}
        with bar("comparing"):
            return measure(**arguments)
    if mesh is not None and awaits_others():
        arguments = locals()
        with raised_in_all():
            return measure(**arguments)
    orders = viewpoints(q, np.float64)
    check_asked(orders, rows, error, resampling, seed)
    if class_names is not None and n_classes not in (None, len(class_names)):
        raise ValueError(f"there are {len(class_names)} class names, but n_classes is {n_classes}")
    if mesh is not None:
        labels = on_host(labels) if is_spread(labels) else labels
        if resampling is not None or rows is not None or error is not None:
            raise ValueError("over a mesh all is measured: leave out rows, error and resampling")
    table = shared(labels, class_names)
    if table is None:
        names, classes = numbered(labels, n_classes if class_names is None else len(class_names))
        names = names if class_names is None else tuple(map(str, class_names))
    else:
        names, shares_of_classes = table
        classes = np.argmax(shares_of_classes, axis=1).astype(np.int32)
    several = table is not None and bool((shares_of_classes < 1).any(where=shares_of_classes > 0))
    alone = mesh is None and resampling is None and not several
    if checkpoint is not None and (rows is not None or error is not None or not alone):
        raise ValueError("a checkpoint is of all pairs and no more: leave out it or the rest")
    given = RMSD() if similarity is None else similarity
    read = large_as_stream(given, images) if alone else images
    relation, images, _ = as_similarity(given, read, over_mesh=mesh is not None)
    spread = mesh is not None and any(map(is_spread, jax.tree.leaves(images)))
    if mesh is not None:
        check_mesh(mesh, relation, images)
    if isinstance(images, Stream) and not alone:
        raise ValueError(
            "images are read in blocks: leave out mesh and resampling, and give one label for each"
        )
    if not isinstance(images, Stream):
        images = taken(relation, images, over_mesh=mesh is not None)
    if checkpoint is not None and not isinstance(images, Stream):
        check_in_blocks(relation)
        if not at_hand(images):
            raise ValueError("images are traced: leave out the checkpoint")
        images = Stream(images)
    count = count_elements(relation, images)
    if count != len(classes):
        raise ValueError(
            f"there are {counted(count, 'image')} and {counted(len(classes), 'label')}: "
            "give one each"
        )
    asked = rows is not None or error is not None
    if asked and several:
        raise ValueError("images have several labels: leave out rows and error")
    if asked:
        check_estimable(relation, images, classes, rows)
    check_columns(columns, rows, error, classes)
    if columns is not None:
        found = estimated_by_columns(
            relation, images, classes, names, q, rows=rows, error=error, columns=columns, seed=seed,
            check=check_images if similarity is None else None,
        )  # fmt: skip
        if found is not None:
            return found
    if similarity is None:
        if isinstance(images, Stream):
            check_images(probe(images).rows)
        else:
            check_images(_ends_over_mesh(images) if spread else images)
    if several:
        if mesh is not None:
            raise ValueError("images have several labels: leave out the mesh")
        if resampling is not None:
            raise ValueError("images have several labels, which are not resampled: leave it out")
        counts = dict(zip(names, shares_of_classes.T, strict=True))
        return diversity(counts, relation, q=q, elements=images)
    dtype = float_dtype(*jax.tree.leaves(images))
    if isinstance(images, Stream) and not asked:
        kept = None if checkpoint is None else Checkpoint(checkpoint)
        parts = own_and_all(relation, images, classes, names, dtype, kept)
        parts /= len(classes)
        return _diversity(parts[:, 0], parts[:, 1], classes, names, viewpoints(q, dtype))
    if asked and columns is None:
        found = estimated(relation, images, classes, names, q, rows=rows, error=error, seed=seed)
        if found is not None:
            return found
    check_room(
        3 * count * len(names) * dtype.itemsize,
        f"similarities of {count:,} images to {len(names):,} classes",
    )
    weights = (classes[:, None] == np.arange(len(names), dtype=np.int32)[None, :]).astype(dtype)
    sums: Any
    if mesh is None:
        sums = zp(relation, images, jnp.asarray(weights))
    else:
        assert isinstance(relation, TiledSimilarity)  # as `check_mesh` says
        said = {
            "classes": len(names),
            "class names": list(names),
            "viewpoints": at_hand(orders) and orders.tolist(),
        }
        if spread:  # every process has all labels
            said["labels"] = f"those of checksum {zlib.crc32(classes)}"
        sums = of_all(product_over_mesh(relation, images, jnp.asarray(weights), mesh, said=said))
        if not spread:
            weights, classes = of_all(weights), of_all(classes)
    check_ordinariness(sums, weights, names)
    shares = (np.asarray(sums) if at_hand(sums) else sums) / len(classes)
    own = labelled_diversity(shares, classes, names, q)
    if resampling is None:
        return exact(own) if asked else own
    return resampled(own, weights, lambda w: zp(relation, images, jnp.asarray(w)), resampling)


def _ends_over_mesh(images: Any) -> np.ndarray:
    """Least and greatest number of sharded images, for which all processes are needed."""
    check_agreed({"the shape of sharded images": str(images.shape)}, last=False)
    return np.asarray(_ends(images))


def labelled_diversity(
    ordinariness: Float[Array, "n C"] | Float[np.ndarray, "n C"],
    classes: Int[Array, " n"] | Int[np.ndarray, " n"],
    class_names: tuple[str, ...],
    q: Any,
) -> Diversity:
    """Measure a labelled dataset whose ordinariness is known: `measure` without its first half.

    Args:
        ordinariness: $(Z P)_{ij}$ of each of n elements, where each counts 1/n in its own class.
        classes: Class of each element, 0 to C - 1.
        class_names: C names.
        q: One viewpoint or several, in [0, inf].

    Returns:
        A `Diversity`.

    Raises:
        ValueError: If a viewpoint is negative or NaN.
    """
    orders = viewpoints(q, ordinariness.dtype)
    hand = at_hand(ordinariness, classes, orders)
    xp: Any = np if hand else jnp
    table, labels = xp.asarray(ordinariness), xp.asarray(classes)
    own = xp.take_along_axis(table, labels[:, None], axis=1)[:, 0]
    everyone = xp.sum(table, axis=1, dtype=np.float64 if hand else None)
    return _diversity(own, everyone, labels, class_names, orders)


def _diversity(
    own: Float[AnyArray, " n"],
    everyone: Float[AnyArray, " n"],
    classes: Int[AnyArray, " n"],
    class_names: tuple[str, ...],
    orders: Float[AnyArray, " Q"],
) -> Diversity:
    """Measure a labelled dataset by its elements' ordinariness in their own classes and in all."""
    hand = at_hand(own, classes, orders)
    hand = hand and bool(np.bincount(classes, minlength=len(class_names)).all())
    if hand:
        found = labelled_family(classes, own, everyone, n_classes=len(class_names), q=orders)
    else:
        own, everyone = (jnp.asarray(x, orders.dtype) for x in (own, everyone))
        found = _traced_family(
            jnp.asarray(classes), own, everyone, n_classes=len(class_names), q=orders
        )
    return result_of(orders, found, class_names)
