"""Asking a language model, with text and pictures: ``ask(PROVIDERS["openai"].at(), Question([Message("user", "...")]))``."""

from rpg.llm.asking import ATTEMPTS, ask
from rpg.llm.failures import CUT
from rpg.llm.gemini import Gemini
from rpg.llm.local import Transformers
from rpg.llm.openai_chat import Compatible, DeepSeek, OpenAI
from rpg.llm.provider import Provider
from rpg.llm.question import Answer, Event, Message, Picture, Question
from rpg.llm.repair import ask_and_read

PROVIDERS: dict[str, type[Provider]] = {cls.name: cls for cls in (OpenAI, DeepSeek, Gemini, Compatible, Transformers)}

__all__ = ["ATTEMPTS", "CUT", "PROVIDERS", "Answer", "Event", "Message", "Picture", "Provider", "Question", "ask", "ask_and_read"]
