"""Operations of which the first waits until its mask has been looked at, and perhaps painted on."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from PIL import Image

from rpg.editing.marks import operation_dict
from rpg.editing.operations import Operation, operations_from
from rpg.editing.pictures import png, read_picture
from rpg.errors import EditingError
from rpg.llm import Picture
from rpg.plan import Plan
from rpg.values import load_json

MAX_WAITING = 16 * 1024 * 1024
SHOWN_SIDE = 1024
"""Longest side in pixels of the copy that the mask is shown over."""


@dataclass(frozen=True)
class Waiting:
    """
    Fields:
        mask: of the first operation, in mode L and as large as the picture.
        mends: whether a check asked for them; the picture is checked again afterwards.
        plan: of the picture afterwards; None: as before.
    """

    operations: tuple[Operation, ...]
    mask: Image.Image = field(repr=False)
    mends: bool = False
    plan: Plan | None = None

    def to_json(self, picture: Image.Image, place: int) -> str:
        """For the page, which shows the mask and sends back what :meth:`from_json` reads.

        Args:
            place: of the picture among those of the page.
        """
        copy = picture.convert("RGB")
        copy.thumbnail((SHOWN_SIDE, SHOWN_SIDE))
        jpeg = io.BytesIO()
        copy.save(jpeg, "JPEG", quality=90)
        first, *others = self.operations
        sent = {
            "operations": [operation_dict(operation) for operation in self.operations],
            "mask": _address("png", png(self.mask)),
            "mends": self.mends,
            "picture": fingerprint(picture),
            "plan": self.plan and self.plan.to_dict(),
        }
        shown = {"place": place, "shown": _address("jpeg", jpeg.getvalue()), "sentence": first.sentence, "more": len(others)}
        return json.dumps({"sent": sent, **shown, "made": time.time_ns()})  # the page hears of a text only when it is another

    @classmethod
    def from_json(cls, text: str, picture: Image.Image) -> Waiting:
        """
        Raises:
            EditingError: when nothing waits, it belongs to another picture, or a field is wrong.
        """
        if not text.strip():
            raise EditingError("No mask is shown; tick 'Show the mask first' and press Repair, Edit or Repaint region.")
        given = load_json(text, MAX_WAITING, "mask", EditingError)
        if not isinstance(given, Mapping) or set(given) != {"operations", "mask", "mends", "picture", "plan"}:
            raise EditingError("The mask's JSON is not what the page sends; press Repair or Edit again.")
        if given["picture"] != fingerprint(picture):
            raise EditingError("The mask belongs to a picture that is no longer in its place; press Repair or Edit again.")
        mask = read_picture(Picture.from_base64(given["mask"]).data, "mask")[0].convert("L")
        check_size(mask, picture)
        plan = Plan.from_dict(given["plan"]) if given["plan"] else None
        return cls(tuple(operations_from(given["operations"])), mask, bool(given["mends"]), plan)


def check_size(mask: Image.Image, picture: Image.Image) -> None:
    if mask.size != picture.size:
        raise EditingError(f"mask has {mask.width} x {mask.height} pixels; the picture has {picture.width} x {picture.height}.")


def fingerprint(picture: Image.Image) -> str:
    """Of its size and pixels."""
    pixels = picture.convert("RGB")
    return hashlib.sha256(f"{pixels.size}".encode() + pixels.tobytes()).hexdigest()


def _address(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
