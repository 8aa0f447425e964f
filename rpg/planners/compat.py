"""The original's two functions, with its arguments and returned keys."""

from __future__ import annotations

from rpg.planners.planning import make_plan
from rpg.planners.request import PlanRequest


def GPT4(prompt: str, key: str = "", model: str = "", base_url: str = "", provider: str = "openai") -> dict[str, str]:
    """Plan ``prompt`` with OpenAI, or another ``provider``.

    Returns:
        ``Final split ratio`` and ``Regional Prompt`` (region prompts with BREAK between them).
    """
    return _plan(PlanRequest(prompt, provider=provider, api_key=key, model=model, base_url=base_url))


def local_llm(prompt: str, version: str | None = None, model_path: str | None = None) -> dict[str, str]:
    """Plan ``prompt`` with a model on this machine.

    Args:
        version: not used, as in the original.
        model_path: folder of a transformers model; by default Llama-2-13b-chat-hf.

    Returns:
        as :func:`GPT4`.
    """
    return _plan(PlanRequest(prompt, provider="transformers", model=model_path or ""))


def _plan(request: PlanRequest) -> dict[str, str]:
    plan = make_plan(request, reuse=False)
    return {"Final split ratio": plan.split_ratio, "Regional Prompt": " BREAK ".join(region.prompt for region in plan.regions)}
