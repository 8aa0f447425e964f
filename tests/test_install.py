"""install.py with the host's ``launch`` module played by a double."""

import importlib.metadata
import importlib.util
import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from rpg.llm import packages

FILE = Path(__file__).parents[1] / "install.py"


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """The installer with nothing installed yet; ``commands`` and ``constraints`` hold what it gave to pip."""
    commands: list[str] = []
    constraints: list[str] = []

    def run_pip(command: str, desc: str) -> None:
        commands.append(command)
        for option, value in pairwise(command.split('"')):
            if option.endswith("--constraint "):
                constraints.extend(Path(value).read_text().splitlines())
            if option.endswith("--target "):
                (Path(value) / "google").mkdir()

    launch = ModuleType("launch")
    launch.run_pip = run_pip
    monkeypatch.setitem(sys.modules, "launch", launch)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(packages, "FOLDER", tmp_path / "packages" / "gemini")
    monkeypatch.setattr(packages, "gemini_is_installed", packages.FOLDER.is_dir)
    spec = importlib.util.spec_from_file_location("install", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.is_installed
    monkeypatch.setattr(module, "is_installed", lambda package: package != "openai" and found(package))
    return SimpleNamespace(module=module, launch=launch, commands=commands, constraints=constraints)


def test_openai_moves_nothing_that_is_installed(install):
    install.module.main()
    assert install.commands[0].startswith('install "openai>=1.55.3,<3" --constraint ')
    for package in ("pydantic", "httpx", "gradio"):
        assert f"{package}=={importlib.metadata.version(package)}" in install.constraints
    assert all(line.count("==") == 1 for line in install.constraints)


def test_gemini_goes_into_a_folder_without_its_dependencies(install, tmp_path):
    install.module.main()
    command = install.commands[1]
    assert "--no-deps" in command
    assert "protobuf" not in command
    assert [path.name for path in (tmp_path / "packages").iterdir()] == ["gemini"]
    assert (packages.FOLDER / "google").is_dir()


def test_what_is_there_is_not_installed_again(install, monkeypatch):
    packages.FOLDER.mkdir(parents=True)
    monkeypatch.setattr(install.module, "is_installed", lambda package: True)
    monkeypatch.setitem(sys.modules, "launch", None)  # importing it takes time at every launch
    install.module.main()
    assert install.commands == []


def test_without_a_network_one_line_is_printed(install, capsys, tmp_path):
    def run_pip(command: str, desc: str) -> None:
        raise RuntimeError(f"Couldn't install {desc}.\nCommand: pip\nError code: 1\nstderr: no network")

    install.launch.run_pip = run_pip
    install.module.main()
    output = capsys.readouterr().out
    assert output.startswith("RPG: Couldn't install openai for the RPG planners. The offline planner works")
    assert output.count("\n") == 1
    assert not packages.FOLDER.exists()


def test_half_a_download_leaves_nothing(install, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(install.module, "is_installed", lambda package: True)

    def run_pip(command: str, desc: str) -> None:
        target = Path(command.split('--target "')[1].split('"', maxsplit=1)[0])
        (target / "half").mkdir()
        raise RuntimeError("Couldn't install Gemini.")

    install.launch.run_pip = run_pip
    install.module.main()
    assert list((tmp_path / "packages").iterdir()) == []


def test_skip_install_leaves_nothing(install, tmp_path):
    install.launch.run_pip = lambda command, desc: None
    install.module.main()
    assert list((tmp_path / "packages").iterdir()) == []


def test_the_folder_comes_last_on_the_path(monkeypatch, tmp_path):
    monkeypatch.setattr(packages, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    packages.use_folder()
    packages.use_folder()
    assert packages.gemini_is_installed()
    assert sys.path[-1] == str(tmp_path)
    assert sys.path.count(str(tmp_path)) == 1
