"""ADetailer prints by a package that the host does not bring; what it prints is of no use here."""

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from unittest.mock import MagicMock

if importlib.util.find_spec("rich") is None:
    for name in ("rich", "rich.console", "rich.panel", "rich.table", "rich.traceback"):
        sys.modules[name] = MagicMock(__spec__=ModuleSpec(name, None), __path__=[])
    sys.modules["rich.console"].Console.return_value.width = 80
