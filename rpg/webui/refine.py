"""The pictures of a generation, checked and repaired as they are made."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import Image

from rpg.editing.checklist import Checklist
from rpg.editing.critic import Critic
from rpg.editing.loop import MAX_ROUNDS, refine
from rpg.editing.marks import OF_ROUNDS, checks_text, copy_infotext, operations_text
from rpg.editing.painter import Painter
from rpg.editing.refinement import MAX_REFINEMENT, Refinement, checklist_for, critic_of
from rpg.editing.sheet import rounds_sheet
from rpg.errors import EditingError, RPGError, Stopped
from rpg.infotext import CHECKS, OPERATIONS, REFINED
from rpg.plan import Plan
from rpg.values import load_json, shown
from rpg.webui.arguments import REFINE


def wanted_refinement(plan: object = "", enabled: object = None, wanted: object = None, *_: Any) -> Refinement | None:
    """What the script's arguments ask for: the third of them, from the panel a JSON text, or ``refine`` in the API's dict.

    Raises:
        EditingError: naming the unknown or wrong field.
    """
    inside = plan.get(REFINE) if isinstance(plan, Mapping) else None
    if inside and wanted:
        raise EditingError("refine stands in RPG's first argument, and in its third; leave one out.")
    wanted = inside or wanted
    if isinstance(wanted, str):
        wanted = load_json(wanted, MAX_REFINEMENT, REFINE, EditingError) if wanted.strip() else None
    if not wanted:
        return None
    if not isinstance(wanted, Mapping):
        raise EditingError(f"refine is {shown(wanted)}; it must be an object such as {{'rounds': 3}}.")
    return Refinement.from_dict(wanted)


@dataclass
class GenerationRefining:
    """One generation's.

    Fields:
        painter: makes pictures like those of the generation.
        stopping: whether the user wants nothing more to begin.
        told: what the infotext says of each picture of the batch, by label.
        sheets: of the rounds, with the number of the picture among all, where they are wanted.
    """

    wanted: Refinement
    painter: Painter
    stopping: Callable[[], bool]
    told: dict[str, list[str | None]] = field(default_factory=dict)
    sheets: list[tuple[int, Image.Image]] = field(default_factory=list)
    _before: int = 0
    _checklists: dict[Plan, Checklist] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.model = self.wanted.looker.model_for(cancelled=self.stopping)
        self.critic: Critic = critic_of(self.model)

    def begin(self, count: int) -> dict[str, list[str | None]]:
        """A batch of so many pictures begins. Returns what their infotexts say, filled in when they are made."""
        self._before += len(self.told.get(REFINED, []))
        self.told = {label: [None] * count for label in (REFINED, CHECKS, OPERATIONS)}
        return self.told

    def picture(self, picture: Image.Image, plan: Plan, place: int, seed: int) -> Image.Image:
        """The best of a picture that the rounds give; the picture itself where it cannot be checked, and the infotext says why.

        Args:
            plan: of the picture, with a base prompt.
            place: in the batch.
            seed: of the first round; the others use those that follow.
        """
        if self.stopping():
            return picture
        try:
            done = refine(
                picture.convert("RGB"),
                plan,
                self._checklist(plan),
                self.critic,
                self.painter,
                seed=seed - 1,
                limits=self.wanted.limits,
                masking=self.wanted.masking,
                cancelled=self.stopping,
            )
        except Stopped:
            self.told[REFINED][place] = "Not checked: stopped."
            return picture
        except RPGError as error:
            self.told[REFINED][place] = f"Not checked: {error}"
            return picture
        except Exception as error:  # the picture is made: whatever happens, it is not lost
            logging.getLogger(__name__).error("A picture could not be refined", exc_info=error)
            self.told[REFINED][place] = f"Not checked: {type(error).__name__}."
            return picture
        if self.wanted.showing.show_rounds and (sheet := rounds_sheet(picture, done)):
            self.sheets.append((self._before + place, sheet))
        self.told[REFINED][place] = f"{done.summary} {done.ended}"
        self.told[CHECKS][place] = checks_text(done.verdict)
        self.told[OPERATIONS][place] = operations_text(done.operations) if done.operations else None
        return done.picture

    def show(self, pictures: list[Image.Image], infotexts: list[str], first: int) -> None:
        """Put the sheets behind all pictures.

        Args:
            first: the place of the first picture, behind the grid where there is one.
        """
        for number, sheet in self.sheets:
            pictures.append(sheet)
            infotexts.append(copy_infotext(infotexts[first + number], OF_ROUNDS))

    def _checklist(self, plan: Plan) -> Checklist:
        if plan not in self._checklists:
            self._checklists[plan] = checklist_for(self.model, plan)
        return self._checklists[plan]


def first_seed(seeds: list[int], number: int) -> int:
    """Of the rounds of one picture of several: none that another picture or its rounds have."""
    return max(seeds) + 1 + number * MAX_ROUNDS


def based(plan: Plan, caption: str) -> Plan:
    """``plan`` with the picture's main prompt where it has no base prompt of its own."""
    return plan if plan.base_prompt or not caption.strip() else replace(plan, base_prompt=caption)
