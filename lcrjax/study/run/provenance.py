"""Provenance of a study: what decides its result, in plain values to write down and compare."""

import importlib.metadata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax

from lcrjax import __version__, native
from lcrjax.data import Dataset
from lcrjax.study.design.config import StudyConfig
from lcrjax.study.run.parts import name_of
from lcrjax.study.run.plan import Block

_PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy")


def describe_study(
    datasets: Sequence[Dataset],
    config: StudyConfig,
    blocks: Sequence[Block],
    replaced: Mapping[str, Any],
) -> dict[str, Any]:
    """Collect everything that decides a study's result, and where its data came from.

    Args:
        datasets: The study's datasets.
        config: Its configuration.
        blocks: Its plan.
        replaced: Parts that are not lcrjax's own.

    Returns:
        A dictionary that JSON can hold: `decides` must be the same whenever the study is resumed;
        `about` tells sources and licences.
    """
    lengths: dict[str, dict[str, list[int]]] = {}
    for block in blocks:
        sizes = lengths.setdefault(block.dataset, {})
        sizes.setdefault(str(block.n), []).append(len(block.seeds))
    described = config.to_dict()
    described["blocks"] = lengths
    described.update({name: name_of(part) for name, part in replaced.items()})
    described["datasets"] = describe_datasets(datasets)
    described.update(describe_environment())
    return {"decides": described, "about": describe_sources(datasets)}


def describe_datasets(datasets: Sequence[Dataset]) -> dict[str, Any]:
    """Collect what tells datasets from others, by name."""
    return {
        d.name: {
            "content_hash": d.content_hash(),
            "train": len(d.train_labels),
            "test": len(d.test_labels),
            "image_shape": list(d.image_shape),
            "classes": d.n_classes,
        }
        for d in datasets
    }


def describe_environment() -> dict[str, Any]:
    """Collect what decides the bits of any computation: versions and device."""
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    # The same program rounds differently on another kind of device, by other kernels, or in
    # another width.
    device = {
        "kind": jax.devices()[0].device_kind,
        "native_kernels": native.available(),
        "floats": str(jax.dtypes.canonicalize_dtype(float)),
        "matmul_precision": jax.config.jax_default_matmul_precision,  # type: ignore[attr-defined]
    }
    return {"versions": {**versions, "lcrjax": __version__}, "device": device}


def describe_sources(datasets: Sequence[Dataset]) -> dict[str, Any]:
    """Say where datasets came from, by name."""
    return {
        d.name: {"source": d.source, "licence": d.licence, "class_names": list(d.class_names)}
        for d in datasets
    }


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """List the settings that differ, one line each: `key: old -> new`."""
    before, after = dict(_flat(old)), dict(_flat(new))
    lines = []
    for key in sorted({*before, *after}):
        a, b = before.get(key, "absent"), after.get(key, "absent")
        if a != b:
            lines.append(f"{key}: {_short(a)} -> {_short(b)}")
    return lines


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 70 else f"{text[:67]}..."
