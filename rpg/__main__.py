"""``python -m rpg``."""

import sys

from rpg.cli import main

sys.exit(main())
