import importlib
import pkgutil
import re

import pytest

import rpg
from rpg import errors

IMPORTABLE = ("rpg.areas", "rpg.cli", "rpg.llm", "rpg.panel", "rpg.plan", "rpg.planners", "rpg.steering", "rpg.values")


def test_tree() -> None:
    """It is the one that the docstring draws, and all of it."""
    drawn: dict[str, str] = {}
    above = [(-1, "RPGError")]
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"(?P<indent>[ │]*[├└]── )(?P<name>\w+)", line):
            above = [(depth, name) for depth, name in above if depth < len(found["indent"])]
            drawn[found["name"]] = above[-1][1]
            above.append((len(found["indent"]), found["name"]))
    everything = [room.name for room in pkgutil.walk_packages(rpg.__path__, "rpg.") if room.name.startswith(IMPORTABLE)]
    for name in everything:
        importlib.import_module(name)

    def below(kind: type) -> dict[str, str]:
        return {sub.__name__: kind.__name__ for sub in kind.__subclasses__()} | {
            name: base for sub in kind.__subclasses__() for name, base in below(sub).items()
        }

    assert below(errors.RPGError) == drawn


@pytest.mark.parametrize("kind", [errors.RPGError, errors.PlanError])
def test_the_host_finds_status_and_detail_on_the_instance(kind: type[errors.RPGError]) -> None:
    error = kind("base_ratio is 2.")
    assert vars(error) == {"status_code": 422, "detail": "base_ratio is 2."}
    assert str(error) == "base_ratio is 2."
    assert kind("busy", status_code=503).status_code == 503
