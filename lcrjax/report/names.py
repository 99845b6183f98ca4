"""How features and targets are written for readers: on a terminal and in a figure."""

from collections.abc import Sequence

_SUBSCRIPTS = {"0": "₀", "1": "₁", "inf": "∞"}
_GREEK = {"alpha": "α", "rho": "ρ", "gamma": "γ"}
_TARGETS = {"acc": "ACC", "bacc": "BACC", "auc": "AUC", "auc_micro": "AUC (micro)"}
_PARAMETERS = {
    "n_pixels": "number of pixels",
    "n_channels": "number of channels",
    "n_classes": "number of classes",
}


def plain(name: str) -> str:
    """Write a column's name in Unicode, as `A₀` or `max α∞`; unknown names stay as they are."""
    if name in _TARGETS or name in _PARAMETERS:
        return {**_TARGETS, **_PARAMETERS}[name]
    *words, order = name.split("_")
    if not words or order not in _SUBSCRIPTS:
        return name
    return " ".join(_GREEK.get(w, w) for w in words) + _SUBSCRIPTS[order]


def mathtext(name: str) -> str:
    r"""Write a column's name for matplotlib, as `$A_0$` or `max $\alpha_\infty$`."""
    if name in _TARGETS or name in _PARAMETERS:
        return {**_TARGETS, **_PARAMETERS}[name]
    *words, order = name.split("_")
    if not words or order not in _SUBSCRIPTS:
        return name
    *prefix, letter = words
    symbol = f"\\{letter}" if letter in _GREEK else rf"\mathrm{{{letter}}}"
    index = r"\infty" if order == "inf" else order
    return " ".join([*prefix, f"${symbol}_{{{index}}}$"])


def combination(features: Sequence[str], *, math: bool = False) -> str:
    """Write several columns' names as one, joined by plus signs."""
    return " + ".join(map(mathtext if math else plain, features))
