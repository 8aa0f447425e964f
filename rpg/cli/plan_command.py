"""``python -m rpg plan``: make a plan on the command line."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from rpg.errors import PlannerError
from rpg.llm import Event, Picture
from rpg.plan import Plan, settings_of
from rpg.planners import PLANNERS, Planner, PlanRequest, Subject, make_plan


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command ``plan``; its function ``run(args)`` makes the plan and prints it."""
    parser = subparsers.add_parser(
        "plan",
        help="plan a picture",
        description="Make a plan. What the model says goes to the error output, the plan to the standard output.",
    )
    parser.add_argument("caption", help="what the picture shall show")
    add_options(parser)
    parser.add_argument("--width", type=int, help="of the picture in pixels, if it is known")
    parser.add_argument("--height", type=int)
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")
    parser.set_defaults(run=run)


def add_options(parser: argparse._ActionsContainer, model: str = "--model", image: str = "--image") -> None:
    """Add the options that say who plans; ``model`` and ``image`` name those for the planner's model and reference picture."""
    parser.add_argument("--planner", default="rules", choices=PLANNERS, help="who plans (default: %(default)s)")
    parser.add_argument(model, dest="planner_model", default="", metavar="NAME", help="its model; for transformers a folder")
    parser.add_argument(
        "--base-url", default="", help="address of an OpenAI-compatible server, such as http://127.0.0.1:11434/v1"
    )
    parser.add_argument(
        "--key-variable", default="", metavar="NAME", help="environment variable that holds the key for --base-url"
    )
    parser.add_argument("--template", default="", help="instruction template")
    parser.add_argument("--common-prompt", metavar="TEXT", help="in front of every region's prompt")
    parser.add_argument("--fallback", default="", choices=["rules"], help="plan offline where the model's answers cannot be used")
    parser.add_argument(image, dest="planner_image", type=Path, metavar="FILE", help="reference picture for a model that sees")
    parser.add_argument("--timeout", type=float, default=Planner.timeout, help="seconds of silence (default: %(default)g)")


def run(args: argparse.Namespace) -> None:
    """Make the plan and print it.

    Raises:
        PlannerError: when there is no plan.
    """
    plan = make(args)
    print(plan.to_json() if args.json else describe(plan))


def make(args: argparse.Namespace) -> Plan:
    """Make the plan that ``caption`` and the options ask for; what happens meanwhile goes to the error output."""
    subject = Subject(args.caption, args.width, args.height, read_image(args.planner_image))
    return make_plan(PlanRequest(subject, planner_of(args), settings_of(vars(args))), Printer())


def planner_of(args: argparse.Namespace) -> Planner:
    """Who plans, by the options of :func:`add_options`."""
    return Planner(
        provider=args.planner,
        model=args.planner_model,
        base_url=args.base_url,
        api_key=key_in(args.key_variable),
        template=args.template,
        timeout=args.timeout,
        fallback=args.fallback,
    )


def describe(plan: Plan) -> str:
    """The plan for reading."""
    lines = [f"Split ratio: {plan.split_ratio}"]
    lines += [f"Region {number}: {region.prompt}" for number, region in enumerate(plan.regions, 1)]
    lines += [f"Common prompt: {plan.common_prompt}"] if plan.common_prompt else []
    lines += [f"Base ratio: {plan.base_ratio:g}"]
    lines += [f"Base prompt: {plan.base_prompt}"] if plan.base_prompt else []
    return "\n".join(lines)


class Printer:
    """Events on the error output: a sentence has a line of its own, the model's words run on."""

    def __init__(self) -> None:
        self._in_a_line = False

    def __call__(self, event: Event) -> None:
        sentence = event.kind in ("status", "cost")
        start = "\n" if sentence and self._in_a_line else ""
        print(start + event.text, end="\n" if sentence else "", file=sys.stderr, flush=True)
        self._in_a_line = not sentence and not event.text.endswith("\n")


def key_in(variable: str) -> str:
    if variable and not os.environ.get(variable):
        raise PlannerError(f"The environment variable {variable} is empty; put the key into it, or leave out --key-variable.")
    return os.environ[variable] if variable else ""


def read_image(path: Path | None) -> Picture | None:
    try:
        return Picture(path.read_bytes()) if path else None
    except OSError as error:
        raise PlannerError(f"The picture {path} cannot be read: {error.strerror}.") from None
