"""The page in Chinese, in a browser of that language."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from rpg.errors import RPGError
from rpg.foreign import plan_from_text
from rpg.llm import PROVIDERS, failures
from rpg.panel.draft import problem
from tests.panel.page import Page
from tests.sentences import panel_sentences
from tests.test_words import UNSEEN

NAMES = re.compile(
    r"PlanError|Stable Diffusion|RPG|OpenAI|Ollama|LM Studio|vLLM|llama\.cpp|transformers|DeepSeek|Google Gemini|JSON|"
    r"Regional Prompter|Forge Couple|Omost|API|base_url|canny|Ctrl(\+Shift)?\+[A-Z]|Ctrl|Shift|split_ratio|"
    r"grabcut|Segment Anything|\bsam\b|box(?=（)|make the left star green and remove the lamp"  # which the rules read
)
SEEN = """(root) => {
    const seen = new Set();
    const app = document.querySelector(root);
    const walker = document.createTreeWalker(app, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const skipped = (node.parentElement ?? node).closest("style, script, textarea, footer");
        if (node.nodeType === Node.TEXT_NODE && !skipped) seen.add(node.data);
        if (node.nodeType === Node.ELEMENT_NODE) {
            for (const name of ["title", "placeholder", "ariaLabel"]) seen.add(node[name] ?? "");
            if (node.matches("input:not([type=range], [type=number], [type=checkbox])")) seen.add(node.value);
        }
    }
    return [...seen].map((text) => text.trim()).filter(Boolean);
}"""


@pytest.fixture(scope="module")
def chinese(browser: Any, url: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 1600}, locale="zh-CN")
    yield Page(context.new_page(), url)
    context.close()


def english(texts: list[str]) -> list[str]:
    return [text for text in texts if re.search(r"[A-Za-z]{2}", NAMES.sub("", text))]


def test_nothing_on_the_page_is_english(chinese: Page) -> None:
    expect(chinese.button("plan-button")).to_have_text("规划")
    for name in ("settings", "presets", "pictures"):
        chinese.locate(f"#rpg-standalone-{name} .label-wrap").click()
    chinese.ratio.fill("1,x")
    expect(chinese.message).to_contain_text("不是大于 0 的数")
    seen = english(chinese.raw.evaluate(SEEN, "gradio-app"))
    assert [text for text in seen if "'x'" not in text] == []


def test_a_plan_in_chinese(chinese: Page) -> None:
    chinese.locate("#rpg-standalone-prompt textarea").fill("左边一只猫，右边一只狗")
    chinese.button("plan-button").click()
    expect(chinese.button("status")).to_contain_text("已规划 2 个区域。")
    expect(chinese.button("status")).not_to_contain_text("Planned")
    assert english([chinese.button("status").inner_text()]) == []
    chinese.cells.nth(0).click()
    chinese.locate(".rpg-name").fill("Clear")  # a user's text that is a key, too
    expect(chinese.cells.nth(0).locator(".rpg-words")).to_have_text("Clear")


def test_every_sentence_is_found_by_its_key(chinese: Page) -> None:
    keys = [text for text in panel_sentences() if text not in UNSEEN]
    wrong = chinese.raw.evaluate(
        """keys => {
            const sentences = new RpgSentences(window.localization);
            const filled = (text) => text.replace(/\\{(\\d)\\}/g, "<$1>");
            return keys.filter((key) => sentences.translate(filled(key)) !== filled(window.localization[key]));
        }""",
        keys,
    )
    assert wrong == []


def errors() -> Iterator[str]:
    """Sentences within sentences, and several in a row."""
    for plan in (
        '{"regions": [{"prompt": ""}, {"prompt": "x"}]}',
        '{"regions": ["a", "b"], "split_ratio": "1,1;1,,1"}',
        '{"regions": ["a", "b"], "base_ratio": 7}',
        '{"regions": ["a", "b"], "split_ratio": "1"}',
        '{"regions": [{"prompt": "x", "area": {"box": [0.5, 0, 0.2, 1]}}]}',
        '{"regions": ["a", "b"],}',
        '{"colour": 1}',
    ):
        yield problem(plan)
    for text in ("nothing to find", "a cat BREAK a dog\nRatio: 1,1,1"):
        with pytest.raises(RPGError) as raised:
            plan_from_text(text)
        yield str(raised.value)
    deepseek = PROVIDERS["deepseek"].at("", "", "sk-1")
    yield str(failures.refused(deepseek, 401, "", {}, pictures=False))
    yield str(failures.unreachable(deepseek, "no connection within 10 s"))
    busy = str(failures.refused(deepseek, 429, "", {"retry-after": "7"}, pictures=False))
    yield f"{busy} Attempt 2 of 3 in 7 s."
    yield "The plan is not valid JSON: 'a' in line 1 has no quotation marks."
    yield "The caption has 'a cat' to the left of 'a dog'; the plan does not."
    lost = "No region shows 'cat', which the caption names. No region has 'red', which the caption names."
    yield f"Warning: {lost}"
    yield "PlanError: regions is empty; give at least one region prompt."
    yield f"The answer cannot be used: {lost} Asking once more."


def test_values_and_sentences_within_sentences(chinese: Page) -> None:
    fields = r"'[^']*'|https?://\S+|\w+_\w+|prompt|regions?\b|area|box|caption|notes|version|plan\b|BREAK|ADDCOL|ADDROW|"
    fields += r"Ratio: 1,1|Use \w+: On|base\b|common\b"
    for sentence in errors():
        said = chinese.raw.evaluate("text => new RpgSentences(window.localization).translate(text)", sentence)
        assert english([re.sub(fields, "", said)]) == [], sentence


CUT = """() => {
    const shown = (selector) => [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility());
    const width = (field) => {
        const [context, style] = [document.createElement("canvas").getContext("2d"), getComputedStyle(field)];
        context.font = style.font;
        return context.measureText(field.placeholder).width + parseFloat(style.paddingLeft) + parseFloat(style.paddingRight) - 1;
    };
    const block = (element) => getComputedStyle(element).display !== "inline";
    const texts = shown("button, p, label > span, .rpg-hint, .rpg-notes").filter(block);
    return [
        ...texts.filter((element) => element.scrollWidth > element.clientWidth + 1),
        ...shown("input[placeholder]").filter((field) => width(field) > field.clientWidth),
        ...shown("textarea[placeholder]").filter((area) => area.scrollHeight > area.clientHeight + 2),
    ].map((element) => element.placeholder || element.textContent);
}"""


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_no_text_is_cut(browser: Any, url: str, language: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale=language)
    page = Page(context.new_page(), url)
    for name in ("settings", "presets", "pictures"):
        page.locate(f"#rpg-standalone-{name} .label-wrap").click()
    page.raw.wait_for_function("document.querySelector('.rpg-start p').checkVisibility()")
    page.ratio.fill("1")
    expect(page.message.locator("p")).to_be_visible()
    for width in (1280, 420):
        page.raw.set_viewport_size({"width": width, "height": 900})
        for cell in (0, None):
            page.raw.evaluate("cell => rpgEditors.standalone.select(cell ?? -1)", cell)
            assert page.raw.evaluate(CUT) == [], (width, cell)
        assert page.raw.evaluate("document.documentElement.scrollWidth") == width
    context.close()
