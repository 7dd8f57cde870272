"""The lanes: operands, products, sums, words."""
