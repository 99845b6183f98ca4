import pytest
from matplotlib.mathtext import MathTextParser

from lcrjax.report.names import combination, family, mathtext, plain, typeset
from lcrjax.study.columns import FEATURES, PARAMETERS, TARGETS


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("A_0", "A₀"),
        ("CB_inf", "CB∞"),
        ("max_alpha_inf", "max α∞"),
        ("min_rho_1", "min ρ₁"),
        ("size", "size"),
        ("bacc", "BACC"),
        ("n_classes", "number of classes"),
        ("something_else", "something_else"),
    ],
)
def test_plain(name, expected):
    assert plain(name) == expected


def test_names_tell_features_apart():
    columns = (*FEATURES, *PARAMETERS, *TARGETS)
    assert len(set(map(plain, columns))) == len(set(map(mathtext, columns))) == len(columns)


@pytest.mark.parametrize("name", FEATURES)
def test_mathtext_parses(name):
    MathTextParser("path").parse(mathtext(name))


def test_typesetting_a_text():
    text = "size + A_0, max_alpha_inf; A_0[rmsd:10] and n_classes, META_0, A_2"
    assert typeset(text) == "size + A₀, max α∞; A₀[rmsd:10] and n_classes, META_0, A_2"


def test_combination():
    assert combination(("A_0", "size")) == "A₀ + size"
    assert combination(("A_0", "size"), math=True) == r"$\mathrm{A}_{0}$ + size"


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        (("size",), "usual"),
        (("size", "CB_inf"), "usual"),
        (("size", "A_0"), "alpha"),
        (("max_alpha_1", "G_0"), "alpha"),
        (("size", "G_0"), "other"),
    ],
)
def test_families_of_features(features, expected):
    assert family(features) == expected
