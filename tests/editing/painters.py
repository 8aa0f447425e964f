"""A painter that draws instead of denoising, and a critic that errs."""

from __future__ import annotations

from random import Random

from PIL import Image

from rpg.areas.layout import Layout
from rpg.editing.checklist import Checklist
from rpg.editing.critic import Critic, Finding, Verdict
from rpg.editing.masks import pixel_bounds
from rpg.plan import Plan
from rpg.shapes.training.scenes import COLOURS, SHAPES, ColouredShape, Scene, draw


class Draughtsman:
    """Draws each region's shape in its middle.

    Args:
        skill: how often a shape gets the colour that was asked for.
    """

    def __init__(self, skill: float = 1.0, size: tuple[int, int] = (160, 80)) -> None:
        self.skill, self.size = skill, size
        self.generated: list[int] = []
        self.repainted: list[tuple[Plan, float, int]] = []

    def generate(self, plan: Plan, seed: int) -> Image.Image:
        self.generated.append(seed)
        width, height = self.size
        rng = Random(seed)
        things = []
        for box, region in zip(Layout.parse(plan.split_ratio).boxes, plan.regions):
            wide, high = (box.right - box.left) * width, (box.bottom - box.top) * height
            middle = box.left * width + wide / 2, box.top * height + high / 2
            things.append(self._thing(rng, region.prompt, *middle, 0.5 * min(wide, high)))
        return draw(Scene(width, height, "white", tuple(things)))

    def repaint(self, picture: Image.Image, mask: Image.Image, plan: Plan, strength: float, seed: int) -> Image.Image:
        self.repainted.append((plan, strength, seed))
        left, top, right, bottom = pixel_bounds(mask)
        words = plan.regions[-1].prompt.split()
        if not set(words) & set(SHAPES):
            return picture
        thing = self._thing(
            Random(seed), " ".join(words), (left + right) / 2, (top + bottom) / 2, 0.7 * min(right - left, bottom - top)
        )
        return draw(Scene(*picture.size, "white", (thing,)))

    def _thing(self, rng: Random, prompt: str, x: float, y: float, size: float) -> ColouredShape:
        words = prompt.split()
        colour = next(word for word in words if word in COLOURS)
        if rng.random() > self.skill:
            colour = rng.choice([other for other in COLOURS if other != colour])
        return ColouredShape(colour, next(word for word in words if word in SHAPES), x, y, size)


class Erring:
    """A critic of which each answer is wrong with some probability."""

    def __init__(self, critic: Critic, rate: float, seed: int = 0) -> None:
        self.critic, self.rate, self.rng = critic, rate, Random(seed)

    def check(self, picture: Image.Image, checklist: Checklist) -> Verdict:
        findings = self.critic.check(picture, checklist).findings
        return Verdict(checklist, {id: self._perhaps_wrong(finding) for id, finding in findings.items()})

    def _perhaps_wrong(self, finding: Finding) -> Finding:
        return Finding(not finding.passed, "", finding.box) if self.rng.random() < self.rate else finding
