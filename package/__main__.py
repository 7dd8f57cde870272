"""The console command ``hebbware`` as ``python -m hebbware``."""

import sys

from hebbware.cli.main import main

sys.exit(main())
