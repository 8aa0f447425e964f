"""The section Refine on Forge's Gradio 4."""

from tests.webui.test_refining_browser import (  # noqa: F401
    page,
    test_an_edit_stands_behind_the_picture_that_was_selected,
    test_the_mask_of_an_edit_is_painted_on_before_it_is_used,
)
