"""Sentences as lines of HTML. They may quote anything a user or a model wrote, so they are escaped here and nowhere else."""

from __future__ import annotations

import html
import logging


def error_line(sentence: str) -> str:
    return _line("rpg-error", sentence)


def is_error(line: str) -> bool:
    return line.startswith('<p class="rpg-error">')


def status_line(sentence: str) -> str:
    return _line("rpg-status", sentence)


def unexpected_line(error: Exception) -> str:
    """For an error that nobody foresaw: the page needs a sentence, whoever mends it the traceback."""
    logging.getLogger(__name__).error("Unexpected error", exc_info=error)
    return error_line(f"Something unexpected went wrong ({type(error).__name__}: {error}); the console has the details.")


def _line(css_class: str, sentence: str) -> str:
    return f'<p class="{css_class}">{html.escape(sentence)}</p>' if sentence else ""


def progress_bar(share: float) -> str:
    """``share`` of the work, 0..1, as a bar."""
    return f'<div class="rpg-progress"><div style="width: {min(max(share, 0), 1):.0%}"></div></div>'
