"""What the webui loads: the script and its callbacks."""

from rpg.webui.callbacks import register
from rpg.webui.script import RPGScript

__all__ = ["RPGScript"]

register()
