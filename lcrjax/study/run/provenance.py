"""Provenance of a result: what decides it, in plain values to write down and compare."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lcrjax.data import Dataset
from lcrjax.study.run.machines import machine


def describe(
    datasets: Sequence[Dataset], on: Mapping[str, Any] | None = None, **settings: Any
) -> dict[str, Any]:
    """Collect everything that decides a result, and where its data came from.

    Args:
        datasets: The datasets that it rests on.
        on: What `machine` says of the machine that computes; None for this one.
        **settings: What decides it besides them, in plain values.

    Returns:
        A dictionary that JSON can hold: `decides` must be the same whenever the work is resumed;
        `about` tells sources, licences, and what reading left out, changed or held out.
    """
    contents = {
        d.name: {
            "content_hash": d.content_hash(),
            "train": len(d.train_labels),
            "test": len(d.test_labels),
            "image_shape": list(d.element_shape),
            "classes": d.n_classes,
        }
        for d in datasets
    }
    found = machine() if on is None else on
    environment = {part: found[part] for part in ("versions", "device")}
    about = {
        d.name: {
            "source": d.source,
            "licence": d.licence,
            "class_names": list(d.class_names),
            "notes": list(d.notes),
        }
        for d in datasets
    }
    return {"decides": {**settings, "datasets": contents, **environment}, "about": about}


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """List the settings that differ, one line each: `key: old -> new`."""
    before, after = dict(_flat(old)), dict(_flat(new))
    pairs = {key: (before.get(key, "absent"), after.get(key, "absent")) for key in before | after}
    return [f"{key}: {_short(a)} -> {_short(b)}" for key, (a, b) in sorted(pairs.items()) if a != b]


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 70 else f"{text[:67]}..."
