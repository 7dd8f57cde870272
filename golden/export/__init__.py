"""A trained network for others: integer C, memory images, and a graph of integer operators."""
