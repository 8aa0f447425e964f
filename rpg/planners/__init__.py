"""Planners: a :class:`Subject` goes in, a :class:`rpg.plan.Plan` comes out."""

from rpg.planners.compat import GPT4, local_llm
from rpg.planners.instructions import DEFAULT, templates
from rpg.planners.make import make_plan, stream_plan
from rpg.planners.registry import PLANNERS, PlannerInfo, known_planners, models_at
from rpg.planners.request import NO_SUBJECT, Planner, PlanRequest, Subject, plan_or_request

__all__ = [
    "DEFAULT",
    "GPT4",
    "NO_SUBJECT",
    "PLANNERS",
    "PlanRequest",
    "Planner",
    "PlannerInfo",
    "Subject",
    "known_planners",
    "local_llm",
    "make_plan",
    "models_at",
    "plan_or_request",
    "stream_plan",
    "templates",
]
