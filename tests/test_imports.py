"""The core rooms stay importable in any host: a fresh interpreter imports them and nothing heavy comes along."""

import re
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]

CORE = [
    "errors",
    "values",
    "areas.layout",
    "plan",
    "steering.hooks",
    "llm",
    "planners",
    "editing.instructions",
    "batch.batch",
    "shapes",
    "webui.job",
]
PLANNING = ["errors", "values", "areas.layout", "plan", "llm", "planners", "editing.instructions", "batch.batch", "shapes"]
FORBIDDEN = ["gradio", "diffusers", "transformers", "openai", "google.generativeai", "modules"]

ROOMS = {
    "errors": "",
    "json_faults": "",
    "networks": "errors",
    "values": "errors json_faults",
    "areas": "errors values",
    "plan": "errors networks values areas",
    "inputs": "errors",
    "infotext": "errors values plan",
    "cut": "areas plan",
    "steering": "errors values areas",
    "llm": "errors values",
    "planners": "errors values areas plan llm",
    "shapes": "errors values areas plan steering",
    "editing": "errors networks values areas plan cut infotext llm planners shapes",
    "presets": "errors values areas plan",
    "foreign": "errors values areas plan infotext",
    "pipelines": "errors inputs networks values areas plan steering shapes editing",
    "panel": "errors inputs values areas plan infotext llm planners presets foreign editing",
    "webui": "errors networks values areas plan cut infotext steering llm planners presets editing panel shapes",
    "batch": "errors values areas plan infotext llm planners",
    "cli": "errors inputs values areas plan infotext steering llm planners batch presets editing shapes pipelines panel",
    "__main__": "cli",
    "__init__": "",
}
"""What each room may import."""


def imported(*rooms: str) -> dict[str, set[str]]:
    """The modules that a fresh interpreter knows after it has imported each of the rooms, one after the other."""
    code = f"import sys\nfor room in {rooms}:\n    __import__(room)\n    print(room, *sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    return {name: set(modules) for name, *modules in map(str.split, output.splitlines())}


def heavy(known: dict[str, set[str]], forbidden: set[str]) -> dict[str, set[str]]:
    """The first room after which a forbidden module was there, and which."""
    guilty = {room: modules & forbidden for room, modules in known.items() if modules & forbidden}
    return dict(list(guilty.items())[:1])


def test_core_imports_no_host_and_no_sdk() -> None:
    known = imported(*(f"rpg.{room}" for room in CORE))
    assert len(known) == len(CORE)
    assert not heavy(known, set(FORBIDDEN))


def test_planning_rooms_do_not_need_torch() -> None:
    assert not heavy(imported(*(f"rpg.{room}" for room in PLANNING)), {"torch"})


def test_the_tree_in_contributing_names_every_room() -> None:
    tree = (CHECKOUT / "CONTRIBUTING.md").read_text()
    rooms = [room for room in ROOMS if not room.startswith("__")]
    assert not [room for room in rooms if f"`{room}`" not in tree and f"`{room}/`" not in tree]


def test_every_room_imports_only_from_the_rooms_above_it() -> None:
    wrong = []
    for path in (CHECKOUT / "rpg").rglob("*.py"):
        room = path.relative_to(CHECKOUT / "rpg").parts[0].removesuffix(".py")
        for found in re.finditer(r"^\s*(?:from rpg import|from rpg\.|import rpg\.)\s*(\w+)", path.read_text(), re.MULTILINE):
            if found[1] not in (room, *ROOMS[room].split()):
                wrong.append(f"{path.relative_to(CHECKOUT)}: {found[0].strip()}")
    assert not wrong


def test_the_host_is_imported_by_the_script_and_behind_its_seam_only() -> None:
    files = (CHECKOUT / "rpg").rglob("*.py")
    importing = [path.name for path in files if re.search(r"^\s*(from|import) modules\b", path.read_text(), re.MULTILINE)]
    assert sorted(importing) == ["a1111.py", "forge.py", "gallery.py", "inner_jobs.py", "script.py"]


def test_the_check_would_notice() -> None:
    assert heavy(imported("rpg.errors", "openai"), set(FORBIDDEN)) == {"openai": {"openai"}}
