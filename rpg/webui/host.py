"""The host's seam: what a job needs of the webui that runs it. Each kind of webui implements it in a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol

from torch import Tensor, nn

from rpg.networks import Tags
from rpg.steering.branches import LowRank
from rpg.steering.latents import StandIn
from rpg.steering.steering import Steering

PromptSchedule = Callable[[int], Tensor]
"""A prompt's token embeddings [rows, tokens, channels] at a call of the denoiser; a row for each prompt joined by ``AND``."""


class Host(Protocol):
    """One generation, all batches and passes. Its denoiser gives every job a look at what it is about to use.

    Attributes:
        p: what the webui keeps of the generation; its denoiser names it too.
    """

    p: Any

    def unet(self) -> nn.Module:
        """The UNet that is loaded now.

        Raises:
            GenerationError: when something else has taken its place or steers it already.
        """

    def stand_in(self) -> StandIn | None:
        """What has taken the UNet's place, if regions can be denoised by themselves with it.

        Raises:
            GenerationError: when it is known and they cannot.
        """

    def weights(self) -> Hashable:
        """What the UNet's weights are made of now: a checkpoint, and the networks that change it, and how strongly."""

    def branches(self, unet: nn.Module, regions: Sequence[Tags]) -> dict[int, dict[nn.Module, list[LowRank]]]:
        """What the networks of single regions add to the UNet's layers, beside what its weights hold now.

        Raises:
            GenerationError: when one can act on the whole picture alone.
        """

    def begin(self, steering: Steering, x: Tensor) -> None:
        """A call of the denoiser with ``x`` begins: what the host has to be told before."""

    def end(self) -> None:
        """The job is over: take back what :meth:`begin` did."""

    def is_hires(self) -> bool:
        """Whether the pass under way is the hires pass."""

    def starts_from_picture(self) -> bool:
        """Whether the first pass is img2img."""

    def guide(self, denoiser: Any, scale: Callable[[float], float]) -> None:
        """Let the denoiser apply ``scale`` of the user's guidance scale to the answer that it has just got."""

    def rows(self) -> list[int]:
        """How many prompts each picture of the batch joins by ``AND``: its rows of the positive conditioning."""

    def base_prompts(self) -> list[list[str]]:
        """For each picture of the batch its base prompt, and that of the hires pass if there is one."""

    def and_weights(self, prompts: Sequence[str]) -> list[list[float]]:
        """For each prompt, the weights of what it joins by ``AND``."""

    def negative_prompts(self) -> list[str]:
        """Each picture's in the pass under way."""

    def schedule(self, prompt: str, *, negative: bool, networks: Tags) -> PromptSchedule:
        """A prompt as the host encodes its own in the pass under way, with networks beside those of the whole picture; each is
        encoded once a pass."""

    def pad(self, denoiser: Any, positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor]:
        """The host's own padding of unequal lengths, where its options ask for it, and its note in the infotext."""


def tokens(cond: Any) -> Any:
    """The token embeddings [rows, tokens, channels] of a conditioning; SDXL keeps others beside them."""
    return cond["crossattn"] if isinstance(cond, dict) else cond


def with_tokens(cond: Any, tokens: Tensor) -> Any:
    """``cond`` with other token embeddings; pooled embedding and size conditioning stay the base prompt's."""
    if not isinstance(cond, dict):
        return tokens
    return type(cond)({**cond, "crossattn": tokens})
