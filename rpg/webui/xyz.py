"""X/Y/Z plot axes: base ratio, latent ratio, split ratio, enabled; and the plot's own Prompt S/R."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from rpg.errors import PlanError, RPGError
from rpg.plan import RATIOS, Plan
from rpg.planners import Subject
from rpg.webui.arguments import override, parse_arguments, prompts_of

AXIS_LABELS = {
    "base_ratio": "[RPG] Base ratio",
    "latent_ratio": "[RPG] Latent ratio",
    "split_ratio": "[RPG] Split ratio",
    "enabled": "[RPG] Enabled",
}
MODULES = ("xyz_grid.py", "scripts.xyz_grid")


def add_axes(scripts: Iterable[Any]) -> None:
    """Extend the plot's axes once; the list outlives a reload of the page only if the script was not loaded anew.

    Args:
        scripts: the host's, among them the plot's.
    """
    for data in scripts:
        if data.script_class.__module__ in MODULES:
            plot = data.module
            if any(axis.label in AXIS_LABELS.values() for axis in plot.axis_options):
                return
            for axis in plot.axis_options:
                if axis.label == "Prompt S/R":
                    axis.apply = _replace(axis.apply)
            option = plot.AxisOption
            *_, split, enabled = AXIS_LABELS.values()
            plot.axis_options += [
                *(option(AXIS_LABELS[name], _number(name), _apply(name), confirm=_confirm(name)) for name in RATIOS),
                option(split, str, _apply("split_ratio"), format_value=plot.format_value, confirm=_confirm("split_ratio")),
                option(enabled, _boolean, _apply("enabled"), confirm=_confirm("enabled"), choices=lambda: ["True", "False"]),
            ]
            return


def _replace(original: Callable[[Any, Any, Any], None]) -> Callable[[Any, Any, Any], None]:
    """The plot's own search and replace, which knows the main prompts only, for the plan's prompts too."""

    def apply(p: Any, value: str, values: list[str]) -> None:
        try:
            wanted = parse_arguments(*_arguments(p), Subject("a caption"))
            found = wanted is not None and any(values[0] in text for text in prompts_of(wanted))
        except RPGError:  # the generation says it
            found = False
        if found:
            p.rpg_replaced = [*getattr(p, "rpg_replaced", []), (values[0], value)]
        if not found or values[0] in p.prompt or values[0] in p.negative_prompt:
            original(p, value, values)

    return apply


def _apply(name: str) -> Callable[[Any, Any, Any], None]:
    def apply(p: Any, value: Any, _values: Any) -> None:
        p.rpg_changes = {**getattr(p, "rpg_changes", {}), name: value}

    return apply


def _confirm(name: str) -> Callable[[Any, list[Any]], None]:
    """Check every value of an axis against the plan before the grid starts."""

    def confirm(p: Any, values: list[Any]) -> None:
        plan, enabled = _arguments(p)
        if name == "enabled":
            plan, enabled = ({**plan, "enabled": True} if isinstance(plan, dict) else plan), True
        wanted = parse_arguments(plan, enabled, Subject("a caption"))
        if wanted is None:
            raise PlanError(f"{AXIS_LABELS[name]}: RPG is off, so this axis would change nothing; turn RPG on.")
        if isinstance(wanted, Plan) and name != "enabled":
            for value in values:
                override(wanted, {name: value})

    return confirm


def _arguments(p: Any) -> tuple[Any, Any]:
    """Plan and switch."""
    for script in p.scripts.alwayson_scripts:
        if script.title() == "RPG":
            return (*p.script_args[script.args_from : script.args_to], "", None)[:2]
    return "", None


def _number(name: str) -> Callable[[str], float]:
    def number(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise PlanError(f"{AXIS_LABELS[name]}: {text!r} is not a number from 0 to 1.") from None

    return number


def _boolean(text: str) -> bool:
    try:
        return {"true": True, "false": False}[text.strip().lower()]
    except KeyError:
        raise PlanError(f"{AXIS_LABELS['enabled']}: {text!r} is neither True nor False.") from None
