"""Numbers of the pages that are not recomputed: given ones, and those measured once.

A page's entries are pieces of its text, in which … stands for other text of a table's cell, or
sections by their heading.
"""

#: Patterns of what is given on every page: shapes, years, versions, licences, the paper's numbers.
EVERYWHERE = (
    r"(\d[\d,]* ?× ?\d+(?: ?× ?\d+)?)",
    r"((?:19|20)\d\d)\b",
    r"(Python 3\.\d+)",
    r"(CUDA \d+)",
    r"(CC BY(?:-[A-Z]+)? [34]\.0)",
    r"(q = \d)",
    r"(\[(?:-1|0), 1\])",
    r"(95 %) (?:bootstrap|interval)",
    r"(Intervals are 95 %)",
    r"(99 %) (?:training accuracy|of the training images)",
    r"(training accuracy is at least 99 %)",
    r"(paper's [\d,]+ (?:models|%))",
    r"(\(paper[^)]*\))",
    r"([Ff]igures? \d(?: to \d)?)",
)

#: By page, settings, definitions and other people's numbers.
GIVEN: dict[str, tuple[str, ...]] = {
    "README.md": (
        "come with a matrix of 0 and 1",
        "| paper (three parameters instead of intercepts) | **0.67** | 0.61 | 0.54 | 0.37 | 0.74 |",
        "compared as the paper does, which found 8 %",
        "represents the dataset; 1 is fully",
    ),
    "glossary.md": (
        '"A at viewpoint 0"',
        "a row for the viewpoint: `alpha` where `q` is 0",
    ),
    "coming-from.md": ("without `q` gives 0, 1, 2 and infinity", "`score_X` of version 0.0.3"),
    "howto/redundant.md": ("Here 40 of 500 images come", "repeats the same 75 images"),
    "howto/fair-test-set.md": ("1 means that test images", "A value well above 1"),
    "howto/label.md": ("learns from the 100 chosen or from 100 random",),
    "howto/how-sure.md": ("comparing 400 images with all",),
    "howto/which-of-two.md": (
        "1. **`neighbour_bacc`",
        "2. **Without a target",
        "3. **Then look",
        "4. **If the",
    ),
    "yardsticks.md": (
        "Is an A of 13 much?",
        "1. **Compare numbers",
        "2. **Divide A",
        "3. **Compare sets",
        "**R is near 1 where",
        "bands are of random parts of 256 images",
        "random parts of 256 images. If a line",
        "If 64 random images have nearly",
    ),
    "embeddings.md": ("one hidden layer of 64", "It must be 1 for equal vectors"),
    "maximum.md": ("Then all subsets of up to 16 elements are tried",),
    "comparing.md": (
        "There are 26 species of 168 spiders and 37 of 252.",
        "how many species 168 of the 252 would have shown",
        "in logs, 2 H less the quantiles",
        "the total length of branches, 7, over the height of the tree, 3",
    ),
    "estimates.md": (
        "has the shape (Q, 2) and",
        '`D.class_interval["alpha"]` (Q, C, 2)',
        "(their lower end is 0)",
        "With fewer than 16 rows for each class",
        "all pairs of up to 200,000 elements, training and test together",
        "Of more it draws 4,096, or",
        "16 for each class if that is more",
        "dealt to 20 groups",
        "an estimate from 400 rows",
        "Of more than 200,000 elements such an error is refused",
        "With `error=0.01, columns=2000` (`--error 1% --columns 2000`)",
        "tell the ordinariness of a row to 3 % or worse",
    ),
    "streams.md": (
        "some blocks of 40 MiB",
        "of more than 80 MiB",
        "Classes of more than 256 MiB",
        "up to 320 MiB of them",
        "to 1e-6",
        "pixels k/255",
    ),
    "measures.md": (
        "Integers of 64 bits and floats from 1e-300 to 1e300",
        "jax itself turns 64-bit integers into 32 bits",
        "integer labels from 0 on may be traced",
        '| up to 8192 elements, or `method="dense"` | 16 n² bytes |',
        "| beyond, q >= 1, or",
        "| up to 1024 vectors, 1 GiB | `tolerance`, 0.01 |",
        "So the score at q = 0 is the numerical rank. For 0 < q < 1 many",
        "starts from 32 random vectors",
        "tolerances below 1e-5 make no sense",
        "**viewpoint** q, from 0 to infinity",
        "lies between 0 (nothing in common) and 1 (the same)",
        "a power mean of order 1 - q",
        "from 1 (fully) downwards",
        "which run from 0 to 1",
        "photographs of a kind have about 0.8",
        "G lies between 1 and 1.6 for all datasets in the paper",
        "| 1 / `rho`, 1 / `normalized_rho` |",
    ),
    "curation.md": (
        "half of the training images, 3,000 at most",
        "on 600 test images at most",
        "(64, 128 and 256 images)",
        "between 5 and 30",
        "1. Choose with",
        "2. Expect a few points",
        "3. Do not take",
        "the 95 % interval of a dataset's mean",
        "with 95 % intervals over repetitions",
    ),
    "selection.md": (
        "there are none, PNG of 8 bits",
        "size it reaches 95 %",
    ),
    "tutorial.md": ("Similarity of 128 digits", "128 images, ordered so"),
    "panel.md": (
        "the paper's have 3 to 15",
        "pixels a side (28 to 299)",
        "hardly better at 1,024 images than at 128",
        "An earlier version of this page said 5 %",
        "The paper's seven reach AUC 0.95 to 0.99 and BACC 0.80 to 0.95 (BloodMNIST 0.99 and 0.92)",
        "for which 0.91 to 0.93 is known",
        "ahead by 0.05",
        "the paper has 20 to 50 of its largest size",
    ),
    "devices.md": (
        "to 1e-6",
        "## Several hosts",
        "## How long it takes",
    ),
    "performance.md": (
        "jax 0.10.2, PyTorch 2.13 (CPU build), scikit-learn 1.9, KeOps 2.3, sentropy 1.5",
        "uint8 images of 784 pixels (Fashion-MNIST) and 10 classes",
        "counting n²/2 pairs",
        "black in 32 images on one side, or in 48 on the other",
        "16-bit integers",
        "A product of 16-bit integers is not enough for every pair: where the rounding might move "
        "a similarity by more than 1e-5",
        "Cosines of 512 components",
        "27 features of each of 100 subsets",
        "## Digits, units and derivatives",
    ),
    "predicting.md": (
        "one measure, adjusted R² | 0.72 |",
        "two measures | 0.80 |",
        "three measures | 0.83 |",
        "480 models of 64, 128 and 256 images",
        "points of balanced accuracy (100 is all)",
    ),
    "reproducing.md": ("blood.npz --most 4000 --samples 1000",),
    "reading.md": (
        "Vectors of more than 80 MiB",
        "takes them as a matrix of 0 and 1",
        "| of 8 bits per channel or fewer | as bytes, few bits spread over 0 to 255 |",
        "as floats in [0, 1], with all its bits",
        "as they are, if they lie in [0, 1]",
        "`--resize 64` makes them one size",
        "268,435,456 pixels (16,384 × 16,384)",
        "`[0.1, 0.2]` or `70 80 82`",
        "natural order of their own names (2 before 10)",
    ),
    "statistics.md": (
        "| 3a |",
        "| 3b |",
        "| 3c |",
        "| 4 |",
        "| 5 |",
        "3b only where",
        "to 1e-9, for features that correlate to within 1e-8 of one",
        "collinear to within 1e-6",
        "A concordance of 0.5 is a coin",
        "fewer than 40 rows",
        "at least 80 % of their variance",
    ),
    "training.md": (
        "basic blocks 2-2-2-2",
        "larger ones 7×7 stride 2",
        "Images up to 32 pixels a side",
        "64 to 512 channels",
        "or after 1,000 epochs",
        "or 1,000 epochs) and nothing else",
        "`settling_batch` images (128)",
        "far from 99 %",
        "random sample of 2,048 of the images",
        "With `models_at_once` above 1",
    ),
    "training-notes.md": (
        "| recipe | 64 images | 256 images | 1,024 images |",
        "At 64 images steps of 3e-3 score higher",
        "Batches of 16 score",
        "batches of 64, one step an epoch",
        "At 256 images batches of 16 and 3e-3 are level",
        "and at 1,024, where nine pairs",
        "Batches of 64 are level from 256 images on (a hundredth lower on 1,024 digits)",
        "Adam 1e-3 with batches of 32 has",
        "that lose nothing at 64 images",
        "Half a cosine over 10 epochs changes nothing at 64 images",
        "at 256 it is level",
        "with 3e-3 it keeps the higher score at 64 images",
        "On 1,024 digits it saved more, with 1e-3 at",
        "AdamW with 0.05 is level",
        "from 256 images on, which",
        "running averages of momentum 0.1 lag",
        "a third of them, 0.9¹⁰",
        "register blocks of 6 pixels by 64 channels (14 channels by 32 for",
        "3×3 kernels of stride 1",
        "36 products for 16 outputs",
        "9 products by sums and differences of taps do the work of 16",
        "over up to 512 images",
        "of all sizes up to 2,048",
        "28×28×3, batch 64, Adam",
    ),
}

#: By page and piece, how it was measured, once.
MEASURED: dict[str, dict[str, str]] = {
    "README.md": {
        "2 to 20 times slower": "benchmarks.ordinariness and benchmarks.training, LCRJAX_NATIVE=0",
    },
    "comparing.md": {
        "Of 200 samples of 100 points of a normal distribution, alike by exp(-distance), with the "
        "source's G at q = 1 known, centred intervals of nominal 95 % held it in 90 % and "
        "percentiles in 70 %; at q = 2 in 92 % and 78 %; at q = 0, where the rarest count most, "
        "in 72 % and 27 %": "a simulation not kept; test_resampling has a smaller one",
    },
    "estimates.md": {
        "## Do the intervals hold the truth?": "python -m experiments.coverage blood.npz --most "
        "4000 --samples 1000; the same with --rows 400 --columns 800 --most 2000 --samples 150; "
        "their rows.csv",
    },
    "streams.md": {
        "## How long": "measure of memory maps, once each, and the largest resident set less that "
        "after jax had started; python -m benchmarks.streams FOLDER",
    },
    "performance.md": {
        "## On a GPU": "python -m benchmarks.ordinariness --gpu on an H200; benchmarks/results/gpu",
        "## What each platform gets": "measured once on an AMD EPYC (Zen 3), which "
        "has no AVX-512: calls of ordinariness with kernels and in native.disabled(), and torch's, "
        "in turns, process_time",
        "## Ordinariness": "python -m benchmarks.ordinariness, several runs",
        "## Similarities of vectors": "python -m benchmarks.similarities --embeddings 10000x512 "
        "--rounds 3; of clusters --rounds 2, on a busy machine",
        "## Features of subsets": "python -m benchmarks.features blood.npz",
        "## The family alone": "python -m benchmarks.family; a new process for each first call",
    },
    "ray.md": {
        "A study of 340 subsets of digits took 189 s on two idle cores, and 147 s with two workers "
        "of one": "lcrjax study digits --sizes 128,256,512,1024 --per-bin 6, once each",
    },
    "reproducing.md": {"It takes 10 seconds": "python -m experiments.numbers, processor time"},
    "statistics.md": {
        "(On simulated tables of 120 rows and 20 features with a known R-squared, nominal 95 % "
        "intervals held it 73 % of the time without the shift and 93 % with it; with 27 features "
        "and 400 rows 86 % and 94 %": "a simulation not kept; test_resampling has one",
    },
    "training.md": {
        "eleven of eleven models (eight of 64 images, three of 256)": "train_subsets, twice",
        "would cost 8 % of the time of 64 digits": "a profile of train_subsets",
    },
    "training-notes.md": {
        "## On a GPU": "python -m benchmarks.training --gpu on an H200, sizes 64 and 256",
        "The digits of 64 and 256 images were trained by one version of the kernels": "the same",
        "on digits-64, trained again, ended .012 ± .005 lower": "experiments.recipe digits, again",
        "Adam at 3e-4 met the criterion having hardly learnt (BACC .60 on digits-64 against .75 "
        "with 1e-3, both with batches of 16)": "a pilot of experiments.recipe that was not kept",
        "## How it is fast": "while it was written, without a command of its own",
        "## Measuring": "python -m benchmarks.training, as the page says",
    },
}
