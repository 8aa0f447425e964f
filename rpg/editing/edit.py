"""A picture is edited by an instruction: one operation after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from PIL import Image, ImageChops

from rpg.editing.asking import Model
from rpg.editing.critic import Critic
from rpg.editing.instructions import operations_of
from rpg.editing.model_instructions import operations_by_model
from rpg.editing.operations import Operation
from rpg.editing.painter import Painter
from rpg.editing.repaint import BY_DEFAULT, Masking, repaint


@dataclass(frozen=True)
class Edited:
    """
    Fields:
        mask: of all that was painted anew.
    """

    picture: Image.Image = field(repr=False)
    mask: Image.Image = field(repr=False)
    operations: tuple[Operation, ...]


def edit(
    picture: Image.Image,
    instruction: str,
    painter: Painter,
    critic: Critic,
    *,
    seed: int,
    model: Model | None = None,
    masking: Masking = BY_DEFAULT,
    caption: str = "",
    on_operation: Callable[[Operation], object] = lambda _: None,
) -> Edited:
    """The picture as the instruction wants it; every pixel outside the mask is as before.

    Args:
        critic: finds what the instruction names, where rules read it.
        model: reads the instruction; None for the rules.
        caption: of the picture, where it is known.
        on_operation: gets each operation before it is done.

    Raises:
        EditingError, LLMError: when the instruction cannot be read, or what it names is not there.
    """
    if model:
        operations = operations_by_model(model, instruction, picture, caption)
    else:
        operations = operations_of(instruction, picture, critic, caption)
    result, mask = picture.convert("RGB"), Image.new("L", picture.size)
    for number, operation in enumerate(operations):
        on_operation(operation)
        made = repaint(operation, result, painter, seed + number, masking)
        result, mask = made.picture, ImageChops.lighter(mask, made.mask)
    return Edited(result, mask, tuple(operations))
