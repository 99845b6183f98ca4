"""Errors that reach the shell: in the words of its options."""

import re

import numpy as np
import pandas as pd
import pytest

from lcrjax.cli.outcome import OPTIONS, in_options
from lcrjax.study.columns import FEATURES
from tests.study import fake_parts as fake


@pytest.fixture
def options():
    names = (
        "size",
        "features",
        "labels",
        "skip_damaged",
        "resize",
        "mode",
        "test_fraction",
        "vary",
    )
    token = OPTIONS.set({name: f"--{name.replace('_', '-')}" for name in names})
    yield
    OPTIONS.reset(token)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("size is 9: give size= below 4, or fewer features=",
         "--size is 9: give --size below 4, or fewer --features"),
        ("give their file with labels= (--labels FILE.npy or FILE.txt).",
         "give their file with --labels FILE.npy or FILE.txt."),
        ("leave them out by skip_damaged=True (on the command line --skip-damaged).",
         "leave them out by --skip-damaged."),
        ('bring all to one with mode="grey" or mode="rgb" (on the command line --mode)',
         "bring all to one with --mode"),
        ("raise it with --max-pixels, with resize=", "raise it with --max-pixels, with --resize"),
        ("resize=32 means nothing for texts: leave it out",
         "--resize 32 means nothing for texts: leave it out"),
        ("hold none out (test_fraction=0)", "hold none out (--test-fraction 0)"),
        ("no column 'kinds' (test_fraction)", "no column 'kinds' (--test-fraction)"),
        ("give vary='diversity'", "give --vary diversity"),
        ("cannot read a/test_fraction/x: no column 'test_fraction', mode 'size='",
         "cannot read a/test_fraction/x: no column 'test_fraction', mode 'size='"),
        ("there are 9 features of that size", "there are 9 features of that size"),
    ],
)  # fmt: skip
def test_arguments_are_named_as_options(options, said, wanted):
    assert in_options(said) == wanted


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("measure", "x.npy"), "give their file with --labels FILE.npy"),
        (("measure", "toy.npz", "--group-pattern", "("), "--group-pattern '(' is no regular"),
        (("measure", "toy.npz", "--mode", "gray"), "--mode is 'gray': give grey or rgb"),
        (("train", "toy.npz", "--batch-size", "0"), "--batch-size"),
        (("train", "flat.npz", "--test-fraction", "2"), "--test-fraction is 2"),
        (("study", "toy.npz", "--levels", "3"), "give --vary diversity"),
        (("search", "table.csv", "--size", "0"), "'--size'"),
        (("search", "table.csv", "--size", "12"), "give --size below 8, or fewer --features"),
    ],
)
def test_errors_name_options(run, tmp_path, words, sentence):
    np.save(tmp_path / "x.npy", np.zeros((4, 3)))
    np.savez("flat.npz", images=np.zeros((8, 5, 5), np.uint8), labels=np.arange(8) % 2)
    fake.write_npz(tmp_path / "toy.npz", fake.dataset(counts=(30, 20), shape=(5, 5)))
    rng = np.random.default_rng(0)
    names = [*FEATURES, "bacc", "n_pixels", "n_channels", "n_classes"]
    pd.DataFrame(rng.uniform(1, 2, (60, len(names))), columns=names).to_csv("table.csv")
    result = run(*words)
    assert result.exit_code == 2, result.output
    said = " ".join(result.stderr.split())
    assert sentence in said
    assert not re.search(r"\b\w+=|best_subsets|[a-z]_[a-z]", said), said
