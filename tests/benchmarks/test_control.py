"""The measure of kept outlines, on drawn pictures."""

from dataclasses import replace

from rpg.areas.layout import Layout
from rpg.shapes.training.scenes import draw
from tests.benchmarks.composition.cases import cases
from tests.benchmarks.composition.judge import read
from tests.benchmarks.control import drawn, overlap

DRAWN = [(case, drawn(case, seed)) for seed, case in enumerate(cases(30))]


def test_objects_lie_in_their_regions() -> None:
    for case, scene in DRAWN:
        boxes = Layout.parse(case.arrangement.split_ratio).boxes
        for thing, box in zip(scene.things, boxes, strict=True):
            left, top, right, bottom = thing.box
            assert box.left * scene.width <= left < right <= box.right * scene.width
            assert box.top * scene.height <= top < bottom <= box.bottom * scene.height


def test_drawn_outlines_are_kept_and_moved_ones_are_not() -> None:
    for _, scene in DRAWN[:12]:
        assert overlap(scene, read(draw(scene))) > 0.95
        recoloured = replace(scene, things=tuple(replace(thing, colour="cyan") for thing in scene.things))
        assert overlap(scene, read(draw(recoloured))) > 0.95
        moved = replace(scene, things=tuple(replace(thing, x=thing.x + 12) for thing in scene.things))
        assert overlap(scene, read(draw(moved))) < 0.75
        assert overlap(scene, read(draw(replace(scene, things=scene.things[:1])))) < 0.6
    assert overlap(DRAWN[0][1], []) == 0
