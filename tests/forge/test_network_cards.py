"""The cards of LoRA on Forge, and the embedded model's own there."""

from tests.forge.test_forge import _nothing_is_left  # noqa: F401
from tests.webui.test_network_cards import page, test_cards  # noqa: F401
