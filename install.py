"""Installs what the planners need. The webui runs this file at every launch, before it starts.

Nothing that is already there is moved: openai comes in under constraints made from all installed versions, and Google's client,
which wants a newer protobuf than the webui pins but runs with the pinned one, goes into a folder of the extension.
"""

import importlib.metadata
import os
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from rpg.llm import packages

GEMINI = (
    "google-ai-generativelanguage==0.6.15",
    "google-api-core==2.19.2",
    "google-auth==2.35.0",
    "googleapis-common-protos==1.63.2",
    "proto-plus==1.24.0",
    "grpcio==1.68.1",
    "cachetools==5.5.0",
    "pyasn1==0.6.1",
    "pyasn1_modules==0.4.1",
    "rsa==4.9",
)
OPTIONS = "--retries 0 --disable-pip-version-check"
"""Without a network pip gives up after a second instead of nine."""


def main() -> None:
    """Install what is missing; without a network say so in one line, for the webui starts all the same."""
    try:
        if not is_installed("openai"):
            install_openai()
        if not packages.gemini_is_installed():
            install_gemini(packages.FOLDER)
    except (RuntimeError, OSError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        print(f"RPG: {reason} The offline planner works without it; the next launch tries again.")


def is_installed(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def install_openai() -> None:
    """Install openai beside what is there."""
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("\n".join(installed_versions()), encoding="utf-8")
        run_pip(f'install "{packages.OPENAI}" --constraint "{constraints}" {OPTIONS}', "openai for the RPG planners")


def run_pip(command: str, description: str) -> None:
    """The webui's own pip. Imported at use: it takes more time than everything else here."""
    import launch

    launch.run_pip(command, description)


def installed_versions() -> list[str]:
    """All installed packages as pip constraints."""
    names = {dist.metadata["Name"]: dist.version for dist in importlib.metadata.distributions()}
    return sorted(f"{name}=={version}" for name, version in names.items() if name and version)


def install_gemini(folder: Path) -> None:
    """Install Google's client into ``folder``, which is there completely or not at all."""
    folder.parent.mkdir(exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        command = f'install --no-deps --only-binary :all: --no-compile --target "{unfinished}" {" ".join(GEMINI)} {OPTIONS}'
        run_pip(command, "Google's Gemini client for the RPG planners")
        if any(unfinished.iterdir()):  # not so with --skip-install
            os.replace(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


if __name__ == "__main__":
    main()
