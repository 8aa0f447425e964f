"""``python -m rpg check``: whether a picture shows what it was to show."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from rpg.cli.editing_options import add_critic, model_of
from rpg.cli.files import read_plan
from rpg.editing.critic import Verdict
from rpg.editing.marks import report, verdict_dict
from rpg.editing.pictures import read_picture
from rpg.editing.refinement import checklist_for, critic_of
from rpg.plan import Plan
from rpg.planners.rules import plan as plan_by_rules


def add_parser(commands: Any) -> None:
    """Add the command ``check``."""
    parser = commands.add_parser(
        "check",
        help="check a picture",
        description="Turn the picture's plan, or a caption, into a list of checks, and have each of them answered.",
    )
    parser.add_argument("picture", type=Path, help="a picture that carries a plan, or any other with --caption")
    parser.add_argument("--caption", default="", help="what it was to show (default: the plan that it carries)")
    add_critic(parser)
    parser.add_argument("--json", action="store_true", help="print the answers as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    verdict = check(options)
    print(json.dumps(verdict_dict(verdict), ensure_ascii=False) if options.json else report(verdict))


def check(options: argparse.Namespace) -> Verdict:
    """The verdict on the picture that the options name."""
    picture, _ = read_picture(options.picture, str(options.picture))
    plan, model = plan_for(options.picture, options.caption), model_of(options)
    return critic_of(model).check(picture, checklist_for(model, plan))


def plan_for(picture: Path, caption: str) -> Plan:
    """What the picture was to show."""
    return plan_by_rules(caption) if caption.strip() else read_plan(picture)
