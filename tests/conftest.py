"""What all tests share: where the IDX files of a checkout's neighbour folder are."""

import os
from pathlib import Path

NEIGHBOUR = Path(__file__).resolve().parents[2] / "shared" / "data"

if NEIGHBOUR.is_dir():
    os.environ.setdefault("HEBBWARE_DATA", str(NEIGHBOUR))
