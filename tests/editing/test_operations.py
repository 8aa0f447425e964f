"""Operations from failed checks, and from instructions in simple words."""

from __future__ import annotations

import pytest
from PIL import Image

from rpg.areas.layout import Box
from rpg.editing.critic import Finding, Verdict
from rpg.editing.instructions import operations_of, wishes
from rpg.editing.operations import OPERATION_KINDS, Operation, neighbours, repair
from rpg.editing.shapes_critic import ShapesCritic
from rpg.errors import EditingError
from rpg.shapes.training.scenes import ColouredShape, Scene, draw
from tests.editing.checklists import checklist_of_caption

CAPTION = "a red circle on the left and a blue star on the right on a white background"
CHECKLIST = checklist_of_caption(CAPTION)
CIRCLE, STAR = ColouredShape("red", "circle", 60, 64, 50), ColouredShape("blue", "star", 190, 64, 60)
LEFT, RIGHT = Box(0, 0, 0.5, 1), Box(0.5, 0, 1, 1)
SOMEWHERE = Box(0.1, 0.2, 0.3, 0.4)


def picture(*things: ColouredShape) -> Image.Image:
    return draw(Scene(256, 128, "white", things))


def failed(**boxes: Box | None) -> Verdict:
    """A verdict in which the checks with these ids fail."""
    ids = {name.replace("_", "-"): box for name, box in boxes.items()}
    return Verdict(CHECKLIST, {id: Finding(id not in ids, box=ids.get(id)) for id in CHECKLIST.ids})


@pytest.mark.parametrize(
    ("box", "kept"),
    [
        (Box(0.3, 0.2, 0.6, 0.6), True),
        (Box(0.4, 0.2, 0.7, 0.6), False),  # most of it is there: it may be a part of the thing
        (Box(0.1, 0.2, 0.4, 0.6), False),  # apart
        (Box(0, 0, 0.6, 1), False),  # larger: it stands behind
    ],
)
def test_which_neighbours_stay(box: Box, kept: bool) -> None:
    place = Box(0.5, 0.1, 1, 0.9)
    verdict = Verdict(CHECKLIST, {"object-1": Finding(True, box=box), "object-2": Finding(False, box=Box(0.4, 0, 0.55, 1))})
    assert neighbours(place, verdict) == ([box] if kept else [])


@pytest.mark.parametrize(
    ("verdict", "operation"),
    [
        (failed(object_2=None), Operation("add", RIGHT, "a blue star on a white background", CAPTION)),
        (failed(attribute_1=None), Operation("add", LEFT, "a red circle on a white background", CAPTION)),
        (
            failed(attribute_1=SOMEWHERE),
            Operation("recolour", SOMEWHERE, "a red circle on a white background", CAPTION, colour="red"),
        ),
        (failed(absent_1=SOMEWHERE), Operation("remove", SOMEWHERE, "on a white background", CAPTION)),
        (failed(count_1=SOMEWHERE), Operation("remove", SOMEWHERE, "on a white background", CAPTION)),
        (
            failed(relation_1=SOMEWHERE),
            Operation("move", SOMEWHERE, "a red circle on a white background", CAPTION, target=Box(0.15, 0.4, 0.35, 0.6)),
        ),
        (failed(absent_1=SOMEWHERE, object_2=None), Operation("add", RIGHT, "a blue star on a white background", CAPTION)),
        (failed(attribute_3=None), None),
        (failed(count_1=None), None),
        (failed(), None),
    ],
)
def test_a_failed_check_says_what_to_do(verdict: Verdict, operation: Operation | None) -> None:
    found = repair(verdict)
    if found and found.target and operation and operation.target:
        assert found.target == pytest.approx(operation.target)
        found, operation = (
            Operation(item.kind, item.box, item.prompt, item.base_prompt, target=LEFT) for item in (found, operation)
        )
    assert found == operation


def test_details_are_replaced_and_not_recoloured() -> None:
    checklist = checklist_of_caption("a tall man and a girl in a red dress")
    verdict = Verdict(checklist, {id: Finding(not id.startswith("attribute"), box=SOMEWHERE) for id in checklist.ids})
    operation = repair(verdict)
    assert operation
    assert (operation.kind, operation.prompt) == ("replace", "a tall man")


def test_another_place_each_time_of_several() -> None:
    checklist = checklist_of_caption("two red stars")
    verdict = Verdict(checklist, {id: Finding(id != "attribute-1") for id in checklist.ids})
    boxes = [operation.box for attempt in range(3) if (operation := repair(verdict, attempt))]
    assert boxes == [LEFT, RIGHT, LEFT]


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("add an orange heart in the middle", [("add", "an orange heart")]),
        ("Add a black square above the star.", [("add", "a black square")]),
        ("remove the star", [("remove", "")]),
        ("get rid of the red circle", [("remove", "")]),
        ("replace the star with a green heart", [("replace", "a green heart")]),
        ("turn the red circle into a cyan square", [("replace", "a cyan square")]),
        ("make the left circle green", [("recolour", "a green circle")]),
        ("change the colour of the star to purple", [("recolour", "a purple star")]),
        ("move the circle to the right", [("move", "a circle")]),
        (
            "make the star green, remove the circle and then add a red heart",
            [("recolour", "a green star"), ("remove", ""), ("add", "a red heart")],
        ),
    ],
)
def test_instructions_in_words(instruction: str, expected: list[tuple[str, str]]) -> None:
    operations = operations_of(instruction, picture(CIRCLE, STAR), ShapesCritic())
    assert [(operation.kind, operation.prompt) for operation in operations] == expected


def test_things_are_found_and_added_where_there_is_room() -> None:
    drawn = picture(CIRCLE, STAR)
    remove, add, move = operations_of(
        "remove the star, add a red heart in the middle, move the circle below the star", drawn, ShapesCritic()
    )
    assert [remove.box.left * 256, remove.box.right * 256] == pytest.approx([160, 220], abs=4)
    assert 85 / 256 <= add.box.left < add.box.right <= 160 / 256
    assert move.target
    assert move.target.top >= remove.box.bottom - 1 / 128
    above = operations_of("add a black square above the star", drawn, ShapesCritic())[0]
    assert above.box.bottom <= remove.box.top + 1e-6


@pytest.mark.parametrize(
    ("instruction", "sentence"),
    [
        ("", "The instruction is empty"),
        ("dance", "'dance' is no instruction that the rules know"),
        ("make the star louder", "no instruction that the rules know"),
        ("remove the green heart", "'the green heart' is not found in the picture"),
        ("remove the lamp", "sees coloured shapes only"),
        ("remove the star. " * 20, "has 20 parts; at most 16"),
        ("x" * 3000, "has 3000 characters"),
    ],
)
def test_instructions_that_cannot_be_done(instruction: str, sentence: str) -> None:
    with pytest.raises(EditingError, match=sentence):
        operations_of(instruction, picture(CIRCLE, STAR), ShapesCritic())


def test_words_of_people() -> None:
    first, second = wishes("Make the left girl's dress green, remove the lamp")
    assert (first.kind, first.old, first.colour) == ("recolour", "the left girl's dress", "green")
    assert (second.kind, second.old) == ("remove", "the lamp")


def test_every_kind_has_a_sentence() -> None:
    for kind in OPERATION_KINDS:
        operation = Operation(kind, LEFT, "a cat", colour="red", target=RIGHT if kind == "move" else None)
        assert operation.sentence.endswith(".")


@pytest.mark.parametrize("box", [Box(0, 0, 2, 1), Box(0.5, 0, 0.5, 1), Box(-0.1, 0, 1, 1), Box(0, 0, float("nan"), 1)])
def test_boxes_lie_in_the_picture(box: Box) -> None:
    with pytest.raises(EditingError, match="must lie in the picture"):
        Operation("remove", box, "")


def test_what_is_moved_makes_room_for_itself() -> None:
    picture = draw(
        Scene(224, 128, "pink", (ColouredShape("red", "circle", 62, 62, 68), ColouredShape("blue", "square", 176, 82, 64)))
    )
    (operation,) = operations_of("move the square to the middle", picture, ShapesCritic())
    assert operation.target is not None
    assert operation.target.left * 224 > 90, "it covers the circle more than it must"
