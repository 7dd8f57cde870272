"""How a run of a sweep is done, by the kind that its key names."""

from __future__ import annotations


def execute(key: dict, data_dir: str | None = None) -> dict:
    """Return the content of the result of a key: of a training, or of a synthesis."""
    if key.get("kind") == "synthesis":
        from hebbware.study import synthesis

        return synthesis.execute(key, data_dir)
    from hebbware.study import run

    return run.execute(key, data_dir)
