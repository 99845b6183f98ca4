"""Options that several experiments take."""

import argparse


def add_ray(parser: argparse.ArgumentParser) -> None:
    """Let an experiment's blocks be computed by a Ray cluster, as those of a study are."""
    parser.add_argument(
        "--ray",
        help="compute on a Ray cluster: HOST:PORT, auto for the one that runs on this machine or "
        "that RAY_ADDRESS names, or local for one that ends with the experiment",
    )
