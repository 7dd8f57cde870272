"""Training, its controls, checkpoints, the estimator."""
