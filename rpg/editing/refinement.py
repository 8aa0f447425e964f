"""How pictures are checked and repaired: who looks, how long, and how things are cut out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields

from rpg.editing.asking import Model
from rpg.editing.checklist import Checklist
from rpg.editing.critic import Critic
from rpg.editing.loop import USUAL, Limits
from rpg.editing.model_critic import ModelCritic, checklist_by_model
from rpg.editing.reading import checklist_of
from rpg.editing.repaint import BY_DEFAULT, Masking
from rpg.editing.shapes_critic import ShapesCritic, colours_and_shapes
from rpg.errors import EditingError
from rpg.llm import PROVIDERS, Event
from rpg.llm.asking import ignore, never
from rpg.llm.question import check_timeout
from rpg.plan import Plan
from rpg.values import known_fields, shown

OFFLINE_CRITIC = "shapes"
CRITICS = (OFFLINE_CRITIC, *PROVIDERS)
MAX_REFINEMENT = 64 * 1024
"""Most bytes of JSON."""


@dataclass(frozen=True)
class Looker:
    """Who looks at pictures.

    Fields:
        provider: ``shapes``, or one of :data:`rpg.llm.PROVIDERS`.
        model, base_url, api_key, timeout: as a planner's (:class:`rpg.planners.Planner`).
    """

    provider: str = OFFLINE_CRITIC
    model: str = ""
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    timeout: float = 180.0

    def __post_init__(self) -> None:
        for name in ("provider", "model", "base_url", "api_key"):
            if not isinstance(getattr(self, name), str):  # not quoted: it may be meant as a key
                raise EditingError(f"{name} is of type {type(getattr(self, name)).__name__}; it must be a text.")
        if self.provider not in CRITICS:
            raise EditingError(f"provider is {shown(self.provider)}; it must be one of {', '.join(CRITICS)}.")
        check_timeout(self.timeout, EditingError)

    def model_for(self, on_event: Callable[[Event], object] = ignore, cancelled: Callable[[], bool] = never) -> Model | None:
        """The model that looks; None for the offline critic.

        Raises:
            LLMError: when it cannot be asked, or sees no pictures.
        """
        if self.provider == OFFLINE_CRITIC:
            return None
        kind = PROVIDERS[self.provider]
        if not kind.sees_pictures:
            raise EditingError(f"{kind.label} sees no pictures; choose another critic.")
        return Model(kind.at(self.model, self.base_url, self.api_key), self.timeout, on_event, cancelled)


@dataclass(frozen=True)
class Showing:
    """What is shown besides the result.

    Fields:
        show_rounds: a sheet of all rounds (:mod:`rpg.editing.sheet`), behind the pictures.
    """

    show_rounds: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.show_rounds, bool):
            raise EditingError(f"show_rounds is {shown(self.show_rounds)}; it must be true or false.")


@dataclass(frozen=True)
class Refinement:
    """What is wanted of a picture that is checked and repaired."""

    looker: Looker = Looker()
    limits: Limits = USUAL
    masking: Masking = BY_DEFAULT
    showing: Showing = Showing()

    @classmethod
    def from_dict(cls, data: object) -> Refinement:
        """From one object with the fields of all four.

        Raises:
            EditingError: naming the unknown or wrong field.
        """
        kinds = (Looker, Limits, Masking, Showing)
        given = known_fields(kinds, data, noun="refine", error=EditingError)
        own = [{item.name: given[item.name] for item in fields(kind) if item.name in given} for kind in kinds]
        return cls(Looker(**own[0]), Limits(**own[1]), Masking(**own[2]), Showing(**own[3]))


def critic_of(model: Model | None) -> Critic:
    return ModelCritic(model) if model else ShapesCritic()


def checklist_for(model: Model | None, plan: Plan) -> Checklist:
    """
    Raises:
        EditingError: when the offline critic could not answer it.
        LLMError: when the model gives none.
    """
    if model:
        return checklist_by_model(model, plan)
    checklist = checklist_of(plan)
    colours_and_shapes(checklist)
    return checklist
