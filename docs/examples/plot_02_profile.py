"""
Draw a diversity profile
========================

A, R and G at every viewpoint q. Where two lines cross, it depends on q (on how much rare images
count) which class is more diverse.
"""

import lcrjax
from lcrjax.data import load
from lcrjax.report import PROFILE_ORDERS, profile_figure

digits = load("digits")
D = lcrjax.measure(digits.train_images, digits.train_labels, similarity="rmsd:10", q=PROFILE_ORDERS)
figure = profile_figure(D)
