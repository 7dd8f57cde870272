"""Where a layer's errors come from."""
