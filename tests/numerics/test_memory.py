import os

import numpy as np
import pytest

import lcrjax
from lcrjax.data import Dataset
from lcrjax.data.dataset import Split
from lcrjax.numerics import memory
from lcrjax.numerics.memory import available_bytes, check_room
from lcrjax.report.figures.clustered import clustered_sample

MANY = 1 << 22  # elements, of which no machine holds the matrix


def test_what_is_available_is_part_of_the_machine():
    assert 2**20 < available_bytes() <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    check_room(available_bytes() // 2, "arrays")
    with pytest.raises(ValueError, match=r"arrays take .* bytes .* are available: give fewer"):
        check_room(2 * available_bytes(), "arrays")


@pytest.mark.parametrize(
    ("folder", "most", "used"),
    [
        (".", "memory.max", "memory.current"),
        ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ],
)
def test_a_limit_of_the_container_counts(folder, most, used, monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_CGROUPS", tmp_path)
    unlimited, group = available_bytes(), tmp_path / folder
    group.mkdir(exist_ok=True)
    (group / used).write_text(f"{2**26}\n")
    (group / "memory.stat").write_text(f"active_file 9\ninactive_file {2**20}\n")
    (group / most).write_text("max\n")  # no limit
    assert available_bytes() > unlimited / 2
    (group / most).write_text(f"{2**27}\n")
    assert available_bytes() == 2**27 - 2**26 + 2**20
    said = r"arrays take 1,610,612,736 bytes \(1\.5 GiB\), of which 68,157,440 are available"
    with pytest.raises(ValueError, match=said):
        check_room(3 * 2**29, "arrays")
    (group / most).write_text("0\n")
    assert available_bytes() == 0
    check_room(2**24 - 1, "small arrays")  # are not worth looking
    with pytest.raises(ValueError, match="0 are available"):
        check_room(2**24, "arrays")


def test_a_limit_of_the_process_counts():
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/status", encoding="utf-8") as file:
        taken = next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmSize:"))
    resource.setrlimit(resource.RLIMIT_AS, (taken + 2**30, before[1]))
    try:
        assert available_bytes() <= 2**30
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("similarity", [lcrjax.Laplacian(1.0), lcrjax.PythonFunction(max)])
def test_vendi_scores_of_too_many_elements(similarity):
    with pytest.raises(ValueError, match=r"of 4,194,304 elements take 422,212,465,065,984 bytes"):
        lcrjax.vendi_score(np.zeros((MANY, 1), np.float32), similarity, method="dense")


def test_as_many_classes_as_images():
    with pytest.raises(ValueError, match=r"4,194,304 classes take 211,106,232,532,992 b"):
        lcrjax.measure(np.zeros((MANY, 1, 1), np.uint8), np.arange(MANY))


def test_a_matrix_of_which_no_copy_fits():
    similarity = object.__new__(lcrjax.Precomputed)  # unchecked: its diagonal is zero
    object.__setattr__(similarity, "matrix", np.broadcast_to(np.float64(0), (MANY, MANY)))
    with pytest.raises(ValueError, match=r"a copy in float32 of the similarities of 4,194,304"):
        similarity.ordinariness(None, np.zeros((MANY, 1), np.float32))


def test_a_sample_too_large_to_draw():
    images, labels = np.broadcast_to(np.uint8(0), (MANY, 1, 1)), np.zeros(MANY, np.int32)
    dataset = Dataset("black", Split(images, labels), None, ("nothing",))
    with pytest.raises(ValueError, match=r"a sample of 4,194,304 images take"):
        clustered_sample(dataset, MANY)
