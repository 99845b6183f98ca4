"""
Draw a diversity profile
========================

A, R and G at every viewpoint q. Lines that cross say: which class is more diverse depends on how
much rare images count.
"""

import lcrjax
from lcrjax.data import load
from lcrjax.report import PROFILE_ORDERS, profile_figure

digits = load("digits")
D = lcrjax.measure(digits.train_images, digits.train_labels, similarity="rmsd:10", q=PROFILE_ORDERS)
figure = profile_figure(D)
