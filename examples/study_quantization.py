"""How few bits does learning need? Weight bits and rounding against accuracy on digits."""

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from hebbware.golden import HebbianClassifier

x_train, x_test, y_train, y_test = train_test_split(*load_digits(return_X_y=True), random_state=0)
roundings = ("floor", "nearest", "stochastic")
print("bits", *roundings, sep="\t")
for bits in (16, 12, 8, 6):
    scores = []
    for rounding in roundings:
        network = HebbianClassifier(
            input_range="all", formats__weight_bits=bits, update__rounding=rounding
        )
        scores.append(network.fit(x_train, y_train).score(x_test, y_test))
    print(bits, *(f"{100 * score:.1f} %" for score in scores), sep="\t")
