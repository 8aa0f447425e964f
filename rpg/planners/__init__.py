"""Planners: a caption goes in, a :class:`rpg.plan.Plan` comes out."""

from rpg.planners.cache import forget_plans
from rpg.planners.compat import GPT4, local_llm
from rpg.planners.instructions import set_templates_folder, templates
from rpg.planners.planning import make_plan, never, stream_plan
from rpg.planners.registry import ALLOWED_URLS, PROVIDERS, ProviderInfo, providers
from rpg.planners.request import PlanEvent, PlanningStopped, PlanRequest, ReplyError
from rpg.planners.wanted import plan_or_request

__all__ = [
    "ALLOWED_URLS",
    "GPT4",
    "PROVIDERS",
    "PlanEvent",
    "PlanRequest",
    "PlanningStopped",
    "ProviderInfo",
    "ReplyError",
    "forget_plans",
    "local_llm",
    "make_plan",
    "never",
    "plan_or_request",
    "providers",
    "set_templates_folder",
    "stream_plan",
    "templates",
]
