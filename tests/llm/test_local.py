"""A tiny Llama with random weights, written to disk and run with transformers."""

import json
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rpg.errors import LLMError, Stopped
from rpg.llm import CUT, Answer, Event, Message, Picture, Question, Transformers, local, trust
from tests.llm.asked import PNG, asked, joined, question
from tests.llm.servers import PLAN

SPECIALS = ["<unk>", "<s>", "</s>"]


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer made from the instructions, and a model of a few thousand weights."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("models") / "tiny-llama"
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=1000, special_tokens=SPECIALS, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([PLAN * 3], trainer)
    special = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=4000,
    )
    LlamaForCausalLM(config).save_pretrained(folder, safe_serialization=True)
    return folder


@pytest.fixture(autouse=True)
def unloaded() -> Iterator[None]:
    yield
    local._loaded.clear()


def says(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Let the model speak: its logits are replaced, all else is real. Returns the prompts it was given."""
    from transformers import LlamaForCausalLM

    prompts: list[str] = []
    generate = LlamaForCausalLM.generate
    queue = list(answers)

    def spoken(self: Any, input_ids: Any, streamer: Any, max_new_tokens: int, **options: Any) -> Any:
        tokenizer = streamer.tokenizer
        prompts.append(tokenizer.decode(input_ids[0]))
        wanted = [*tokenizer(queue.pop(0), add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
        start = input_ids.shape[1]

        def force(ids: Any, scores: Any) -> Any:
            scores[:] = -1e4
            scores[:, wanted[ids.shape[1] - start]] = 1e4
            return scores

        options |= {"input_ids": input_ids, "streamer": streamer, "max_new_tokens": max_new_tokens}
        return generate(self, logits_processor=[force], **options)

    monkeypatch.setattr(LlamaForCausalLM, "generate", spoken)
    return prompts


def test_random_weights_give_random_text_up_to_the_limit(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Transformers, "max_tokens", 24)
    events: list[Event] = []
    answer = asked(Transformers.at(str(llama)), question(), events=events)
    assert answer.text
    assert answer.remark == CUT
    assert [event.text for event in events if event.text.startswith("Loading")] == ["Loading tiny-llama."]


def test_a_question_may_bound_its_answer(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, PLAN)
    answer = asked(Transformers.at(str(llama)), Question([Message("user", "hello")], max_tokens=3))
    assert PLAN.startswith(answer.text)
    assert len(answer.text) < len(PLAN)
    assert answer.remark


def test_the_answer_is_streamed(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = says(monkeypatch, PLAN)
    events: list[Event] = []
    assert asked(Transformers.at(str(llama)), question("You plan."), events=events) == Answer(PLAN, "", "")
    assert joined(events, "text") == PLAN
    assert len([event for event in events if event.kind == "text"]) > 1
    assert re.match(r"\d+ tokens in, \d\d+ out, ", joined(events, "cost"))
    assert prompts == ["[INST] You plan. [/INST]"]


def test_the_chat_goes_on(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = says(monkeypatch, PLAN)
    chat = [Message("user", "Plan."), Message("assistant", "nothing"), Message("user", "Again.")]
    assert asked(Transformers.at(str(llama)), Question(chat)).text == PLAN
    assert prompts == ["[INST] Plan. [/INST] nothing [INST] Again. [/INST]"]


def test_the_chat_template_of_the_model_is_used(llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "chat"
    shutil.copytree(llama, folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings["chat_template"] = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<model>"
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    prompts = says(monkeypatch, PLAN)
    asked(Transformers.at(str(folder)), question("You plan."))
    assert prompts == ["<user>You plan.<model>"]


def test_it_is_loaded_once(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, PLAN, PLAN)
    events: list[Event] = []
    asked(Transformers.at(str(llama)), question(), events=events)
    asked(Transformers.at(str(llama)), question(), events=events)
    assert [event.text for event in events].count("Loading tiny-llama.") == 1


def test_stopping_ends_the_generation(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, "on and on " * 500)
    events: list[Event] = []

    def written() -> list[Event]:
        return [event for event in events if event.kind == "text"]

    with pytest.raises(Stopped):
        asked(Transformers.at(str(llama)), question(), lambda: len(written()) > 3, events)
    threads = [thread for thread in threading.enumerate() if thread.name == "rpg-llm"]
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert len(written()) == 4


def test_by_name_in_the_folder_of_models(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, PLAN)
    monkeypatch.setenv(trust.MODEL_FOLDER, str(llama.parent))
    assert asked(Transformers.at("tiny-llama"), question()).text == PLAN


def test_instructions_that_are_too_long(llama: Path) -> None:
    with pytest.raises(LLMError, match=r"have \d+ tokens, more than tiny-llama reads; use a shorter template"):
        asked(Transformers.at(str(llama)), question("Plan. " * 2000))


@pytest.mark.parametrize("name", ["missing", "empty", "weights-in-pickle"])
def test_what_cannot_be_loaded(llama: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    if name != "missing":
        folder.mkdir()
    if name == "weights-in-pickle":
        for file in llama.iterdir():
            target = "pytorch_model.bin" if file.suffix == ".safetensors" else file.name
            (folder / target).write_bytes(file.read_bytes())
    with pytest.raises(LLMError, match=f"'{name}' cannot be loaded .*safetensors format, or serve the model with Ollama"):
        asked(Transformers.at(str(folder)), question())


def test_pictures_are_refused(llama: Path) -> None:
    with pytest.raises(LLMError, match="cannot see pictures"):
        asked(Transformers.at(str(llama)), question("Look:", Picture(PNG)))
