"""Plans kept under a name: the user's, as files in a folder, and a few layouts that come along."""

from rpg.presets.store import Presets, user_folder

__all__ = ["Presets", "user_folder"]
