import itertools

import jax
import matplotlib as mpl
import numpy as np
import pytest

import lcrjax
from lcrjax.data import from_arrays, load
from lcrjax.report import frequency_and_similarity_figure, profile_figure, similarity_figure
from lcrjax.report.figures.frequency_and_similarity import most_alike, most_different
from lcrjax.report.figures.pictures import row_of
from lcrjax.report.figures.profiles import PROFILE_ORDERS, place
from lcrjax.report.figures.similarity_matrix import examples
from lcrjax.report.figures.style import PALETTE, class_colours


@pytest.fixture(scope="module")
def digits():
    return load("digits")


@pytest.fixture(scope="module")
def four_rows(digits):
    return frequency_and_similarity_figure(digits)


@pytest.fixture(scope="module")
def measured(digits):
    return lcrjax.measure(digits.train_images, digits.train_labels, q=PROFILE_ORDERS)


def numbers(figure, column):
    axes = [ax for ax in figure.axes if ax.patches]
    return [float(ax.texts[0].get_text()) for ax in axes[column::2]]


def test_frequency_alone_does_not_see_what_similarity_sees(four_rows):
    counted, compared = numbers(four_rows, 0), numbers(four_rows, 1)
    once = [0.6, 0.1, 0.1, 0.1, 0.1]
    assert counted == [round(float(lcrjax.hill_number(once, 1)), 2), 5, 10, 10]
    assert compared[0] < compared[1]
    assert compared[2] < compared[3] - 0.2
    assert min(compared) > 1
    assert max(compared) < 2


def test_the_images_shown_are_the_ones_measured(four_rows):
    rows = [ax.images[0].get_array() for ax in four_rows.axes if ax.images]
    cut = [[row[:, 9 * i : 9 * i + 8] for i in range(10)] for row in rows]
    distinct = [len({tile.tobytes() for tile in row}) for row in cut]
    assert distinct == [5, 5, 10, 10]
    value = lcrjax.measure(np.stack(cut[2]), np.zeros(10, int), q=1).dataset_level["gamma"][0]
    assert numbers(four_rows, 1)[2] == round(float(value), 2)


def test_colour_images_and_too_few_images(rng):
    images = rng.integers(0, 256, (12, 5, 6, 3), dtype=np.uint8)
    dataset = from_arrays("twelve", images, np.arange(12) % 3, images, np.arange(12) % 3)
    assert frequency_and_similarity_figure(dataset).axes[0].images[0].get_array().shape[2] == 3
    few = from_arrays("two", images[[0, 1] * 6], np.arange(12) % 3, images, np.arange(12) % 3)
    with pytest.raises(ValueError, match="2 training images differ"):
        frequency_and_similarity_figure(few)


def test_most_alike_and_most_different(rng):
    at = np.array([0.0, 5.0, 5.1, 5.2, 9.0, 20.0])
    z = np.exp(-np.abs(at[:, None] - at))
    assert sorted(most_alike(z, 3)) == [1, 2, 3]
    assert set(most_different(z, 2)) == {0, 5}
    assert set(most_different(z, 4)) >= {0, 4, 5}


def test_the_matrix_is_the_sample_s_and_its_marks_are_the_classes(digits):
    figure = similarity_figure(digits, count=60)
    ax, marks, _, left, *small = figure.axes
    z = np.asarray(ax.images[0].get_array())
    assert z.shape == (60, 60)
    np.testing.assert_allclose(np.diag(z), 1, atol=1e-6)
    labels = np.asarray(left.images[0].get_array())[:, 0]
    np.testing.assert_array_equal(np.bincount(labels), 6)
    # A row of marks for each class, at the places of its images.
    at = {round(bar.get_x() + 0.5): round(bar.get_y() + 0.4) for bar in marks.patches}
    assert [at[i] for i in range(60)] == labels.tolist()
    names = [t.get_text() for t in marks.get_yticklabels()]
    assert names == list(digits.class_names)
    colours = class_colours(digits.class_names)
    pictures = [a for a in small if a.images and a.images[0].get_array().shape == (8, 8)]
    assert len(pictures) == 5
    for picture in pictures:
        frame = picture.spines["left"].get_edgecolor()
        assert mpl.colors.same_color(frame, colours[picture.get_title()])
    assert "$\\mathrm{CB}_1$ = 10.00 classes" in figure.get_suptitle()


def test_a_similarity_of_the_caller_s_is_used(digits):
    figures = [
        similarity_figure(digits, count=60, similarity=similarity)
        for similarity in (None, lcrjax.RMSD(scale=5.0))
    ]
    plain, sharp = (np.sort(figure.axes[0].images[0].get_array().ravel()) for figure in figures)
    np.testing.assert_allclose(sharp, plain**5, rtol=1e-5)
    with pytest.raises(ValueError, match="needs 8 at least"):
        similarity_figure(digits, count=7)


def test_examples_come_from_all_over_and_of_different_classes():
    labels = np.repeat([0, 1, 2], [20, 15, 15])
    z = np.where(labels[:, None] == labels, 0.9, 0.1)
    chosen = examples(z, labels, 3)
    assert list(labels[chosen]) == [0, 1, 2]
    assert np.diff(chosen).min() > 5
    assert len(examples(z, np.zeros(50, int), 4)) == 4


def test_profiles_are_the_measures(digits, measured):
    figure = profile_figure(digits)
    for ax, measure in zip(figure.axes, ("alpha", "normalized_rho", "gamma"), strict=True):
        *classes, whole = ax.lines
        assert len(classes) == 10
        np.testing.assert_allclose(whole.get_ydata(), measured.dataset_level[measure])
        np.testing.assert_allclose(classes[3].get_ydata(), measured.class_level[measure][:, 3])
        for name, line in zip(digits.class_names, classes, strict=True):
            assert line.get_color() == class_colours(digits.class_names)[name]
            assert np.diff(line.get_ydata()).max() < 1e-5  # effective numbers fall with q


def test_a_measured_profile_is_drawn_in_the_order_of_q(measured):
    backwards = jax.tree.map(lambda x: x[::-1], measured)
    for figure in (profile_figure(measured), profile_figure(backwards)):
        line = figure.axes[0].lines[-1]
        np.testing.assert_allclose(line.get_xdata(), place(np.array(PROFILE_ORDERS)), atol=1e-6)
        np.testing.assert_array_equal(line.get_ydata(), measured.dataset_level["alpha"])
    assert place(np.array([0, 5, np.inf])).tolist() == [0, 0.5, 1]


def test_rows_of_images_keep_their_pixels(rng):
    images = rng.integers(0, 255, (3, 4, 10, 1), dtype=np.uint8)
    row = row_of(images)
    assert row.shape == (4, 32)
    np.testing.assert_array_equal(row[:, 11:21], images[1, :, :, 0])
    assert np.all(row[:, 10] == 255)
    assert row_of(images / np.float32(255))[0, 10] == 1


def test_a_class_has_one_colour_whatever_else_there_is():
    few, many = class_colours(["a", "b"]), class_colours([*"abcdefghijklmnopqrst"])
    assert few["b"] == many["b"]
    assert len(set(many.values())) == 20


# Machado, Oliveira & Fernandes (2009), severity 1, on linear sRGB.
SEEN = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
    "everybody else": np.eye(3),
}  # fmt: skip


def linear_palette():
    rgb = np.array([mpl.colors.to_rgb(colour) for colour in PALETTE])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("eyes", SEEN)
def test_colour_blind_readers_tell_the_palette_apart(eyes):
    linear = linear_palette()
    seen = np.clip(linear @ np.array(SEEN[eyes]).T, 0, 1)
    xyz = seen @ np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192],
                           [0.1805, 0.0722, 0.9505]]) / [0.9505, 1, 1.089]  # fmt: skip
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    lab = np.stack([116 * f[:, 1] - 16, *(f[:, :2] - f[:, 1:]).T * np.array([[500], [200]])], 1)
    nearest = min(np.linalg.norm(a - b) for a, b in itertools.combinations(lab, 2))
    assert nearest > 14, (eyes, nearest)


def test_every_colour_stands_out_from_paper():
    linear = linear_palette()
    contrast = 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05)  # WCAG 2.2
    assert contrast.min() >= 3
