"""The webui's cards of networks, with a page that stands for the webui's."""

from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parents[2] / "javascript" / "rpg-cards.js"
PAGE = """
<div id="txt2img_prompt"><textarea></textarea></div><div id="txt2img_neg_prompt"><textarea></textarea></div>
<div id="rpg-txt2img-checkbox"><input type="checkbox" checked></div>
<div id="rpg-txt2img-editor">
  <div class="rpg-prompt"><label><textarea id="first"></textarea></label></div>
  <div class="rpg-negative"><label><textarea id="negative"></textarea></label></div>
</div>
<input id="search">
<script>
  const onUiLoaded = (callback) => callback();
  function updatePromptArea(text, area) { area.value += text; }
  function cardClicked(tab, text) { updatePromptArea(text, document.querySelector("#txt2img_prompt textarea")); }
</script>
"""


def test_a_card_goes_where_was_written_last(browser: Any) -> None:
    page = browser.new_page()
    page.set_content(PAGE)
    page.add_script_tag(content=SCRIPT.read_text())

    def pressed(*focused: str, negative: str = "") -> dict[str, str]:
        page.evaluate("document.querySelectorAll('textarea').forEach((area) => area.value = '')")
        for selector in focused:
            page.locator(selector).focus()
        page.evaluate(f"cardClicked('txt2img', '<lora:x:1>', '{negative}', false)")
        fields = {"main": "#txt2img_prompt textarea", "region": "#first", "negative": "#txt2img_neg_prompt textarea"}
        return {name: text for name, field in fields.items() if (text := page.locator(field).input_value())}

    assert pressed() == {"main": "<lora:x:1>"}
    assert pressed("#first") == {"region": "<lora:x:1>"}
    assert pressed("#first", "#search") == {"region": "<lora:x:1>"}
    assert pressed("#first", "#negative") == {"region": "<lora:x:1>"}, "a tag does nothing in a negative prompt"
    assert pressed("#first", negative="bad") == {"region": "<lora:x:1>", "negative": "bad"}
    assert pressed("#first", "#txt2img_prompt textarea") == {"main": "<lora:x:1>"}
    page.locator("#first").focus()
    page.locator("#rpg-txt2img-checkbox input").uncheck()
    assert pressed() == {"main": "<lora:x:1>"}, "off, the panel leaves cards alone"
    page.close()
