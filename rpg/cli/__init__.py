"""The command line: ``python -m rpg generate``, ``check``, ``edit``, ``batch``, ``plan`` and ``ui``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rpg.cli import batch_command, check_command, edit_command, generate_command, plan_command, ui_command
from rpg.errors import RPGError

CANCELLED = 130
"""Exit code after Ctrl-C, as shells expect it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 2 after an error that is told in one line, 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (RPGError, ImportError, OSError) as error:
        sentence = f"{error.filename}: {error.strerror}." if isinstance(error, OSError) and error.filename else error
        print(f"error: {sentence}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nCancelled.", file=sys.stderr)
        return CANCELLED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rpg", description="RPG: recaption, plan and generate pictures region by region."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (plan_command, generate_command, check_command, edit_command, batch_command, ui_command):
        command.add_parser(commands)
    return parser
