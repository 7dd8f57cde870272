"""Passes of the plain core over a convolution's positions: `hebbware.golden.layers.conv`."""

import numpy as np

from .layers import maps
from .layers.normalise import Scale, normalised, statistics
from .modulators import class_memory as modulator
from .neurons import dynamics
from .program.walk import Store, Written


class MapPasses:
    """What `hebbware.golden.core.Core` does for convolutions; a method for each kind of pass.

    Activations, normalised or not, and directions are arrays (positions, features).
    """

    def _convolve(self, p, s):
        cfg, layer = self.config, p.layer
        s.pre[layer] = maps.patches(cfg.windows[layer], s.inputs[layer])
        u = maps.sums(cfg, layer, s.pre[layer], self.weights[layer])
        s.a[layer] = dynamics.activate(cfg, u)
        return (Written(Store.A, layer, None, s.a[layer]),)

    def _moments(self, p, s):
        self._sum(p, s)
        return self._squares(p, s)

    def _normalise_positions(self, layer, s):
        """Each position with statistics of its own; lists of them become arrays."""
        cfg, a = self.config, s.a[layer]
        found = [
            statistics(cfg, int(total), int(squares), a.shape[1])
            for total, squares in zip(s.totals[layer], s.squares[layer], strict=True)
        ]
        mean, mantissa, exponent, power = (
            np.array([[getattr(scale, name)] for scale in found])
            for name in ("mean", "mantissa", "exponent", "power")
        )
        s.powers[layer] = power
        s.z[layer] = normalised(cfg, a, Scale(mean, mantissa, exponent))
        return (Written(Store.Z, layer, None, s.z[layer]),)

    def _pool(self, p, s):
        pooled = maps.pooled(self.config.windows[p.layer], s.z[p.layer])
        s.inputs[p.layer + 1] = pooled.ravel()
        return (Written(Store.MAP, p.layer, None, pooled),)

    def _cells(self, p, s):
        cells = maps.cells(self.config, p.layer, s.z[p.layer])
        s.seen[p.layer] = cells.ravel()
        return (Written(Store.CELLS, p.layer, None, cells),)

    def _direction_of_positions(self, layer, s):
        """As of a vector, with what the class memory remembers of each position's cell."""
        cfg, a = self.config, s.a[layer]
        window, features = cfg.windows[layer], a.shape[1]
        read = s.read[layer].reshape(len(s.read[layer]), -1, features)[:, maps.cell_of(window)]
        d = modulator.direction(
            cfg, s.pulls[layer], s.jacobians[layer], read.reshape(len(read), -1),
            s.z[layer].ravel(), dynamics.active(cfg, a).ravel(),
            np.repeat(s.powers[layer], features),
        )  # fmt: skip
        s.directions[layer] = d.reshape(a.shape)
        return (Written(Store.D, layer, None, s.directions[layer]),)

    def _correlate(self, p, s):
        """The changes of all positions, summed up, then one step with one rounding."""
        d, one = s.directions[p.layer], self.config.source(p.layer).one
        change = np.concatenate([s.pre[p.layer].T @ d, one * d.sum(axis=0, keepdims=True)])
        return self._stepped(p, np.arange(len(change)), -change)
