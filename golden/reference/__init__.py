"""The learning rules in double precision: the paper's, this project's, and their baselines.

What the integer models are measured against; agrees with the authors' published implementation of
the paper. Nothing here is bit-exact or clock-exact.
"""

from .hsic import bottleneck_gradient, hsic_bottleneck, hsic_modulator

__all__ = ["bottleneck_gradient", "hsic_bottleneck", "hsic_modulator"]
