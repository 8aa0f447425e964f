"""Webuis that make pictures: A1111 and Forge, by their API."""

from __future__ import annotations

import base64
import binascii
import json
import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import unquote, urlsplit

from rpg.batch.jobs import BatchJob
from rpg.errors import BrokenError, BusyError, GenerationError, RPGError, UnableError
from rpg.infotext import PLAN, Infotext
from rpg.llm.addresses import CONNECT_TIMEOUT
from rpg.llm.failures import short
from rpg.plan import VERSION, Plan

LONGEST_PICTURE = 3600.0
"""Seconds that a picture may take."""
ALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
"""A machine that is gone without a word is noticed after a minute."""
TELLING = ("sd_vae", "CLIP_stop_at_last_layers", "randn_source", "eta_noise_seed_delta", "emphasis")
"""Settings of a webui on which its pictures depend."""


@dataclass(frozen=True)
class BatchSettings:
    """What all pictures of a batch have in common.

    Fields:
        model: the checkpoint, as the webuis list it; empty: the one that they have loaded.
    """

    steps: int
    guidance_scale: float
    sampler: str
    model: str = ""


@dataclass
class Webui:
    """One webui; calling it makes a picture.

    Args:
        address: with ``user:password@`` where it wants them.
    """

    address: str = field(repr=False)
    settings: BatchSettings
    options: Mapping[str, Any] = field(default_factory=dict, init=False)
    """Of the webui, when it was last asked; empty before."""

    def __post_init__(self) -> None:
        try:
            self._parts = urlsplit(self.address)
            port = self._parts.port
        except ValueError:
            self._parts, port = urlsplit(""), None
        if self._parts.scheme not in ("http", "https") or not self._parts.hostname or self._parts.query or self._parts.fragment:
            raise GenerationError("--webui takes addresses such as http://127.0.0.1:7860.")
        host = f"[{self._parts.hostname}]" if ":" in self._parts.hostname else self._parts.hostname
        self.url = f"{self._parts.scheme}://{host}{f':{port}' if port else ''}{self._parts.path.rstrip('/')}"
        """Without the password: as it may be told."""
        self.wanted_model = self.settings.model

    def check(self) -> None:
        """
        Raises:
            BusyError: when it cannot be reached.
            UnableError: when it lacks the extension or the model.
        """
        self.options = {}
        try:
            known = self._json("GET", "/rpg/v1/planners")
        except _Status as status:
            raise UnableError(self._without_extension(status)) from None
        if not isinstance(known, dict) or known.get("plan_version", 0) < VERSION:
            raise UnableError(f"{self.url} has an older RPG extension, which would misread plans; update it there.")
        try:
            options = self._json("GET", "/sdapi/v1/options")
            models = self._json("GET", "/sdapi/v1/sd-models")
        except _Status as status:
            raise UnableError(f"{self.url} answered {status.code}: {status.said}") from None
        names = [model["model_name"] for model in models]
        if self.settings.model and self.settings.model not in names:
            raise UnableError(f"{self.url} has no model {self.settings.model!r}; it has {short(', '.join(names))}.")
        self.options = options

    @property
    def model(self) -> str:
        """The checkpoint that it has loaded, without extension and hash."""
        title = str(self.options.get("sd_model_checkpoint") or "").partition(" [")[0].replace("\\", "/")
        return title.rpartition("/")[2].removesuffix(".safetensors").removesuffix(".ckpt")

    def __call__(self, job: BatchJob, plan: Plan, _stopped: Callable[[], bool]) -> bytes:
        if not self.options:
            try:
                self.check()
            except BrokenError as error:  # a proxy of a webui that is away; the job has not begun
                raise BusyError(str(error)) from None
        try:
            answer = self._json("POST", "/sdapi/v1/txt2img", self._request(job, plan))
            picture = self._picture(answer)
            state = self._json("GET", "/sdapi/v1/progress?skip_current_image=true").get("state", {})
        except _Status as status:
            self.options = {}
            raise UnableError(f"{self.url} answered {status.code}: {status.said}") from None
        except (BusyError, BrokenError):
            self.options = {}  # who knows what comes back
            raise
        if state.get("interrupted") or state.get("skipped"):
            raise BrokenError(f"{self.url} was interrupted in the middle of a picture.")
        return picture

    def _request(self, job: BatchJob, plan: Plan) -> dict[str, Any]:
        request: dict[str, Any] = {
            "prompt": plan.main_prompt,
            "negative_prompt": job.negative_prompt,
            "seed": job.seed,
            "width": job.width,
            "height": job.height,
            "steps": self.settings.steps,
            "cfg_scale": self.settings.guidance_scale,
            "sampler_name": self.settings.sampler,
            "save_images": False,
            "alwayson_scripts": {"RPG": {"args": [plan.to_dict()]}},
        }
        if self.settings.model:  # stays loaded: it would be changed back and forth for each picture
            request["override_settings"] = {"sd_model_checkpoint": self.settings.model}
            request["override_settings_restore_afterwards"] = False
        return request

    def _picture(self, answer: Any) -> bytes:
        try:
            infotext = json.loads(answer["info"])["infotexts"][0]
            picture = base64.b64decode(answer["images"][0], validate=True)
        except (KeyError, IndexError, TypeError, ValueError, binascii.Error):
            raise UnableError(f"{self.url} answered without a picture.") from None
        if f"{PLAN}: " not in infotext:
            raise UnableError(f"{self.url} made a plain picture, without the plan; update the RPG extension there.")
        model = Infotext.parse(infotext).model
        if model not in (None, self.wanted_model):  # a webui need not write it
            raise UnableError(f"{self.url} made a picture with the model {model} instead of {self.wanted_model}.")
        return picture

    def _without_extension(self, status: _Status) -> str:
        if status.code == 401:
            return f"{self.url} wants a name and a password; give them as http://name:password@host."
        try:
            scripts = self._json("GET", "/sdapi/v1/script-info")
        except _Status:
            return f"{self.url} has no API; start that webui with --api."
        if any(script.get("name") == "rpg" for script in scripts if isinstance(script, dict)):
            return f"{self.url} has an older RPG extension; update it there."
        return f"{self.url} has no RPG extension, so its pictures would be plain; install it there."

    def _json(self, method: str, path: str, body: object = None) -> Any:
        """The answer's JSON.

        Raises:
            BusyError: when it cannot be reached, or asks to come later.
            BrokenError: when the connection breaks.
            _Status: when it answers anything else than 200.
        """
        kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        connection = kind(str(self._parts.hostname), self._parts.port, timeout=CONNECT_TIMEOUT)
        headers = {"content-type": "application/json"}
        if self._parts.username is not None:
            pair = f"{unquote(self._parts.username)}:{unquote(self._parts.password or '')}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        try:
            try:
                connection.connect()
            except OSError as error:
                reason = short(str(error) or type(error).__name__)
                raise BusyError(f"{self.url} cannot be reached ({reason}); check that this webui runs.") from None
            _stay_alive(connection.sock)
            try:
                connection.request(method, self._parts.path.rstrip("/") + path, json.dumps(body) if body else None, headers)
                response = connection.getresponse()
                data = response.read()
            except (OSError, HTTPException) as error:
                reason = short(str(error) or type(error).__name__)
                raise BrokenError(f"{self.url} broke off ({reason}).") from None
        finally:
            connection.close()
        if response.status in (429, 503):
            after = response.getheader("retry-after", "")
            raise BusyError(f"{self.url} is busy ({response.status}).", float(after) if after.isdigit() else None)
        if response.status in (502, 504):
            raise BrokenError(f"{self.url} broke off (its proxy answered {response.status}).")
        try:
            found = json.loads(data)
        except ValueError:
            found = None
        if response.status != 200 or found is None:
            raise _Status(response.status, found)
        return found


class _Status(Exception):
    """An answer other than 200, or one without JSON."""

    def __init__(self, code: int, body: object) -> None:
        super().__init__(code)
        self.code = code
        body = body if isinstance(body, dict) else {}
        told = body.get("detail") or body.get("errors") or body.get("error") or "no reason told"
        self.said = short(told if isinstance(told, str) else json.dumps(told)) + "."


def connect(addresses: Sequence[str], settings: BatchSettings, warn: Callable[[str], object]) -> tuple[list[Webui], str]:
    """The webuis at ``addresses``, of which those that answer were asked what they are, and the name of their model.

    Args:
        warn: told of those that cannot be reached; they may come later.

    Raises:
        GenerationError: naming those that cannot make the pictures, or that differ in their model.
    """
    webuis = list({webui.url: webui for webui in (Webui(address, settings) for address in addresses)}.values())
    with ThreadPoolExecutor(len(webuis)) as pool:
        outcomes = list(pool.map(_checked, webuis))
    if wrong := [str(outcome) for outcome in outcomes if isinstance(outcome, UnableError)]:
        raise GenerationError("\n".join(wrong))
    away = [str(outcome) for outcome in outcomes if outcome]
    here = [webui for webui in webuis if webui.options]
    if not here:
        raise GenerationError("\n".join(away))
    if not settings.model:
        _alike("model", {webui.url: webui.model for webui in here})
    for sentence in away:
        warn(sentence)
    for name in TELLING:
        try:
            _alike(name, {webui.url: webui.options.get(name) for webui in here})
        except GenerationError as difference:
            warn(f"{difference} Their pictures will differ.")
    for webui in webuis:
        webui.wanted_model = settings.model or here[0].model
    return webuis, settings.model or here[0].model


def _checked(webui: Webui) -> RPGError | None:
    try:
        webui.check()
    except RPGError as error:
        return error
    return None


def _alike(what: str, values: Mapping[str, object]) -> None:
    first, *others = values.items()
    for url, value in others:
        if value != first[1]:
            raise GenerationError(f"The {what} is {first[1]} at {first[0]}, but {value} at {url}.")


def _stay_alive(connection: socket.socket) -> None:
    connection.settimeout(LONGEST_PICTURE)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in ALIVE.items():
        if hasattr(socket, name):  # not everywhere
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
