"""A real webui for the tests: started in a data folder of its own, spoken to by HTTP, ended with certainty."""

from __future__ import annotations

import base64
import contextlib
import ctypes
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import requests
from PIL import Image

from rpg import shapes

CHECKOUT = Path(__file__).parents[2]
WEBUI = Path(os.environ.get("WEBUI") or Path.home() / "stable-diffusion-webui")
FLAGS = (
    *("--skip-prepare-environment", "--skip-torch-cuda-test", "--skip-install"),
    *("--no-download-sd-model", "--disable-console-progressbars", "--api"),
)
READY = "Startup time"
SERVER_KEY = "sk-of-the-server-93d0e2aa"
"""In the webui's environment; no test may find it anywhere else."""
PROMPT = "a red circle and a blue square"
SETTINGS = {"width": 256, "height": 128, "steps": 6, "cfg_scale": 4, "sampler_name": "DPM++ 2M", "scheduler": "Karras", "seed": 1}


@dataclass(frozen=True)
class Kind:
    """A kind of webui."""

    root: Path
    flags: tuple[str, ...]
    """Added to the command line; all numbers have 32 bits."""
    support: tuple[Path, ...]
    """Test equipment, installed as extensions."""
    settings: dict[str, Any] = field(default_factory=dict)
    """What its API cannot do without."""


EXTRAS = tuple(Path(__file__).parent / name for name in ("wildcards", "common"))
"""Test equipment for every kind."""
A1111 = Kind(WEBUI, (*FLAGS, "--do-not-download-clip", "--use-cpu", "all"), (Path(__file__).parent / "support", *EXTRAS))


@dataclass
class Answer:
    """What the API gave back: pictures as [height, width, 3] arrays, and their infotexts."""

    images: list[np.ndarray]
    infotexts: list[str]

    @property
    def image(self) -> np.ndarray:
        return self.images[0]


class Webui:
    """One running webui.

    Args:
        folder: becomes its ``--data-dir``.
        flags: added to the command line. Without a ``--precision`` there, all numbers have 32 bits.
        extensions: folders to install besides this checkout and the test equipment.
    """

    def __init__(self, folder: Path, flags: Sequence[str] = (), extensions: Sequence[Path] = (), kind: Kind = A1111) -> None:
        self.folder = folder
        self.kind = kind
        self.models = folder / "models" / "Stable-diffusion"
        shapes.install(self.models)
        install_extension(CHECKOUT, folder / "extensions" / "sd-webui-rpg")
        for extension in (*kind.support, *extensions):
            install_extension(extension, folder / "extensions" / extension.name)
        self.write_settings(sd_model_checkpoint="shapes.safetensors")
        self.log = folder / "log.txt"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        flags = [*kind.flags, *flags, *(("--no-half",) if kind is A1111 and "--precision" not in flags else ())]
        command = [kind.root / "venv" / "bin" / "python", "launch.py", *flags, "--port", str(self.port), "--data-dir", folder]
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
            "OPENAI_API_KEY": SERVER_KEY,
            "TRANSFORMERS_OFFLINE": "1",
            "no_proxy": "127.0.0.1,localhost",
        }
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command,
                cwd=kind.root,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  takes no lock
            )
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Connection"] = "close"  # Forge drops one that rests for some seconds

    def write_settings(self, **settings: Any) -> None:
        """Settings for the next start. Writes no pictures, downloads no preview model."""
        quiet = {
            "samples_save": False,
            "grid_save": False,
            "auto_launch_browser": "Disable",
            "show_progress_type": "Approx cheap",
        }
        (self.folder / "config.json").write_text(json.dumps({**quiet, **settings}))

    def wait(self, starts: int = 1, seconds: float = 180) -> None:
        """Until the log has reported so many starts. HTTP requests during the start would disturb it."""
        until = time.monotonic() + seconds
        while self.log.read_text(errors="replace").count(READY) < starts:
            if self.process.poll() is not None:
                raise RuntimeError(f"The webui ended with {self.process.returncode}:\n{self.log_tail()}")
            if time.monotonic() > until:
                raise RuntimeError(f"The webui did not start within {seconds} s:\n{self.log_tail()}")
            time.sleep(0.2)

    def stop(self) -> None:
        for end in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, end)
                self.process.wait(10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue

    def log_tail(self, lines: int = 25) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def reload(self) -> None:
        """Press Reload UI."""
        starts = self.log.read_text(errors="replace").count(READY)
        self.post("/rpg-test/reload")
        self.wait(starts + 1)

    def get(self, path: str) -> Any:
        answer = self.session.get(self.url + path, timeout=300)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **body: Any) -> Any:
        answer = self.session.post(self.url + path, json=body, timeout=300)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def request(self, kind: str = "txt2img", rpg: Any = None, **settings: Any) -> requests.Response:
        """Ask for a picture. ``rpg`` is the dict for the extension; ``settings`` change :data:`SETTINGS`."""
        body: dict[str, Any] = {"prompt": PROMPT, **SETTINGS, **self.kind.settings, **settings}
        if rpg is not None:
            body["alwayson_scripts"] = {**body.get("alwayson_scripts", {}), "RPG": {"args": [rpg]}}
        return self.session.post(f"{self.url}/sdapi/v1/{kind}", json=body, timeout=600)

    def generate(self, kind: str = "txt2img", rpg: Any = None, **settings: Any) -> Answer:
        return self.answer(self.request(kind, rpg, **settings))

    @staticmethod
    def answer(response: requests.Response) -> Answer:
        assert response.status_code == 200, response.text
        data = response.json()
        return Answer([read_image(text) for text in data["images"]], json.loads(data["info"])["infotexts"])

    def options(self, **values: Any) -> None:
        self.post("/sdapi/v1/options", **values)


def install_extension(source: Path, target: Path) -> None:
    """A copy, so that what is edited meanwhile does not reach a running webui."""
    parts = ("rpg", "scripts", "javascript", "localizations") if source == CHECKOUT else [path.name for path in source.iterdir()]
    target.mkdir(parents=True)
    for part in parts:
        path = source / part
        if path.is_dir():
            shutil.copytree(path, target / part, ignore=shutil.ignore_patterns("__pycache__", ".git"))
        else:
            shutil.copy(path, target / part)
    if source == CHECKOUT:
        for name in ("style.css", "metadata.ini", "install.py"):
            if (source / name).exists():
                shutil.copy(source / name, target)


def build_checkpoints(folder: Path, families: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start making tiny random checkpoints (see checkpoints.py)."""
    script = Path(__file__).with_name("checkpoints.py")
    with (folder / "build.txt").open("w") as log:
        return subprocess.Popen([WEBUI / "venv" / "bin" / "python", script, WEBUI, folder, *families], stdout=log, stderr=log)


def script_args(webui: Webui, name: str, is_img2img: bool, **changes: Any) -> dict[str, Any]:
    """A request's part for a script that is chosen in the menu; ``changes`` by its arguments' labels."""
    info = webui.get("/sdapi/v1/script-info")
    arguments = next(item for item in info if item["name"] == name.lower() and item["is_img2img"] == is_img2img)["args"]
    return {"script_name": name, "script_args": [changes.get(item["label"], item["value"]) for item in arguments]}


def read_image(text: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB")).astype(int)


def write_image(image: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(image.astype("uint8")).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def _die_with_parent() -> None:
    """Linux: get SIGKILL when the tests end, however they end."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
