"""What the webui loads: the script and its callbacks."""

from rpg.webui.script import RPGScript, register

__all__ = ["RPGScript"]

register()
