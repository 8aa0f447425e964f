"""A model on this machine, in this process, with the transformers package.

It is loaded once and kept in main memory; on the GPU it lies only while it plans, so that the pictures have room.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from rpg.errors import PlannerError
from rpg.planners import failures
from rpg.planners.asking import Call, Emit, Message, short

FOLDER_VARIABLE = "RPG_LLM_FOLDER"
"""Environment variable: where models lie that are given by name."""
MOST_TOKENS = 2048

_lock = threading.Lock()
_loaded: dict[str, tuple[Any, Any]] = {}


def ask(call: Call, emit: Emit) -> str:
    """Generate the answer; it ends with the token during which the caller leaves."""
    import torch
    from transformers import StoppingCriteria, StoppingCriteriaList, TextStreamer

    class Streamer(TextStreamer):  # type: ignore[misc]
        def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
            if not call.left.is_set():
                emit("text", text)

    class Left(StoppingCriteria):  # type: ignore[misc]
        """Ends the loop where an exception would keep its tensors alive."""

        def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> bool:
            return call.left.is_set()

    with _lock:
        tokenizer, model = _load(call, emit)
        inputs = _encode(tokenizer, call.messages)
        length = inputs["input_ids"].shape[1]
        room = getattr(model.config, "max_position_embeddings", 4096) - length
        if room < 1:
            raise PlannerError(f"The instructions have {length} tokens, more than {_name(call)} reads; use a shorter template.")
        limit = min(MOST_TOKENS, room)
        device = _device(model, emit)
        try:
            model.to(device)
            with torch.inference_mode():
                tokens = model.generate(
                    **inputs.to(device),
                    max_new_tokens=limit,
                    do_sample=False,
                    pad_token_id=tokenizer.eos_token_id,
                    stopping_criteria=StoppingCriteriaList([Left()]),
                    streamer=Streamer(tokenizer, skip_prompt=True, skip_special_tokens=True),
                )
        except torch.cuda.OutOfMemoryError:
            raise PlannerError(f"The GPU has too little memory for {_name(call)}; use a smaller one or a server.", 503) from None
        finally:
            model.to("cpu")
            if device == "cuda":
                torch.cuda.empty_cache()
    return failures.CUT if tokens.shape[1] - length >= limit else ""


def unload() -> None:
    """Give back the main memory of the loaded model."""
    with _lock:
        _loaded.clear()


def _name(call: Call) -> str:
    return Path(call.model).name


def _load(call: Call, emit: Emit) -> tuple[Any, Any]:
    """Tokenizer and model; only files of this machine and only safetensors, which hold no code."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = call.model
    if not Path(folder).is_dir() and (root := os.environ.get(FOLDER_VARIABLE)):
        folder = str(Path(root) / folder)
    if folder in _loaded:
        return _loaded[folder]
    _loaded.clear()
    emit("status", f"Loading {_name(call)}.")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            low_cpu_mem_usage=True,
            torch_dtype=torch.float16 if torch.cuda.is_available() else torch.bfloat16,
        )
    except Exception as error:  # the package raises whatever its readers meet
        reason = f"{type(error).__name__}: {short(str(error))}"
        raise PlannerError(
            f"{_name(call)!r} cannot be loaded ({reason}); give the folder of a Llama-like model in safetensors format, "
            "or serve the model with Ollama, LM Studio or vLLM and choose the OpenAI-compatible provider."
        ) from None
    _loaded[folder] = tokenizer, model.eval()
    return _loaded[folder]


def _encode(tokenizer: Any, messages: list[Message]) -> Any:
    """The chat as tokens: by the model's own template, else in the form of Llama 2."""
    if getattr(tokenizer, "chat_template", None):
        chat = [{"role": role, "content": text} for role, text in messages]
        text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        return tokenizer(text, return_tensors="pt", return_token_type_ids=False, add_special_tokens=False)
    parts = [f"[INST] {text.strip()} [/INST]" if role == "user" else f" {text.strip()} " for role, text in messages]
    return tokenizer("".join(parts), return_tensors="pt", return_token_type_ids=False)


def _device(model: Any, emit: Emit) -> str:
    import torch

    if torch.cuda.is_available():
        size = sum(value.numel() * value.element_size() for value in model.parameters())
        if size * 1.2 < torch.cuda.mem_get_info()[0]:
            return "cuda"
        emit("status", "The GPU has too little free memory for the model; it plans on the CPU, which takes longer.")
    return "cpu"
