"""Names of the columns of a study's table (paper, section III-E)."""

#: The 27 candidate features: 26 diversities of a subset, and its size.
FEATURES: tuple[str, ...] = (
    "A_0", "A_1", "A_inf",
    "R_0", "R_1", "R_inf",
    "G_0", "G_1", "G_inf",
    "min_alpha_0", "min_alpha_1",
    "min_rho_0", "min_rho_1",
    "min_gamma_0", "min_gamma_1",
    "max_alpha_0", "max_alpha_1", "max_alpha_inf",
    "max_rho_0", "max_rho_1", "max_rho_inf",
    "max_gamma_0", "max_gamma_1", "max_gamma_inf",
    "CB_1", "CB_inf",
    "size",
)  # fmt: skip

#: One model for every single feature.
SINGLES: tuple[tuple[str, ...], ...] = tuple((name,) for name in FEATURES)

#: Constants of a dataset, in every regression so that it can normalise by them.
PARAMETERS: tuple[str, ...] = ("n_pixels", "n_channels", "n_classes")

#: What the regressions explain, all measured on the test set that a dataset's subsets share.
TARGETS: tuple[str, ...] = ("acc", "bacc", "auc")

#: Groups of features that the paper regresses on together (section IV-D).
FEATURE_SETS: dict[str, tuple[str, ...]] = {
    "alphas": tuple(f for f in FEATURES if f.startswith("A_") or "alpha" in f),
    "gammas": tuple(f for f in FEATURES if f.startswith("G_") or "gamma" in f),
    "rhos": tuple(f for f in FEATURES if f.startswith("R_") or "rho" in f),
    "class balances": ("CB_1", "CB_inf"),
    "size": ("size",),
    "all": FEATURES,
}
