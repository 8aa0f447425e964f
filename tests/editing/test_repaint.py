"""Operations carried out by a painter that draws."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from rpg.areas.layout import Box
from rpg.editing.masks import mask_of
from rpg.editing.operations import Operation
from rpg.editing.repaint import EMPTY, STRENGTHS, Masking, made_mask, repaint
from rpg.errors import EditingError
from rpg.plan import Plan
from rpg.shapes.sight import objects
from rpg.shapes.training.scenes import ColouredShape, Scene, draw
from tests.editing.painters import Draughtsman

CIRCLE, STAR = ColouredShape("red", "circle", 60, 64, 50), ColouredShape("blue", "star", 190, 64, 60)
PICTURE = draw(Scene(256, 128, "white", (CIRCLE, STAR)))


class Vandal:
    """Paints all of the picture black, whatever the mask."""

    def generate(self, plan: Plan, seed: int) -> Image.Image:
        raise NotImplementedError

    def repaint(self, picture: Image.Image, mask: Image.Image, plan: Plan, strength: float, seed: int) -> Image.Image:
        return Image.new("RGB", picture.size)


def box_of(thing: ColouredShape) -> Box:
    left, top, right, bottom = thing.box
    return Box(left / 256, top / 128, right / 256, bottom / 128)


MIDDLE = Box(0.38, 0.2, 0.6, 0.8)
OPERATIONS = [
    (Operation("add", MIDDLE, "a green heart"), [("red", "circle"), ("blue", "star"), ("green", "heart")]),
    (Operation("remove", box_of(STAR), ""), [("red", "circle")]),
    (Operation("replace", box_of(STAR), "a green heart"), [("red", "circle"), ("green", "heart")]),
    (Operation("move", box_of(CIRCLE), "a red circle", target=MIDDLE), [("red", "circle"), ("blue", "star")]),
]


@pytest.mark.parametrize(("operation", "expected"), OPERATIONS, ids=lambda value: getattr(value, "kind", ""))
def test_the_operation_is_done(operation: Operation, expected: list[tuple[str, str]]) -> None:
    made = repaint(operation, PICTURE, Draughtsman(), 1)
    assert sorted((seen.colour, seen.shape) for seen in objects(made.picture)) == sorted(expected)


def test_what_is_recoloured_starts_from_its_new_colour() -> None:
    class Keeping(Vandal):
        def repaint(self, picture: Image.Image, mask: Image.Image, plan: Plan, strength: float, seed: int) -> Image.Image:
            return picture

    made = repaint(Operation("recolour", box_of(STAR), "a green star", colour="green"), PICTURE, Keeping(), 1)
    assert sorted((seen.colour, seen.shape) for seen in objects(made.picture)) == [("green", "star"), ("red", "circle")]


def test_what_is_moved_keeps_its_pixels_and_leaves_background() -> None:
    made = repaint(OPERATIONS[-1][0], PICTURE, Draughtsman(), 1)
    (circle,) = (seen for seen in objects(made.picture) if seen.shape == "circle")
    assert circle.centre == pytest.approx(((MIDDLE.left + MIDDLE.right) / 2, 0.5), abs=0.02)
    assert made.picture.getpixel((60, 64)) == (255, 255, 255)


@pytest.mark.parametrize("method", ["grabcut", "box"])
@pytest.mark.parametrize("kind", [*STRENGTHS])
def test_outside_the_mask_every_pixel_stays(kind: str, method: str) -> None:
    operation = Operation(kind, box_of(STAR), "a red star", colour="red", target=MIDDLE if kind == "move" else None)  # type: ignore[arg-type]
    made = repaint(operation, PICTURE, Vandal(), 1, Masking(method))
    outside = np.asarray(made.mask) == 0
    assert outside.mean() > 0.5
    assert (np.asarray(made.picture) == np.asarray(PICTURE))[outside].all()
    assert not (np.asarray(made.picture) == np.asarray(PICTURE)).all()


def test_a_mask_by_hand_and_what_is_preserved() -> None:
    mask = Image.new("L", PICTURE.size)
    mask.paste(255, (100, 40, 120, 60))
    by_hand = repaint(Operation("add", Box(0, 0, 1, 1), "a green heart"), PICTURE, Vandal(), 1, mask=mask)
    changed = (np.asarray(by_hand.picture) != np.asarray(PICTURE)).any(axis=2)
    assert changed[40:60, 100:120].all()
    assert changed.sum() == 400
    removed = repaint(OPERATIONS[1][0], PICTURE, Vandal(), 1, mask=mask)
    assert removed.mask.tobytes() == mask.tobytes(), "what is shown to be painted anew is what is painted anew"
    kept = repaint(Operation("add", Box(0, 0, 1, 1), "a green heart"), PICTURE, Vandal(), 1, preserved=[box_of(STAR)])
    assert kept.picture.crop((160, 34, 220, 94)).tobytes() == PICTURE.crop((160, 34, 220, 94)).tobytes()
    with pytest.raises(EditingError, match="mask is empty"):
        repaint(OPERATIONS[0][0], PICTURE, Vandal(), 1, mask=Image.new("L", PICTURE.size))


def test_what_is_removed_goes_with_its_edge() -> None:
    thing = np.asarray(mask_of(PICTURE, box_of(STAR))) > 0
    shown = np.asarray(made_mask(OPERATIONS[1][0], PICTURE)) > 0
    assert (shown | ~thing).all()
    assert shown.sum() > 1.1 * thing.sum()


def test_the_painter_gets_the_prompt_and_the_strength() -> None:
    painter = Draughtsman()
    for operation, _ in OPERATIONS:
        repaint(operation, PICTURE, painter, 7)
    assert [plan.regions[0].prompt for plan, _, _ in painter.repainted] == ["a green heart", EMPTY, "a green heart", EMPTY]
    assert [strength for _, strength, _ in painter.repainted] == [STRENGTHS[operation.kind] for operation, _ in OPERATIONS]
    assert {seed for _, _, seed in painter.repainted} == {7}


def test_the_pictures_regions_go_on_around_what_is_painted() -> None:
    painter = Draughtsman()
    plan = Plan.from_dict({"regions": ["a red circle", "a blue star"], "base_ratio": 0.4, "common_prompt": "a photo"})
    repaint(Operation("add", MIDDLE, "a green heart", "all three"), PICTURE, painter, 1, plan=plan)
    ((painted, *_),) = painter.repainted
    *others, own = painted.regions
    assert tuple(others) == plan.regions
    assert (own.prompt, own.base_ratio, painted.latent_ratio) == ("a green heart", 0, None)
    assert own.area is not None
    assert own.area.box == pytest.approx(MIDDLE, abs=0.01)
    assert (painted.base_prompt, painted.common_prompt, painted.split_ratio) == ("all three", "a photo", "1,1")


def test_the_pictures_networks_stay() -> None:
    painter = Draughtsman()
    plan = Plan.from_dict({"regions": ["a red circle"], "base_prompt": "a circle <lora:ink:0.8>"})
    repaint(Operation("add", MIDDLE, "a green heart", "both"), PICTURE, painter, 1, plan=plan)
    assert painter.repainted[0][0].base_prompt == "both<lora:ink:0.8>"
