"""A model on this machine, in this process, with the transformers package.

It is loaded once and kept in main memory; on the GPU it lies only while it answers, so that the pictures have room.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rpg.errors import LLMError
from rpg.llm import failures, trust
from rpg.llm.provider import Channel, Provider
from rpg.llm.question import Message, Question

_lock = threading.Lock()
_loaded: dict[str, tuple[Any, Any]] = {}


class Transformers(Provider):
    name = "transformers"
    label = "Local model (transformers)"
    package = "transformers"
    models = ("Llama-2-13b-chat-hf",)
    sees_pictures = False
    takes_schema = False
    max_tokens = 2048

    @property
    def short_model(self) -> str:
        return Path(self.model).name

    def ask(self, question: Question, channel: Channel) -> str:
        """Generate the answer; it ends with the token during which the caller leaves."""
        import torch
        from transformers import StoppingCriteria, StoppingCriteriaList, TextStreamer

        class Streamer(TextStreamer):  # type: ignore[misc]
            def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
                if not channel.left.is_set():
                    channel.emit("text", text)

        class Left(StoppingCriteria):  # type: ignore[misc]
            """Ends the loop where an exception would keep its tensors alive."""

            def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> bool:
                return channel.left.is_set()

        with _lock:
            tokenizer, model = _load(self.model, channel)
            inputs = _encode(tokenizer, question.messages)
            length = inputs["input_ids"].shape[1]
            room = getattr(model.config, "max_position_embeddings", 4096) - length
            if room < 1:
                read = f"more than {self.short_model} reads"
                raise LLMError(f"The instructions have {length} tokens, {read}; use a shorter template.")
            limit = min(self.limit(question) or room, room)
            device = _device(model, channel)
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
                sentence = f"The GPU has too little memory for {self.short_model}; use a smaller one or a server."
                raise LLMError(sentence, 503) from None
            finally:
                model.to("cpu")
                if device == "cuda":
                    torch.cuda.empty_cache()
        channel.usage = length, tokens.shape[1] - length
        return failures.CUT if tokens.shape[1] - length >= limit else ""


def _load(model: str, channel: Channel) -> tuple[Any, Any]:
    """Tokenizer and model; only files of this machine and only safetensors, which hold no code."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = trust.model_folder(model)
    if folder in _loaded:
        return _loaded[folder]
    _loaded.clear()
    channel.emit("status", f"Loading {Path(folder).name}.")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        network = AutoModelForCausalLM.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            low_cpu_mem_usage=True,
            torch_dtype=torch.float16 if torch.cuda.is_available() else torch.bfloat16,
        )
    except Exception as error:  # the package raises whatever its readers meet
        reason = f"{type(error).__name__}: {failures.short(str(error))}"
        raise LLMError(
            f"{Path(folder).name!r} cannot be loaded ({reason}); give the folder of a Llama-like model in safetensors format, "
            "or serve the model with Ollama, LM Studio or vLLM and choose the OpenAI-compatible provider."
        ) from None
    _loaded[folder] = tokenizer, network.eval()
    return _loaded[folder]


def _encode(tokenizer: Any, messages: Sequence[Message]) -> Any:
    """The chat as tokens: by the model's own template, else in the form of Llama 2."""
    if getattr(tokenizer, "chat_template", None):
        chat = [{"role": message.role, "content": message.text} for message in messages]
        text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        return tokenizer(text, return_tensors="pt", return_token_type_ids=False, add_special_tokens=False)
    forms = {"user": "[INST] {} [/INST]", "assistant": " {} "}
    text = "".join(forms[message.role].format(message.text.strip()) for message in messages)
    return tokenizer(text, return_tensors="pt", return_token_type_ids=False)


def _device(model: Any, channel: Channel) -> str:
    import torch

    if torch.cuda.is_available():
        size = sum(value.numel() * value.element_size() for value in model.parameters())
        if size * 1.2 < torch.cuda.mem_get_info()[0]:
            return "cuda"
        channel.emit("status", "The GPU has too little free memory for the model; it runs on the CPU, which takes longer.")
    return "cpu"
