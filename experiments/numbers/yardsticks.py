"""Numbers of the page with yardsticks, from its tables and the studies'."""

from collections.abc import Iterator

import pandas as pd

from experiments.numbers.panel import r2
from experiments.numbers.predicting import PAIR, percent, share
from experiments.panel import RESULTS as PANEL
from experiments.yardsticks import RESULTS
from lcrjax.study.prediction.files import load_predictor


def yardsticks() -> Iterator[str]:
    whole = pd.read_csv(RESULTS / "whole.csv").set_index(["similarity", "dataset"])
    parts = pd.read_csv(RESULTS / "parts.csv").set_index(["similarity", "dataset", "n", "of parts"])
    paper, half = whole.loc["paper"], whole.loc["half median"]

    def between(scale: str, n: int, digits: int) -> str:
        low, high = (parts.loc[(scale, "fashion", n, end), "A_0"] for end in ("low", "high"))
        return f"{low:.{digits}f} to {high:.{digits}f}"

    per_class = paper["A_0"] / paper["classes"]
    yield f"number of classes times {per_class.min():.2f} to {per_class.max():.2f}**"
    yield (
        f"64 random images of the {paper.loc['fashion', 'images']:,.0f} of Fashion-MNIST have an "
        f"$A_0$ of {between('paper', 64, 2)}, all of them {paper.loc['fashion', 'A_0']:.2f}"
    )
    assert paper.loc["pneumonia", "R_1"] < paper.loc["covid2", "R_1"]
    yield f"each class stands for the whole ({paper.loc['pneumonia', 'R_1']:.2f})"
    yield f"it does not ({paper.loc['mednist', 'R_1']:.2f})"
    assert half["G_1"].idxmin() == "mednist"
    assert half["G_1"].idxmax() == "brain"
    yield f"**G lies between {half['G_1'].min():.1f} and {half['G_1'].max():.1f}.**"
    per_class = half["A_0"] / half["classes"]
    yield f"classes lies between {per_class.min():.1f} and {per_class.max():.1f}.**"
    yield (
        f"64 images of Fashion-MNIST have an $A_0$ of {between('half median', 64, 0)}, 1,024 have "
        f"{between('half median', 1024, 0)} and all {half.loc['fashion', 'A_0']:.0f}"
    )
    yield f"$A_0$ explains {share('A_0')} of the variance of balanced accuracy at the paper's scale"
    yield f"and {share('A_0[laplacian:0.5median]')} at half the median distance"
    yield f"over √n explains {share('class counts alone')}, and looks"
    yield f"in {percent(PAIR)} of pairs in a dataset left out"
    plain = r2("three parameters")
    yield f"$A_0$ explained {plain['A_0']} with the paper's three parameters"
    yield f"class balance {plain['CB_1']} ("
    ends = load_predictor(PANEL).ranges["size"]
    yield f"from scratch on {ends[0]:,.0f} to {ends[1]:,.0f} images"
