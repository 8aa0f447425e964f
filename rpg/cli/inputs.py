"""Options of pictures that a picture starts from or follows: ``--image``, ``--mask``, ``--control``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError

from rpg.errors import GenerationError
from rpg.inputs import KINDS, OWN_KINDS, STEP, STRENGTH, Control, Inputs, check_hint, check_strength, fitting, outlines, sized


def add_inputs(parser: Any) -> None:
    """Add the options."""
    parser.add_argument(
        "--control",
        action="append",
        default=[],
        metavar="KIND=FILE",
        help=f"a hint that the picture follows, such as canny=edges.png; repeatable. Kinds: {', '.join(KINDS)}",
    )
    parser.add_argument(
        "--control-model",
        action="append",
        default=[],
        metavar="DIR",
        help="its ControlNet, in diffusers' format; one per control (default: the embedded model's own, for canny and depth)",
    )
    parser.add_argument(
        "--control-scale",
        action="append",
        default=[],
        type=float,
        help="how strongly it is followed (default: 1); one per control",
    )
    parser.add_argument(
        "--preprocess", action="store_true", help="the controls are photographs, of which the hints are made (canny only)"
    )
    parser.add_argument("--image", type=Path, metavar="FILE", help="a picture to start from")
    parser.add_argument("--mask", type=Path, metavar="FILE", help="white where that picture is made anew")
    parser.add_argument("--strength", type=float, help=f"how far from that picture, 0 to 1 (default: {STRENGTH:g})")


class InputOptions:
    """The pictures that the options name, read and checked before a model is loaded.

    Attributes:
        hints: by the options' order: kind and picture.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        """Raises:
        GenerationError: when options do not fit together, or a picture cannot be read.
        """
        _check(options)
        self._options = options
        named = [kind_of(text) for text in options.control]
        self.image = None if options.image is None else _read(options.image)
        self.mask = None if options.mask is None else _read(options.mask, "L")
        self.hints = [(kind, _hint(kind, path, photograph=options.preprocess)) for kind, path in named]
        named_pictures = [(options.image, self.image), (options.mask, self.mask)]
        named_pictures += [(path, hint) for (_, path), (_, hint) in zip(named, self.hints)]
        self._named = [(path, picture) for path, picture in named_pictures if picture is not None]

    def __bool__(self) -> bool:
        return bool(self._named)

    def size(self, width: int | None, height: int | None, area: int) -> tuple[int, int] | None:
        """Width and height of a picture of about ``area`` pixels, if neither is given, in the shape of the first one here."""
        return fitting(self._named[0][1], area, width, height) if self else None

    def prepare(self, pipeline: Any, size: tuple[int, int], steps: int) -> tuple[Any, dict[str, Any]]:
        """See :func:`rpg.pipelines.inputs.prepare`; pictures are brought to width and height.

        Raises:
            GenerationError: when they have another shape.
        """
        from rpg.pipelines import inputs

        for name, value in zip(("width", "height"), size):
            if value % STEP:
                raise GenerationError(f"{name} is {value}; it must be a multiple of {STEP}.")
        for path, picture in self._named:
            sized(str(path), picture, size)
        strength = STRENGTH if self._options.strength is None else self._options.strength
        if self.image is not None:
            check_strength(strength, steps)
        models = self._options.control_model or [None] * len(self.hints)
        scales = self._options.control_scale or [1.0] * len(self.hints)
        hints = [hint.resize(size) for _, hint in self.hints]
        controls = tuple(Control(*one) for one in zip(models, hints, scales, strict=True))
        image, mask = (None if picture is None else picture.resize(size) for picture in (self.image, self.mask))
        return inputs.prepare(pipeline, Inputs(controls, image, mask, strength))

    def save_hints(self, path: Path) -> list[Path]:
        """Write the hints that were made, beside the picture at ``path``."""
        if not self._options.preprocess:
            return []
        path.parent.mkdir(parents=True, exist_ok=True)
        names = [path.with_stem(f"{path.stem}-{kind}{number or ''}") for number, (kind, _) in enumerate(self.hints)]
        for name, (_, hint) in zip(names, self.hints):
            hint.save(name)
        return names


def _check(options: argparse.Namespace) -> None:
    for name in ("mask", "strength"):
        if getattr(options, name) is not None and options.image is None:
            raise GenerationError(f"--{name} was given without --image, the picture that it is about.")
    if options.strength is not None and not 0 < options.strength <= 1:
        raise GenerationError(f"--strength is {options.strength:g}; it must be above 0 and at most 1.")
    if options.preprocess and not options.control:
        raise GenerationError("--preprocess was given without --control, the picture that it is about.")
    count = len(options.control)
    if not options.control_model and options.model is None:
        for text in options.control:
            if (kind := kind_of(text)[0]) not in OWN_KINDS:
                raise GenerationError(
                    f"--control {text!r} is of the kind {kind!r}, for which the embedded model has no ControlNet; it has one for "
                    f"{' and '.join(OWN_KINDS)}."
                )
    elif len(options.control_model) != count:
        raise GenerationError(
            f"--control was given {count} times and --control-model {len(options.control_model)} times; each control needs its "
            "ControlNet, in the same order."
        )
    if options.control_scale and len(options.control_scale) != count:
        raise GenerationError(
            f"--control was given {count} times and --control-scale {len(options.control_scale)} times; give one each, or none."
        )


def kind_of(text: str) -> tuple[str, Path]:
    """Kind and path of ``KIND=PATH``.

    Raises:
        GenerationError: when it is something else, or there is no such kind.
    """
    kind, equals, name = text.partition("=")
    if not equals or not name:
        raise GenerationError(f"A control is given as {text!r}; write its kind and its path, such as canny=edges.png.")
    if kind not in KINDS:
        raise GenerationError(f"A control is of the kind {kind!r}; kinds are {', '.join(KINDS)}.")
    return kind, Path(name)


def _read(path: Path, mode: str = "RGB") -> Image.Image:
    try:
        with Image.open(path) as picture:
            return ImageOps.exif_transpose(picture).convert(mode)
    except UnidentifiedImageError:
        raise GenerationError(f"{path} is no picture.") from None


def _hint(kind: str, path: Path, *, photograph: bool) -> Image.Image:
    if not photograph:
        hint = _read(path)
        check_hint(str(path), kind, hint)
        return hint
    if kind != "canny":
        raise GenerationError(
            f"--preprocess makes outlines (canny), not {kind}: make that hint by the package controlnet-aux (pip install "
            "controlnet-aux), and give it without --preprocess."
        )
    made: Image.Image = outlines(_read(path, "L"))
    return made
