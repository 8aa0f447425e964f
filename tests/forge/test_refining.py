"""Pictures that are checked, repaired and edited on Forge, by API and in its Gradio 4."""

from tests.forge.test_forge import _nothing_is_left  # noqa: F401
from tests.webui.test_refining import (  # noqa: F401
    test_a_batch_of_four_is_checked_and_repaired,
    test_a_critic_that_fails_leaves_the_picture,
    test_a_hires_picture_is_repaired_at_its_size,
    test_a_model_is_the_critic_and_its_key_stays_where_it_is,
    test_a_picture_is_checked_and_edited_by_its_route,
    test_img2img_begins_again_from_the_same_picture,
    test_interrupted_in_the_middle_of_a_repair_the_picture_stays,
    test_only_masked_inpainting_keeps_what_is_outside,
    test_routes_refuse_with_a_sentence,
    test_what_cannot_be_checked_is_made_all_the_same,
    test_what_is_wrong_is_refused_before_sampling,
)
from tests.webui.test_refining_browser import (  # noqa: F401
    page,
    test_after_generate_gives_the_apis_picture,
    test_an_edit_stands_behind_the_picture_that_was_selected,
    test_check_and_repair_stand_beside_the_picture,
    test_interrupted_in_the_middle_of_a_repair,
    test_the_mask_of_an_edit_is_painted_on_before_it_is_used,
    test_the_selected_region_is_painted_anew,
)
