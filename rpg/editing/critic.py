"""A critic looks at a picture and answers every check of its checklist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from rpg.areas.layout import Box
from rpg.editing.checklist import Check, Checklist


@dataclass(frozen=True)
class Finding:
    """Whether a check's statement is true of the picture.

    Fields:
        evidence: what was seen.
        box: what the check is about, where it is seen: of a count that is too high or of something that may not be there, one
            that is too much.
    """

    passed: bool
    evidence: str = ""
    box: Box | None = None


@dataclass(frozen=True)
class Verdict:
    """What was found of a checklist, by the checks' ids."""

    checklist: Checklist
    findings: Mapping[str, Finding]

    @property
    def passed(self) -> frozenset[str]:
        return frozenset(id for id, finding in self.findings.items() if finding.passed)

    @property
    def failed(self) -> list[tuple[Check, Finding]]:
        """In the checklist's order."""
        return [(check, self.findings[check.id]) for check in self.checklist.checks if not self.findings[check.id].passed]

    @property
    def share(self) -> float:
        """Of the checks that passed."""
        return len(self.passed) / len(self.findings)


class Critic(Protocol):
    """Whoever looks at pictures."""

    def check(self, picture: Image.Image, checklist: Checklist) -> Verdict:
        """Answer each check.

        Raises:
            EditingError, LLMError: when it cannot.
        """
