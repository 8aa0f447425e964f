"""Answers to a checklist, shown: boxes on a copy of the picture, and texts for its infotext."""

from __future__ import annotations

import json
from dataclasses import asdict

from PIL import Image, ImageDraw

from rpg.areas.layout import Box
from rpg.editing.critic import Verdict
from rpg.editing.masks.box import pixels
from rpg.editing.operations import Operation
from rpg.infotext import OPERATIONS, parts, with_values

_COPY, WITH_BOXES, OF_ROUNDS = "RPG copy", "with boxes", "rounds"
PASSED, FAILED = "#1f9d55", "#d64545"


def marked(picture: Image.Image, verdict: Verdict) -> Image.Image:
    """A copy with a box and an id for each finding that says where; what failed lies on top."""
    copy = picture.convert("RGB")
    findings = [(id, finding) for id, finding in verdict.findings.items() if finding.box]
    for id, finding in sorted(findings, key=lambda item: not item[1].passed):
        assert finding.box is not None
        _draw(copy, finding.box, PASSED if finding.passed else FAILED, "" if finding.passed else id)
    return copy


def marked_places(picture: Image.Image, operations: list[Operation]) -> Image.Image:
    """A copy with a box where each operation was done, and what it was."""
    copy = picture.convert("RGB")
    for operation in operations:
        _draw(copy, operation.target or operation.box, PASSED, operation.kind)
    return copy


def copy_infotext(infotext: str, kind: str = WITH_BOXES) -> str:
    """Of such a copy, or of another picture that only shows how one was made."""
    return with_values(infotext, {_COPY: kind})


def is_copy(infotext: str) -> bool:
    return f"{_COPY}: " in infotext


def is_copy_of(copy: str, infotext: str) -> bool:
    """By the infotexts of both."""
    return copy in (copy_infotext(infotext, WITH_BOXES), copy_infotext(infotext, OF_ROUNDS))


def _draw(copy: Image.Image, box: Box, colour: str, label: str) -> None:
    draw = ImageDraw.Draw(copy)
    left, top, right, bottom = pixels(box, copy.size)
    draw.rectangle((left, top, right - 1, bottom - 1), outline=colour, width=max(2, min(copy.size) // 128))
    if label:
        draw.rectangle(draw.textbbox((left, top), label), fill=colour)
        draw.text((left, top), label, fill="white")


def report(verdict: Verdict) -> str:
    """A line for each check, and how many have passed."""
    findings = [(check, verdict.findings[check.id]) for check in verdict.checklist.checks]
    lines = [
        f"{'yes' if finding.passed else 'NO':4} {check.id:12} {check.statement} {finding.evidence}".rstrip()
        for check, finding in findings
    ]
    return "\n".join([*lines, f"{len(verdict.passed)} of {len(lines)} checks passed."])


def sentences(verdict: Verdict) -> list[str]:
    """The same for people who read it in their own language, in whole sentences."""
    lines = []
    for check in verdict.checklist.checks:
        finding = verdict.findings[check.id]
        said = f"Yes ({check.id})." if finding.passed else f"No ({check.id})."
        lines.append(f"{said} {check.statement} {finding.evidence}".rstrip())
    return [*lines, f"{len(verdict.passed)} of {len(lines)} checks passed."]


def checks_text(verdict: Verdict) -> str:
    """The checklist and its findings as a picture's infotext keeps them."""
    findings = [(check, verdict.findings[check.id]) for check in verdict.checklist.checks]
    return "; ".join(f"{check.id} {'yes' if finding.passed else 'no'}: {check.statement}" for check, finding in findings)


def verdict_dict(verdict: Verdict) -> dict[str, object]:
    """JSON primitives only; boxes in fractions of the picture."""
    checks = [
        {"id": check.id, "kind": check.kind, "statement": check.statement, "pass": finding.passed, "evidence": finding.evidence}
        | ({"box": finding.box._asdict()} if finding.box else {})
        for check, finding in ((check, verdict.findings[check.id]) for check in verdict.checklist.checks)
    ]
    return {"passed": len(verdict.passed), "checks": checks}


def operation_dict(operation: Operation) -> dict[str, object]:
    """JSON primitives only; what is empty is left out, boxes are [left, top, right, bottom] in fractions of the picture."""
    given = {name: value for name, value in asdict(operation).items() if value}
    for name in ("box", "target"):
        if name in given:
            given[name] = [round(side, 4) for side in getattr(operation, name)]
    return given


def edited_infotext(infotext: str, prompt: str, operations: list[Operation]) -> str:
    """Of a picture that was edited: what it said before, and the operations."""
    done = [*_operations_in(infotext), *map(operation_dict, operations)]
    return with_values(infotext or prompt, {OPERATIONS: json.dumps(done, ensure_ascii=False)})


def _operations_in(infotext: str) -> list[object]:
    """Those of earlier edits."""
    try:
        earlier = json.loads(parts(infotext)[2].get(OPERATIONS, "[]"))
    except ValueError:
        earlier = []
    return earlier if isinstance(earlier, list) else []


def operations_text(operations: list[Operation]) -> str:
    return json.dumps([operation_dict(operation) for operation in operations], ensure_ascii=False)
