"""Options of the commands that look at pictures: who looks, and how masks are made."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import Any

from PIL import Image

from rpg.cli.common import whole
from rpg.cli.plan_command import Printer, key_in
from rpg.editing.asking import Model
from rpg.editing.loop import Limits, refine
from rpg.editing.marks import checks_text, operations_text
from rpg.editing.masks import DEFAULT_METHOD, METHODS
from rpg.editing.refinement import CRITICS, OFFLINE_CRITIC, Looker, checklist_for, critic_of
from rpg.editing.repaint import Masking
from rpg.editing.sheet import rounds_sheet
from rpg.infotext import Infotext
from rpg.plan import Plan


def add_critic(parser: Any, *, alone: bool = True) -> None:
    """Add the options that say who looks.

    Args:
        alone: whether the command plans nothing, so that address and key are the critic's.
    """
    parser.add_argument(
        "--critic",
        default=OFFLINE_CRITIC,
        choices=CRITICS,
        help="who looks: the offline critic of the embedded model's coloured shapes, or a model that sees pictures "
        "(default: %(default)s)",
    )
    parser.add_argument("--critic-model", default="", metavar="NAME", help="its model")
    if alone:
        parser.add_argument("--base-url", default="", help="address of an OpenAI-compatible server")
        variable = "environment variable that holds the key for --base-url"
        parser.add_argument("--key-variable", default="", metavar="NAME", help=variable)
        parser.add_argument("--timeout", type=float, default=180.0, help="seconds without a word from the model (%(default)g)")


def add_masking(parser: Any) -> None:
    parser.add_argument(
        "--cut-out", default=DEFAULT_METHOD, choices=METHODS, help="how things are cut out (default: %(default)s)"
    )
    parser.add_argument("--sam", default="", metavar="FOLDER", help="of a Segment Anything model, for --cut-out sam")


def add_refining(parser: Any) -> None:
    rounds = "check each picture and repair what is wrong, in at most so many rounds"
    parser.add_argument("--refine", type=whole(0), default=0, metavar="ROUNDS", help=rounds)
    add_critic(parser, alone=False)
    add_masking(parser)


def masking(options: argparse.Namespace) -> Masking:
    return Masking(options.cut_out, options.sam)


def model_of(options: argparse.Namespace) -> Model | None:
    """The model that looks; None for the offline critic."""
    key = key_in(options.key_variable) if options.critic != OFFLINE_CRITIC else ""
    return Looker(options.critic, options.critic_model, options.base_url, key, options.timeout).model_for(Printer())


class Refiner:
    """Checks and repairs pictures of one plan, as ``generate --refine`` does.

    Raises:
        EditingError, LLMError: when the critic cannot look at such pictures.
    """

    def __init__(self, options: argparse.Namespace, plan: Plan) -> None:
        self.plan = plan
        self.limits, self.masking = Limits(options.refine), masking(options)
        model = model_of(options)
        self.critic, self.checklist = critic_of(model), checklist_for(model, plan)

    def refine(self, picture: Image.Image, made: Infotext, loaded: Any) -> tuple[Image.Image, Infotext, Image.Image | None]:
        """The best that the rounds give, what its infotext says, and a sheet of the rounds."""
        from rpg.pipelines.painter import painter_of

        painter = painter_of(
            loaded,
            picture.size,
            num_inference_steps=made.steps,
            guidance_scale=made.guidance_scale,
            negative_prompt=made.negative_prompt or None,
        )
        done = refine(
            picture,
            self.plan,
            self.checklist,
            self.critic,
            painter,
            seed=made.seed or 0,
            limits=self.limits,
            masking=self.masking,
            on_round=lambda item: print(item.sentence, file=sys.stderr),
        )
        print(f"checks:  {len(done.verdict.passed)} of {len(done.verdict.findings)} passed. {done.ended}", file=sys.stderr)
        told = replace(made, refined=done.summary, checks=checks_text(done.verdict), operations=operations_text(done.operations))
        return done.picture, told, rounds_sheet(picture, done)
