"""``python -m rpg edit``: change a picture by an instruction in words."""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path
from typing import Any

from rpg.cli.common import add_model, load, whole
from rpg.cli.editing_options import add_critic, add_masking, masking, model_of
from rpg.editing.edit import edit
from rpg.editing.marks import edited_infotext
from rpg.editing.pictures import Described, png, read_picture
from rpg.editing.refinement import critic_of
from rpg.errors import EditingError


def add_parser(commands: Any) -> None:
    """Add the command ``edit``."""
    parser = commands.add_parser(
        "edit",
        help="edit a picture",
        description="Change a picture by an instruction, such as 'make the left star green and remove the lamp'. Without a model "
        "the rules read it: add, remove, replace, make, move. What is not changed stays as it is, bit for bit.",
    )
    parser.add_argument("picture", type=Path)
    parser.add_argument("instruction", help="what to change")
    add_critic(parser)
    add_masking(parser)
    add_model(parser)
    parser.add_argument("--seed", type=whole(0), help="(default: random)")
    parser.add_argument("--steps", type=whole(1))
    parser.add_argument("--guidance", type=float)
    parser.add_argument("--output", type=Path, metavar="FILE", help="a .png file (default: beside the picture)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Write the edited picture."""
    output = options.output or options.picture.with_name(f"{options.picture.stem}-edited.png")
    if output.suffix.lower() != ".png":
        raise EditingError(f"--output is {str(output)!r}; edited pictures are .png files.")
    given, model = Described(*read_picture(options.picture, str(options.picture))), model_of(options)
    picture = given.picture
    seed = random.randrange(2**32) if options.seed is None else options.seed
    loaded = load(options)
    loaded.pipeline.set_progress_bar_config(desc="Painting")
    from rpg.pipelines.painter import painter_of

    painter = painter_of(loaded, picture.size, num_inference_steps=options.steps, guidance_scale=options.guidance)
    done = edit(
        picture,
        options.instruction,
        painter,
        critic_of(model),
        model=model,
        seed=seed,
        masking=masking(options),
        caption=given.prompt,
        plan=given.known_plan,
        on_operation=lambda operation: print(operation.sentence, file=sys.stderr),
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    infotext = edited_infotext(given.infotext, given.prompt, list(done.operations))
    output.write_bytes(png(done.picture, infotext))
    print(f"seed:    {seed}")
    print(f"picture: {output}")
