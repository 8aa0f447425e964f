"""The original's two functions, with its arguments and returned keys."""

from __future__ import annotations

from rpg.planners.make import make_plan
from rpg.planners.request import Planner, PlanRequest, Subject


def GPT4(prompt: str, key: str = "", model: str = "", base_url: str = "", provider: str = "openai") -> dict[str, str]:
    """Plan ``prompt`` with OpenAI, or another ``provider``.

    Returns:
        ``Final split ratio`` and ``Regional Prompt`` (region prompts with BREAK between them).
    """
    return _plan(prompt, Planner(provider, model, base_url, api_key=key))


def local_llm(prompt: str, version: str | None = None, model_path: str | None = None) -> dict[str, str]:
    """Plan ``prompt`` with a model on this machine.

    Args:
        version: not used, as in the original.
        model_path: folder of a transformers model; by default Llama-2-13b-chat-hf.

    Returns:
        as :func:`GPT4`.
    """
    return _plan(prompt, Planner("transformers", model=model_path or ""))


def _plan(prompt: str, planner: Planner) -> dict[str, str]:
    plan = make_plan(PlanRequest(Subject(prompt), planner), reuse=False)
    return {"Final split ratio": plan.split_ratio, "Regional Prompt": " BREAK ".join(region.prompt for region in plan.regions)}
