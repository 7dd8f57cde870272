"""Simulate the RTL on real digits and compare every clock with the golden model."""

from hebbware.cosim.core import cosimulate
from hebbware.golden import CoreConfig
from hebbware.golden.data import sets as data

digits = data.load("digits")
config = CoreConfig.of((64, 8, 6, 10), lanes=4, formats__weight_bits=8)
labels = [*digits.y_train[:20].tolist(), *[None] * 10]  # learn 20 samples, then infer 10
run = cosimulate(config, digits.x_train[:30], labels, stalls=64)

print(run.message or "equal")
print(f"{run.result.compared} records compared in {run.result.clocks} clocks")
print("inferred:", run.classes[20:].tolist())
