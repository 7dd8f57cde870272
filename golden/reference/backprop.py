"""Back-propagation: the baseline that sends errors backwards through all layers."""

from .layers import Layer, direction


class Backprop:
    """Directions of plain stochastic gradient descent on the softmax cross-entropy.

    From the readout's error ``softmax(o) - y`` downwards, ``xi_l = d_(l+1) W_(l+1)^T`` and
    ``d_l = f'(u_l) J(xi_l)``, J the Jacobian of LayerNorm. Of several samples `Network.learn`
    takes the mean.
    """

    def directions(self, network, layers: list[Layer], error, targets):
        directions, d = [], error
        for layer, weights in zip(reversed(layers), reversed(network.weights), strict=False):
            d = direction(layer, d @ weights.T)
            directions.append(d)
        return directions[::-1]
