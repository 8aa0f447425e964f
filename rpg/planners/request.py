"""What a planner is asked: the subject of the plan, who plans it, and what it has no say in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from rpg.errors import PlanError, PlannerError
from rpg.llm import Picture
from rpg.llm.question import check_timeout
from rpg.plan import Plan, settings_of
from rpg.planners.registry import PLANNERS, RULES
from rpg.values import check_text, known_fields, number, shown

MAX_CAPTION = 16 * 1024
"""Longest caption in characters."""
LONGEST_SIDE = 65536


@dataclass(frozen=True)
class Subject:
    """What to plan.

    Fields:
        caption: what the picture shall show.
        width, height: of the picture in pixels; ``None`` where they are not known.
        image: reference picture.
    """

    caption: str = ""
    width: int | None = None
    height: int | None = None
    image: Picture | None = None

    def __post_init__(self) -> None:
        check_text("caption", self.caption, PlannerError)
        for name in ("width", "height"):
            if (side := getattr(self, name)) is not None:
                pixels = f"a number of pixels from 1 to {LONGEST_SIDE}"
                object.__setattr__(self, name, int(number(name, side, 1, LONGEST_SIDE, meaning=pixels, error=PlannerError)))


NO_SUBJECT = Subject()


@dataclass(frozen=True)
class Planner:
    """Who plans.

    Fields:
        provider: ``rules``, or one of :data:`rpg.llm.PROVIDERS`.
        model: empty for the provider's default; for ``transformers`` a folder.
        base_url: another address than the provider's own; it never gets a key from the environment.
        api_key: empty for the key in the environment.
        template: name of an instruction template; empty for the built-in one.
        timeout: seconds without a sign of life after which the planner gives up.
        fallback: ``rules`` to plan offline where the model's answers cannot be used; empty to raise the error.
    """

    provider: str = RULES.name
    model: str = ""
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    template: str = ""
    timeout: float = 180.0
    fallback: str = ""

    def __post_init__(self) -> None:
        for name in ("provider", "model", "base_url", "api_key", "template", "fallback"):
            if not isinstance(getattr(self, name), str):  # not quoted: it may be meant as a key
                raise PlannerError(f"{name} is of type {type(getattr(self, name)).__name__}; it must be a text.")
        if self.provider not in PLANNERS:
            raise PlannerError(f"provider is {shown(self.provider)}; it must be one of {', '.join(PLANNERS)}.")
        if self.fallback not in ("", RULES.name):
            raise PlannerError(f"fallback is {shown(self.fallback)}; it must be {RULES.name}, or empty for none.")
        check_timeout(self.timeout, PlannerError)


@dataclass(frozen=True)
class PlanRequest:
    """A plan that is wanted.

    Fields:
        settings: of the plan, which no planner decides (:data:`rpg.plan.SETTINGS`).
    """

    subject: Subject
    planner: Planner = Planner()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        caption = self.subject.caption
        if not caption.strip():
            raise PlannerError("caption is empty; describe the picture that shall be planned.")
        if len(caption) > MAX_CAPTION:
            raise PlannerError(f"caption has {len(caption)} characters; at most {MAX_CAPTION} can be planned.")

    @classmethod
    def from_dict(cls, data: object, subject: Subject = NO_SUBJECT) -> PlanRequest:
        """A request from one object with the fields of :class:`Subject` and :class:`Planner`, the image in base64.

        Args:
            subject: what to plan where ``data`` does not say.

        Raises:
            PlannerError, LLMError: naming the unknown or wrong field.
        """
        given = known_fields((Subject, Planner), data, noun="planner", error=PlannerError)
        if "image" in given:
            given["image"] = Picture.from_base64(given["image"]) if given["image"] else None
        told = {item.name: given.pop(item.name) for item in fields(Subject) if item.name in given}
        return cls(replace(subject, **told), Planner(**given))


def plan_or_request(data: object, subject: Subject = NO_SUBJECT) -> Plan | PlanRequest:
    """What a panel or an API asks for: a plan that is there, or with ``planner`` in the regions' place one that is wanted.

    Raises:
        RPGError: with the sentence that the user sees.
    """
    if not isinstance(data, Mapping) or "planner" not in data:
        return Plan.from_dict(data)
    if "regions" in data:
        raise PlanError("There are both regions and planner; give the regions, or let the planner find them, not both.")
    settings = settings_of(data)
    others = [key for key in data if key not in ("planner", "version", *settings)]
    if others:
        raise PlanError(f"{others[0]} stands beside planner; the planner decides it, so leave it out.")
    return replace(PlanRequest.from_dict(data["planner"], subject), settings=settings)
