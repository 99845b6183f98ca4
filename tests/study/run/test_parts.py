import functools
import types

import pandas as pd

from lcrjax.similarity import RMSD
from lcrjax.study import features
from lcrjax.study.columns import FEATURES
from lcrjax.study.run.parts import measure_subsets, name_of
from lcrjax.training import resnet18, train_subsets
from tests.study import fake_parts as fake


def test_parts_have_names_that_hold_no_addresses():
    network = types.SimpleNamespace(name="small")
    given = functools.partial(fake.train, 3, network=network, other=fake.measure)
    name = f"{fake.__name__}.train(3, network=small, other={fake.__name__}.measure)"
    assert name_of(given) == name
    assert name_of(object()) == "builtins.object"
    assert name_of(functools.partial(train_subsets, network=resnet18)) == (
        "lcrjax.training.subsets.train_subsets(network=resnet18)"
    )
    assert name_of("text") == "'text'"


def test_measuring_is_that_of_features():
    data = fake.dataset()
    subsets = pd.Series(range(40)).to_numpy().reshape(2, 20)
    found = measure_subsets(data, subsets, RMSD())
    assert list(found) == list(FEATURES)
    pd.testing.assert_frame_equal(found, features(data.train_images, data.train_labels, subsets))
