"""Names of features and targets as readers see them: columns' names, typeset on pages."""

import re
from collections.abc import Sequence

_SUBSCRIPTS = {"0": "₀", "1": "₁", "inf": "∞"}
_GREEK = {"alpha": "α", "rho": "ρ", "gamma": "γ"}
_WORDS = {
    "acc": "ACC",
    "bacc": "BACC",
    "auc": "AUC",
    "auc_micro": "AUC (micro)",
    "n_pixels": "number of pixels",
    "n_channels": "number of channels",
    "n_classes": "number of classes",
}

_WITHIN = re.compile(r"\b(?:[ARGB]|CB|(?:min|max)_(?:alpha|rho|gamma))_(?:0|1|inf)\b")


def plain(name: str) -> str:
    """Write a column's name in Unicode, as `A₀` or `max α∞`; unknown names stay as they are."""
    *words, q = name.split("_")
    if not words or q not in _SUBSCRIPTS:
        return _WORDS.get(name, name)
    return " ".join(_GREEK.get(w, w) for w in words) + _SUBSCRIPTS[q]


def typeset(text: str) -> str:
    """Write the names of columns within a text in Unicode, `A_0` as `A₀`."""
    return _WITHIN.sub(lambda name: plain(name[0]), text)


def mathtext(name: str) -> str:
    r"""Write a column's name for matplotlib, as `$A_0$` or `max $\alpha_\infty$`."""
    *words, q = name.split("_")
    if not words or q not in _SUBSCRIPTS:
        return _WORDS.get(name, name)
    *prefix, letter = words
    symbol = f"\\{letter}" if letter in _GREEK else rf"\mathrm{{{letter}}}"
    index = r"\infty" if q == "inf" else q
    return " ".join([*prefix, f"${symbol}_{{{index}}}$"])


def combination(features: Sequence[str], *, math: bool = False) -> str:
    """Write several columns' names as one, joined by plus signs."""
    return " + ".join(map(mathtext if math else plain, features))


def family(features: Sequence[str]) -> str:
    """Say of what kind a combination of features is.

    Returns:
        "alpha" with an alpha diversity among them, "usual" for size and class balances only, or
        "other".
    """
    if any(name.startswith("A_") or "alpha" in name for name in features):
        return "alpha"
    return "usual" if all(n == "size" or n.startswith("CB") for n in features) else "other"
