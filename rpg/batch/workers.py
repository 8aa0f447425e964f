"""What a batch asks for plans and pictures, and how they say that they cannot give one."""

from __future__ import annotations

from collections.abc import Callable

from rpg.batch.jobs import BatchJob
from rpg.plan import Plan
from rpg.planners import PlanRequest

Plans = Callable[[PlanRequest, Callable[[], bool]], Plan]
"""Asks a planner; raises :class:`rpg.errors.BusyError` where it may be asked again. The second argument asks whether to stop."""
Makes = Callable[[BatchJob, Plan, Callable[[], bool]], bytes]
"""Makes a picture: a PNG file with its infotext. Raises ``UnableError``, ``BrokenError``, ``LostError``, and ``BusyError`` where
it was not begun."""
