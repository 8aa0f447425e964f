"""The core rooms stay importable in any host: a fresh interpreter imports them and nothing heavy comes along."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

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
FORBIDDEN = ["gradio", "diffusers", "transformers", "openai", "google.generativeai", "modules"]

ROOMS = {
    "errors": "",
    "json_faults": "",
    "networks": "errors",
    "values": "errors json_faults",
    "areas": "errors values",
    "plan": "errors networks values areas",
    "infotext": "errors values plan",
    "steering": "errors values areas",
    "llm": "errors values",
    "planners": "errors values areas plan llm",
    "shapes": "errors values areas plan steering",
    "editing": "errors values areas plan llm planners shapes",
    "presets": "errors values areas plan",
    "foreign": "errors values areas plan infotext",
    "pipelines": "errors networks values areas plan steering shapes",
    "panel": "errors values areas plan llm planners presets foreign",
    "webui": "errors networks values areas plan infotext steering llm planners presets panel shapes",
    "batch": "errors values areas plan infotext llm planners",
    "cli": "errors values areas plan infotext steering llm planners batch presets editing shapes pipelines panel",
    "__main__": "cli",
    "__init__": "",
}
"""What each room may import."""


def imported(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint('\\n'.join(sys.modules))"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


@pytest.mark.parametrize("room", CORE)
def test_core_imports_no_host_and_no_sdk(room: str) -> None:
    names = imported(f"import rpg.{room}")
    assert f"rpg.{room}" in names
    assert not names & set(FORBIDDEN)


@pytest.mark.parametrize(
    "room", ["errors", "values", "areas.layout", "plan", "llm", "planners", "editing.instructions", "batch.batch", "shapes"]
)
def test_planning_rooms_do_not_need_torch(room: str) -> None:
    assert "torch" not in imported(f"import rpg.{room}")


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
    assert sorted(importing) == ["a1111.py", "script.py"]


def test_the_check_would_notice() -> None:
    assert imported("import openai") & set(FORBIDDEN)
