"""The offline planner against prompts of which the layout was written down beforehand."""

from __future__ import annotations

import json
from pathlib import Path

from rpg.layout import Layout
from rpg.plan import Plan
from rpg.planners.rules import plan

PROMPTS = json.loads(Path(__file__).with_name("rules_prompts.json").read_text(encoding="utf-8"))


def faults(made: Plan, expected: dict) -> list[str]:
    found = []
    if made.layout != Layout.parse(expected["split_ratio"]):
        return [f"split ratio {made.split_ratio} instead of {expected['split_ratio']}: {[r.prompt for r in made.regions]}"]
    for number, (region, words) in enumerate(zip(made.regions, expected["regions"], strict=True), 1):
        prompt = region.prompt.lower()
        for word in words["has"]:
            if not any(choice.lower() in prompt for choice in word.split("|")):
                found.append(f"region {number} lacks {word!r}: {region.prompt}")
        found += [f"region {number} holds {word!r}: {region.prompt}" for word in words["not"] if word.lower() in prompt]
    shared = 0.35 <= made.base_ratio <= 0.55
    if shared != (expected["base"] == "shared") or (not shared and made.base_ratio):
        found.append(f"base ratio {made.base_ratio} where {expected['base']} is right")
    return found


def test_sixty_prompts():
    wrong = {entry["prompt"]: found for entry in PROMPTS if (found := faults(plan(entry["prompt"]), entry))}
    for prompt, found in wrong.items():
        print(prompt, *found, sep="\n    ")
    right = len(PROMPTS) - len(wrong)
    print(right, "of", len(PROMPTS))
    assert right >= 54
