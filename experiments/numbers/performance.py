"""Numbers of the performance page, from the committed times."""

from collections.abc import Iterator

import pandas as pd

from experiments.numbers.pages import ROOT


def performance() -> Iterator[str]:
    times = pd.read_csv(ROOT / "benchmarks" / "results" / "ordinariness.csv").set_index("n")
    ratio = times[["torch.cdist", "scikit-learn", "KeOps"]].div(times["lcrjax"], axis=0)
    ours = times["lcrjax"]
    torch, sklearn, keops = (ratio[name] for name in ratio)
    rest = {n: f"{sklearn[n]:.0f} | {keops[n]:.0f}" for n in (1000, 5000)}
    yield f"| 1,000 | {ours[1000]:.4f} s | {torch[1000]:.1f} times that | {rest[1000]} |"
    yield f"| 5,000 | {ours[5000]:.3f} s | {torch[5000]:.0f} | {rest[5000]} |"
    yield f"| 20,000 | {ours[20000]:.3f} s | {torch[20000]:.1f} | {sklearn[20000]:.0f} |"
    yield f"| 60,000 | {ours[60000]:.2f} s |"
    rate = times.loc[60000, "product rate"]
    yield f"runs at {60000**2 * 784 / ours[60000] / rate:.1f} times the rate"
    yield f"({rate / 1e9:.0f} G operations a second then"
