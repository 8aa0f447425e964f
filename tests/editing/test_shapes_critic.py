"""The offline critic, on drawn scenes whose faults are known."""

from __future__ import annotations

import pytest
from PIL import Image

from rpg.editing.reading import checklist_of_phrases
from rpg.editing.shapes_critic import ShapesCritic
from rpg.errors import EditingError
from rpg.shapes.training.scenes import ColouredShape, Scene, draw
from tests.editing.checklists import checklist_of_caption

CAPTION = "a red circle on the left and a blue star on the right on a white background"
CIRCLE, STAR = ColouredShape("red", "circle", 60, 64, 50), ColouredShape("blue", "star", 190, 64, 60)


def picture(*things: ColouredShape, background: str = "white") -> Image.Image:
    return draw(Scene(256, 128, background, things))


@pytest.mark.parametrize(
    ("drawn", "failed"),
    [
        (picture(CIRCLE, STAR), set()),
        (picture(CIRCLE), {"object-2", "count-2", "attribute-2", "relation-1"}),
        (picture(CIRCLE, ColouredShape("green", "star", 190, 64, 60)), {"attribute-2", "relation-1", "absent-1"}),
        (picture(ColouredShape("red", "circle", 190, 64, 50), ColouredShape("blue", "star", 60, 64, 60)), {"relation-1"}),
        (picture(CIRCLE, ColouredShape("red", "circle", 130, 64, 40), STAR), {"count-1", "absent-1"}),
        (picture(CIRCLE, ColouredShape("cyan", "heart", 130, 64, 40), STAR), {"absent-1"}),
        (picture(CIRCLE, STAR, background="gray"), {"attribute-3"}),
        (picture(), {"object-1", "object-2", "count-1", "count-2", "attribute-1", "attribute-2", "relation-1"}),
    ],
)
def test_each_fault_fails_its_checks(drawn: Image.Image, failed: set[str]) -> None:
    verdict = ShapesCritic().check(drawn, checklist_of_caption(CAPTION))
    assert {check.id for check, _ in verdict.failed} == failed


def test_boxes_are_those_of_what_the_checks_are_about() -> None:
    extra = ColouredShape("cyan", "heart", 130, 64, 40)
    wrong = ColouredShape("green", "star", 190, 64, 60)
    verdict = ShapesCritic().check(picture(CIRCLE, extra, wrong), checklist_of_caption(CAPTION))
    for id, thing in (("attribute-1", CIRCLE), ("attribute-2", wrong), ("absent-1", extra)):
        box = verdict.findings[id].box
        assert box is not None
        sides = (box.left * 256, box.top * 128, box.right * 256, box.bottom * 128)
        assert all(abs(side - there) <= 3 for side, there in zip(sides, thing.box)), id


def test_a_place_chooses_among_equal_things() -> None:
    drawn = picture(ColouredShape("red", "star", 60, 64, 50), ColouredShape("blue", "star", 190, 64, 60))
    findings = ShapesCritic().check(drawn, checklist_of_phrases(["the left star", "the star on the right"])).findings
    left, right = (finding.box for finding in findings.values())
    assert left
    assert right
    assert left.right < 0.5 < right.left


def test_other_things_need_another_critic() -> None:
    for caption in ("a cat and a dog", "a big red circle", "a girl in a red dress"):
        with pytest.raises(EditingError, match="sees coloured shapes only"):
            ShapesCritic().check(picture(), checklist_of_caption(caption))
