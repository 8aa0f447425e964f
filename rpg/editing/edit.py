"""A picture is edited by an instruction: one operation after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from PIL import Image, ImageChops

from rpg.editing.asking import Model
from rpg.editing.critic import Critic
from rpg.editing.instructions import operations_of
from rpg.editing.model_instructions import operations_by_model
from rpg.editing.operations import Operation
from rpg.editing.painter import Painter
from rpg.editing.repaint import BY_DEFAULT, Masking, repaint
from rpg.plan import Plan


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
    plan: Plan | None = None,
    on_operation: Callable[[Operation], object] = lambda _: None,
) -> Edited:
    """The picture as the instruction wants it; every pixel outside the mask is as before.

    Args:
        critic: finds what the instruction names, where rules read it.
        model: reads the instruction; None for the rules.
        caption, plan: of the picture, where they are known.
        on_operation: gets each operation before it is done.

    Raises:
        EditingError, LLMError: when the instruction cannot be read, or what it names is not there.
    """
    operations = operations_for(instruction, picture, critic, model, caption)
    return carried_out(operations, picture, painter, seed=seed, masking=masking, plan=plan, on_operation=on_operation)


def operations_for(
    instruction: str, picture: Image.Image, critic: Critic, model: Model | None = None, caption: str = ""
) -> list[Operation]:
    """What an instruction asks for: see :func:`edit`."""
    if model:
        return operations_by_model(model, instruction, picture, caption)
    return operations_of(instruction, picture, critic, caption)


def carried_out(
    operations: Sequence[Operation],
    picture: Image.Image,
    painter: Painter,
    *,
    seed: int,
    masking: Masking = BY_DEFAULT,
    mask: Image.Image | None = None,
    plan: Plan | None = None,
    on_operation: Callable[[Operation], object] = lambda _: None,
) -> Edited:
    """The picture with operations done, one after the other.

    Args:
        mask: of the only operation, instead of one that is made.

    Raises:
        EditingError: when a mask cannot be made.
    """
    result, painted = picture.convert("RGB"), Image.new("L", picture.size)
    for number, operation in enumerate(operations):
        on_operation(operation)
        made = repaint(operation, result, painter, seed + number, masking, mask=mask, plan=plan)
        result, painted = made.picture, ImageChops.lighter(painted, made.mask)
    return Edited(result, painted, tuple(operations))
