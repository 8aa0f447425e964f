"""The laws and contracts of tests/webui, on Forge."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.webui.host import Webui
from tests.webui.test_browser import (  # noqa: F401
    page,
    test_paste_restores_the_panel_and_the_picture,
    test_regions_by_hand_give_the_apis_picture,
    test_sent_to_img2img_and_inpaint,
)
from tests.webui.test_contract import (  # noqa: F401
    test_a_plan_as_text_and_a_second_argument,
    test_bad_dict_answers_422,
    test_base_prompt_replaces_the_main_prompt,
    test_infotext_gives_the_plan_and_the_picture_back,
    test_listed_in_both_tabs,
    test_readme_example,
    test_regions_as_one_text,
)
from tests.webui.test_generation import (  # noqa: F401
    RED_BLUE,
    test_each_region_follows_its_prompt,
    test_each_region_follows_its_prompt_in_img2img,
    test_identity,
    test_identity_in_img2img,
    test_locality,
    test_only_masked_repaints_its_place_by_its_own_region,
    test_regions_denoised_by_themselves,
    test_tiles_of_sd_upscale_have_their_own_regions,
)
from tests.webui.test_planning import test_the_route_plans_what_generate_draws  # noqa: F401
from tests.webui.test_prompts import (  # noqa: F401
    test_a_hires_prompt_of_its_own_is_used_beside_a_base_prompt,
    test_every_picture_is_planned_by_its_own_prompt,
    test_styles_and_comments_count_in_regions_too,
    test_wildcards_in_regions,
)
from tests.webui.test_xyz import (  # noqa: F401
    test_bad_value_is_refused_before_the_grid_starts,
    test_base_ratio_equals_three_pictures,
    test_enabled_and_split_ratio,
    test_search_and_replace_in_all_prompts,
)


@pytest.fixture(autouse=True)
def _nothing_is_left(webui: Webui) -> Iterator[None]:
    before, state = webui.generate().image, webui.get("/rpg-test/state")
    yield
    assert np.array_equal(webui.generate().image, before)
    assert webui.get("/rpg-test/state") == state
    assert state["patched"] == []
    assert (state["hooks"], state["modifiers"], state["running"]) == (0, 0, 0)


def test_an_error_in_the_middle(webui: Webui) -> None:
    webui.post("/rpg-test/fault", name="error", calls=3)
    answer = webui.request(rpg=RED_BLUE)
    assert answer.status_code == 500
    assert "a fault from the tests" in answer.text


def test_a_guidance_scale_of_one_has_no_negative_prompt(webui: Webui) -> None:
    pictures = [webui.generate(rpg={**RED_BLUE, "latent_ratio": ratio}, cfg_scale=1).image for ratio in (0, 0.5)]
    assert (pictures[0] != pictures[1]).any()
