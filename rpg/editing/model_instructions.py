"""An instruction in any words, read by a model that sees the picture."""

from __future__ import annotations

from typing import Any

from PIL import Image

from rpg.editing.asking import BOX, BOX_RULE, TEXT, Model, box_of, items_of, list_schema, object_schema, quoted, text_of
from rpg.editing.operations import MAX_OPERATIONS, Operation
from rpg.errors import EditingError

EDIT = object_schema(
    operations=list_schema(object_schema(kind=TEXT, box=BOX, prompt=TEXT, colour=TEXT, target=BOX), MAX_OPERATIONS),
    caption=TEXT,
)

_EDIT = """This picture shall be edited.
Its caption: {caption}
The instruction: {instruction}

Turn the instruction into as few operations as do it, each on one thing:
- add: the box where it shall stand, and a prompt for it.
- remove: the box of what goes; the prompt says what is seen in its place, such as the ground behind it.
- replace: the box of what goes, and a prompt for what comes.
- recolour: the box of what changes its colour, a prompt for it with the new colour, and the colour as one English word.
- move: the box where it is, target is the box where it shall be, and a prompt for it.
{box_rule} Fields that an operation does not need are "" or [].
Answer with JSON: {{"operations": [{{"kind": "add", "box": [0, 0, 500, 500], "prompt": "...", "colour": "", "target": []}}],
"caption": "the caption of the edited picture"}}"""


def operations_by_model(model: Model, instruction: str, picture: Image.Image, caption: str = "") -> list[Operation]:
    """
    Raises:
        LLMError: when there is no answer that can be used.
    """
    text = _EDIT.format(caption=quoted(caption), instruction=quoted(instruction), box_rule=BOX_RULE)
    return model.ask(text, EDIT, read_operations, picture)


def read_operations(data: object) -> list[Operation]:
    """
    Raises:
        EditingError: when there is no operation, or one makes no sense.
    """
    items = items_of(data, "operations", MAX_OPERATIONS)
    if not items:
        raise EditingError("operations is empty; give at least one operation.")
    assert isinstance(data, dict)
    caption = text_of(data, "caption", required=False)
    return [_operation(item, number, caption) for number, item in enumerate(items, 1)]


def _operation(item: dict[str, Any], number: int, caption: str) -> Operation:
    box = box_of(item.get("box"), f"operation {number}")
    if box is None:
        raise EditingError(f"Operation {number} has no box; say where it is done.")
    kind: Any = item.get("kind")
    target = box_of(item.get("target"), f"the target of operation {number}") if kind == "move" else None
    colour = text_of(item, "colour", required=False) if kind == "recolour" else ""
    return Operation(kind, box, text_of(item, "prompt", required=False), caption, colour, target)
