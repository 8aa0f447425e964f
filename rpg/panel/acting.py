"""Pictures checked, repaired and edited on the page of its own: what happens meanwhile, and what comes of it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import SimpleQueue

from PIL import Image

from rpg.editing.actions import Action, Desk, Done, Wanted, act, place_among
from rpg.editing.painter import Painter
from rpg.editing.pictures import Described
from rpg.editing.refinement import MAX_REFINEMENT, Refinement
from rpg.errors import EditingError, RPGError
from rpg.infotext import PNG_KEY, infotext_in
from rpg.panel.lines import error_line, status_line, unexpected_line
from rpg.values import load_json

Painters = Callable[[Described, threading.Event], Painter]
"""Gives a painter of pictures like one, which raises :class:`rpg.errors.Stopped` once the event is set."""
Asked = Callable[[], Wanted]
"""Raises what the user shall read."""


@dataclass(frozen=True)
class Mask:
    """
    Fields:
        text: what the page shows (:mod:`rpg.editing.waiting`); empty for no mask.
    """

    text: str


@dataclass(frozen=True)
class Bench:
    """
    Fields:
        cancelled: set when the user presses Stop.
    """

    painters: Painters
    cancelled: threading.Event


def no_painters(*_: object) -> Painter:
    raise EditingError("This page cannot paint; it was started without a model.")


def edited(
    action: Action, pictures: list[Image.Image], place: int, wanted: Asked, bench: Bench
) -> Iterator[str | list[Image.Image] | Mask]:
    """Lines of HTML, the pictures with what is new behind the one at ``place``, and the mask that waits."""
    try:
        place = place_among([infotext_in(picture) for picture in pictures], place)
    except EditingError as error:
        yield error_line(str(error))
        return
    for item in _acting(action, pictures[place], wanted, bench):
        if isinstance(item, str):
            yield item
        else:
            if item.new:
                yield [*pictures[: place + 1], *(picture for picture, _ in item.new), *pictures[place + 1 :]]
            it = place if item.picture is None else place + 1
            yield Mask(item.waiting.to_json(item.picture or pictures[place], it) if item.waiting else "")


def repaired(pictures: list[Image.Image], place: int, wanted: str, bench: Bench) -> Iterator[str | list[Image.Image]]:
    """Lines of HTML, and the pictures, of which the one at ``place`` is exchanged for a better one, with a sheet of the rounds
    behind all of them.

    Args:
        wanted: the panel's JSON.
    """

    def asked() -> Wanted:
        return Wanted(Refinement.from_dict(load_json(wanted, MAX_REFINEMENT, "refine", EditingError)))

    for item in _acting("repair", pictures[place], asked, bench):
        if isinstance(item, str):
            yield item
        else:
            pictures[place] = item.picture or pictures[place]
            pictures[place].info[PNG_KEY] = item.infotext
            if item.sheet is not None:
                pictures.append(item.sheet)
            yield [*pictures]


def _acting(action: Action, picture: Image.Image, wanted: Asked, bench: Bench) -> Iterator[str | Done]:
    """Lines of HTML, and what was done, if anything."""
    said: SimpleQueue[str | Done | Exception] = SimpleQueue()
    given = Described(picture.convert("RGB"), infotext_in(picture))
    desk = Desk(lambda: bench.painters(given, bench.cancelled), random.randrange(2**32), said.put, bench.cancelled.is_set)

    def work() -> None:
        try:
            said.put(act(action, given, wanted(), desk))
        except Exception as error:
            said.put(error)

    threading.Thread(target=work, daemon=True).start()
    while isinstance(item := said.get(), str):
        yield status_line(item)
    if isinstance(item, Done):
        for new, infotext in item.new:
            new.info[PNG_KEY] = infotext
        yield item
        yield "".join(map(status_line, item.lines))
    else:
        yield error_line(str(item)) if isinstance(item, RPGError) else unexpected_line(item)
