"""A tiny Llama with random weights, written to disk and run with transformers."""

import json
import shutil
import threading
from pathlib import Path

import pytest

from rpg.errors import PlannerError
from rpg.planners import PlanEvent, PlanningStopped, PlanRequest, ReplyError, local, local_llm, make_plan
from rpg.planners.instructions import load_template
from tests.planners.servers import PLAN

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
    tokenizer.train_from_iterator([load_template().text, PLAN * 3], trainer)
    special = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=1000,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=4000,
    )
    LlamaForCausalLM(config).save_pretrained(folder, safe_serialization=True)
    return folder


@pytest.fixture(autouse=True)
def unloaded():
    yield
    local.unload()


def says(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Let the model speak: its logits are replaced, all else is real. Returns the prompts it was given."""
    from transformers import LlamaForCausalLM

    prompts: list[str] = []
    generate = LlamaForCausalLM.generate
    queue = list(answers)

    def spoken(self, input_ids, streamer, max_new_tokens, **options):
        tokenizer = streamer.tokenizer
        prompts.append(tokenizer.decode(input_ids[0]))
        wanted = [*tokenizer(queue.pop(0), add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
        start = input_ids.shape[1]

        def force(ids, scores):
            scores[:] = -1e4
            scores[:, wanted[ids.shape[1] - start]] = 1e4
            return scores

        options |= {"input_ids": input_ids, "streamer": streamer, "max_new_tokens": max_new_tokens}
        return generate(self, logits_processor=[force], **options)

    monkeypatch.setattr(LlamaForCausalLM, "generate", spoken)
    return prompts


def request(folder: Path, **values: object) -> PlanRequest:
    return PlanRequest("a cat and a dog", provider="transformers", model=str(folder), **values)


def test_random_weights_give_random_text_and_a_sentence(llama: Path, monkeypatch):
    monkeypatch.setattr(local, "MOST_TOKENS", 24)
    events: list[PlanEvent] = []
    with pytest.raises(ReplyError, match="The model stopped at its length limit") as caught:
        make_plan(request(llama), events.append)
    assert caught.value.raw
    assert [event.text for event in events if event.text.startswith("Loading")] == ["Loading tiny-llama."]
    assert len([event for event in events if event.kind == "text"]) > 1


def test_the_answer_is_streamed_and_read(llama: Path, monkeypatch):
    prompts = says(monkeypatch, PLAN)
    events: list[PlanEvent] = []
    plan = make_plan(request(llama), events.append)
    assert plan.split_ratio == "1,2"
    assert plan.planned_by == "transformers tiny-llama, template default 1"
    assert "".join(event.text for event in events if event.kind == "text") == PLAN
    assert prompts[0].startswith("[INST] You plan a picture")
    assert prompts[0].endswith("Caption: a cat and a dog [/INST]")


def test_a_wrong_answer_goes_back_in_the_chat(llama: Path, monkeypatch):
    prompts = says(monkeypatch, "nothing", PLAN)
    assert make_plan(request(llama)).split_ratio == "1,2"
    assert "[/INST] nothing [INST] That answer cannot be used: The answer holds no plan" in prompts[1]


def test_the_chat_template_of_the_model_is_used(llama: Path, tmp_path: Path, monkeypatch):
    folder = tmp_path / "chat"
    shutil.copytree(llama, folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings["chat_template"] = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<model>"
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    prompts = says(monkeypatch, PLAN)
    make_plan(request(folder))
    assert prompts[0].startswith("<user>You plan")
    assert prompts[0].endswith("<model>")


def test_it_is_loaded_once_and_can_be_unloaded(llama: Path, monkeypatch):
    says(monkeypatch, PLAN, PLAN, PLAN)
    events: list[PlanEvent] = []
    make_plan(request(llama), events.append, reuse=False)
    make_plan(request(llama), events.append, reuse=False)
    local.unload()
    make_plan(request(llama), events.append, reuse=False)
    assert [event.text for event in events].count("Loading tiny-llama.") == 2


def test_stopping_ends_the_generation(llama: Path, monkeypatch):
    says(monkeypatch, "on and on " * 500)
    written: list[PlanEvent] = []

    def note(event: PlanEvent) -> None:
        if event.kind == "text":
            written.append(event)

    with pytest.raises(PlanningStopped):
        make_plan(request(llama), note, lambda: len(written) > 3)
    threads = [thread for thread in threading.enumerate() if thread.name == "rpg-planner"]
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert len(written) == 4


def test_by_name_in_the_folder_of_models(llama: Path, monkeypatch):
    says(monkeypatch, PLAN)
    monkeypatch.setenv(local.FOLDER_VARIABLE, str(llama.parent))
    assert make_plan(request(Path("tiny-llama"))).split_ratio == "1,2"


def test_the_originals_function(llama: Path, monkeypatch):
    says(monkeypatch, PLAN, PLAN)
    expected = {"Final split ratio": "1,2", "Regional Prompt": "a grey cat BREAK a brown dog"}
    assert local_llm("a cat and a dog", model_path=str(llama)) == expected
    assert local_llm("a cat and a dog", "13b", str(llama)) == expected


def test_instructions_that_are_too_long(llama: Path, tmp_path: Path, monkeypatch):
    (tmp_path / "long.txt").write_text("Plan. " * 2000)
    monkeypatch.setenv("RPG_TEMPLATES", str(tmp_path))
    with pytest.raises(PlannerError, match=r"have \d+ tokens, more than tiny-llama reads; use a shorter template"):
        make_plan(request(llama, template="long"))


@pytest.mark.parametrize("name", ["missing", "empty", "weights-in-pickle"])
def test_what_cannot_be_loaded(llama: Path, tmp_path: Path, name: str):
    folder = tmp_path / name
    if name != "missing":
        folder.mkdir()
    if name == "weights-in-pickle":
        for file in llama.iterdir():
            target = "pytorch_model.bin" if file.suffix == ".safetensors" else file.name
            (folder / target).write_bytes(file.read_bytes())
    with pytest.raises(PlannerError, match=f"'{name}' cannot be loaded .*safetensors format, or serve the model with Ollama"):
        make_plan(request(folder))


def test_pictures_are_refused(llama: Path):
    with pytest.raises(PlannerError, match="cannot see pictures"):
        make_plan(request(llama, image="iVBORw0KGgo="))
