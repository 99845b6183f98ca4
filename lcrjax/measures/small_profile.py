"""Profile of one measure as a small drawing, for results in notebooks."""

import numpy as np
from jaxtyping import Float

_WIDTH, _HEIGHT, _MARGIN = 240, 90, 14


def profile_svg(q: Float[np.ndarray, " Q"], values: Float[np.ndarray, " Q"]) -> str:
    """Draw effective numbers against viewpoints, from zero up.

    Args:
        q: Viewpoints, whose axis is even in q / (q + 5), so that it has room for infinity.
        values: Effective numbers.

    Returns:
        An SVG element; nothing for fewer than three finite points, which are no profile.
    """
    good = np.isfinite(values)
    order = np.argsort(q[good])
    q, values = q[good][order].astype(float), values[good][order].astype(float)
    if len(q) < 3:
        return ""
    top = values.max()
    across = _MARGIN + (_WIDTH - 2 * _MARGIN) * (1 - 5 / (5 + q))
    down = _HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * values / (top if top > 0 else 1)
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, down, strict=True))
    base, right = _HEIGHT - _MARGIN, _WIDTH - _MARGIN
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" role="img" font-size="9" fill="currentColor">'
        f"<title>A at viewpoints q from {q[0]:g} to {q[-1]:g}</title>"
        f'<path d="M{_MARGIN} {_MARGIN}V{base}H{right}" fill="none" stroke="#888"/>'
        f'<polyline points="{points}" fill="none" stroke="#0072B2" stroke-width="2"/>'
        f'<text x="{_MARGIN}" y="{_MARGIN - 4}">A up to {top:.4g}</text>'
        f'<text x="{_MARGIN}" y="{_HEIGHT - 3}">q = 0</text>'
        f'<text x="{right}" y="{_HEIGHT - 3}" text-anchor="end">∞</text></svg>'
    )
