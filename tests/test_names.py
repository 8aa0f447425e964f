"""Two things never share a name: who meets a class or a type knows which one it is."""

import ast
import re
from collections import defaultdict
from pathlib import Path

RPG = Path(__file__).parents[1] / "rpg"
TYPE = re.compile(r"[A-Z]\w*[a-z]\w*")
"""Public classes and type aliases are written like this, and nothing else is."""


def defined(code: str) -> set[str]:
    """The public classes and type aliases of a module."""
    found = set()
    for node in ast.parse(code).body:
        targets = getattr(node, "targets", [getattr(node, "target", None)])
        names = [node.name] if isinstance(node, ast.ClassDef) else [item.id for item in targets if isinstance(item, ast.Name)]
        found.update(filter(TYPE.fullmatch, names))
    return found


def test_no_two_modules_define_a_type_of_one_name() -> None:
    modules = defaultdict(list)
    for path in RPG.rglob("*.py"):
        for name in defined(path.read_text()):
            modules[name].append(str(path.relative_to(RPG)))
    assert {"Plan", "Tags", "Steering"} <= modules.keys()
    assert not {name: places for name, places in modules.items() if len(places) > 1}
