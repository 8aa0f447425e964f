"""Buttons that work on the picture selected in the webui's gallery; what they make goes beside it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from modules import call_queue, images, shared
from modules.ui_common import plaintext_to_html
from PIL import Image

from rpg.editing.actions import Action, Desk, Done, act, place_among
from rpg.editing.pictures import Described
from rpg.errors import RPGError
from rpg.infotext import infotext_in
from rpg.panel.lines import error_line, status_line, unexpected_line
from rpg.panel.panel import Panel
from rpg.panel.refining import asked
from rpg.webui.inner_jobs import InnerJobs, stopping

PARTS = ("{}_gallery", "generation_info_{}", "html_info_{}", "html_log_{}")
"""Ids of the host's components that show a job's results, in the order in which its own jobs give them."""
_LISTS = ("all_prompts", "all_negative_prompts", "all_seeds", "all_subseeds")


class Gallery:
    """The results of one tab, once the host has built all of them."""

    def __init__(self, tab: str) -> None:
        self.tab = tab
        self.ids = [part.format(tab) for part in PARTS]
        self.found: dict[str, Any] = {}

    def see(self, component: Any, panel: Panel | None) -> None:
        """The host has built a component. When it is the last one, the panel's buttons are tied to them."""
        if component.elem_id in self.ids and panel is not None:
            self.found[component.elem_id] = component
            if len(self.found) == len(self.ids):
                self._tie(panel, [self.found[id] for id in self.ids])
                self.found = {}

    def _tie(self, panel: Panel, outputs: list[Any]) -> None:
        gallery, told = outputs[:2]
        for action, button in panel.refining.buttons.items():
            button.click(
                call_queue.wrap_gradio_gpu_call(self._worker(action, panel.planners), extra_outputs=["", None, "", ""]),
                inputs=[panel.refining.task, panel.refining.task, gallery, told, panel.refining.task, *panel.refining.inputs],
                outputs=[panel.refining.waiting, *outputs],
                _js=f"(...values) => rpgStartJob('{self.tab}', '{action}', values)",
                show_progress=False,
            )

    def _worker(self, action: Action, planners: dict[str, str]) -> Callable[..., list[Any]]:
        def work(_task: str, index: str, gallery: Sequence[Any] | None, told: str, *values: Any) -> list[Any]:
            """Never raises: the host would print all arguments, the key among them."""
            try:
                info = _read(told)
                place, given = _picture(gallery, int(index), info)
                wanted = asked(planners, values)
                painter = InnerJobs.like(given.picture, given.infotext)
                desk = Desk(lambda: painter, random.randrange(2**32), _say, stopping)
                done = act(action, given, wanted, desk)
                results = self._shown(gallery or [], place, info, done, desk.seed)
                return [_waiting(done, given, place), *results, "".join(map(status_line, done.lines))]
            except RPGError as error:
                return [gr.update(), gr.update(), told, gr.update(), error_line(str(error))]
            except Exception as error:
                return [gr.update(), gr.update(), told, gr.update(), unexpected_line(error)]

        return work

    def _shown(self, gallery: Sequence[Any], place: int, info: dict[str, Any], done: Done, seed: int) -> list[Any]:
        """The gallery with what is new behind the selected picture, and what is said of each."""
        new = done.new
        if not new:
            return [gr.update(), json.dumps(info), gr.update()]
        for picture, infotext in new:
            picture.info["parameters"] = infotext
        if done.picture is not None and shared.opts.samples_save:
            folder = shared.opts.outdir_samples or getattr(shared.opts, f"outdir_{self.tab}_samples")
            prompt = Described(done.picture, done.infotext).prompt
            images.save_image(done.picture, folder, "", seed, prompt, shared.opts.samples_format, info=done.infotext)
        pictures = [_kept(item) for item in gallery]
        pictures[place + 1 : place + 1] = [picture for picture, _ in new]
        info["infotexts"][place + 1 : place + 1] = [infotext for _, infotext in new]
        number = max(place - info.get("index_of_first_image", 0), 0)
        for name in _LISTS:
            if isinstance(info.get(name), list) and info[name]:
                info[name][number + 1 : number + 1] = [info[name][min(number, len(info[name]) - 1)]] * len(new)
        return [pictures, json.dumps(info), plaintext_to_html(done.infotext)]


def _waiting(done: Done, given: Described, place: int) -> str:
    """What the page shows of a mask; empty for none."""
    if done.waiting is None:
        return ""
    if done.picture is None:
        return done.waiting.to_json(given.picture, place)
    file = getattr(done.picture, "already_saved_as", "")  # which the gallery shows, and perhaps as a JPEG
    return done.waiting.to_json(Image.open(file) if file else done.picture, place + 1)


def _say(sentence: str) -> None:
    shared.state.textinfo = sentence


def _read(told: str) -> dict[str, Any]:
    try:
        info = json.loads(told)
    except ValueError:
        info = {}
    return {"infotexts": [], **info} if isinstance(info, dict) else {"infotexts": []}


def _picture(gallery: Sequence[Any] | None, place: int, info: dict[str, Any]) -> tuple[int, Described]:
    """The picture at a place of the gallery, and where it is."""
    from modules import infotext_utils  # not every webui has it

    gallery, texts = gallery or [], info["infotexts"]
    given = [*texts[: len(gallery)], *[""] * (len(gallery) - len(texts))]
    place = place_among(given, place)
    picture = infotext_utils.image_from_url_text(gallery[place])
    while len(texts) < len(gallery):
        texts.append(texts[-1] if texts else infotext_in(picture))
    return place, Described(picture.convert("RGB"), texts[place] or infotext_in(picture))


def _kept(item: Any) -> Image.Image:
    """A picture that the gallery has already, which the host need not write again."""
    item = item[0] if isinstance(item, (list, tuple)) else item
    if isinstance(item, Image.Image):  # Forge gives the pictures themselves
        return item
    name = item["name"] if isinstance(item, dict) else str(item)
    stand_in = Image.new("RGB", (1, 1))
    stand_in.already_saved_as = name.rsplit("?", 1)[0]
    return stand_in
