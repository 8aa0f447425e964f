"""Sentences as lines of HTML. They may quote anything a user or a model wrote, so they are escaped here and nowhere else."""

from __future__ import annotations

import html


def error_line(sentence: str) -> str:
    return _line("rpg-error", sentence)


def status_line(sentence: str) -> str:
    return _line("rpg-status", sentence)


def _line(css_class: str, sentence: str) -> str:
    return f'<p class="{css_class}">{html.escape(sentence)}</p>' if sentence else ""


def progress_bar(share: float) -> str:
    """``share`` of the work, 0..1, as a bar."""
    return f'<div class="rpg-progress"><div style="width: {min(max(share, 0), 1):.0%}"></div></div>'
