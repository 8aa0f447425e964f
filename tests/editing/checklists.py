"""Checklists of captions."""

from rpg.editing.checklist import Checklist
from rpg.editing.reading import checklist_of
from rpg.planners import rules


def checklist_of_caption(caption: str) -> Checklist:
    """Of the plan that the rules make of it."""
    return checklist_of(rules.plan(caption))
