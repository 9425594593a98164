"""Chat templates: a conversation written as one text, by the Jinja template that a model's
files carry, as `apply_chat_template` of `transformers` writes it.

A template is a program, written by whoever made the files. It runs in jinja2's sandbox:
it sees the conversation and nothing else, and one that reaches further is stopped.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from npgpt.errors import InputError, quote
from npgpt.text.tokenizers.checks import check_text

ROLES = ("system", "developer", "user", "assistant", "tool", "ipython")
Message = Mapping[str, Any]
# a template that reads the parts of a content does so by this name
_READS_PARTS = re.compile(r"""['"]text['"]|\.text\b""")


def render(
    template: str, messages: Iterable[Message],
    special_tokens: Mapping[str, Any] | None = None, add_generation_prompt: bool = False,
    tools: Iterable[Mapping[str, Any]] | None = None, **more: Any,
) -> str:
    """The conversation as one text.

    messages: each with a role and a content, a text or a list of {"type": "text", "text": …};
    a template that does not read such parts is given their text.
    special_tokens: the names of roles that the template may use ({"bos_token": "<s>"}), or
    what tokenizer_config.json says. With `add_generation_prompt` the text ends where the
    answer is to begin. tools: JSON schemas of functions; `more`: what else the template reads.
    """
    known = {**roles_of(special_tokens or {}), **plain(more, "a setting of the template")}
    schemas = None if tools is None else plain([*tools], "a tool")
    return fill(template, checked(messages, template), known, add_generation_prompt, schemas)


def fill(
    template: str, messages: list[dict[str, Any]], known: dict[str, Any],
    add_generation_prompt: bool, tools: list[Any] | None, around: tuple[str, str] = ("", ""),
) -> str:
    """As `render`, of what is checked. `around` stands at both ends of what the template
    says is generated."""
    known = {"tools": tools, "documents": None, **known}
    ready = compiled(template, around)
    from jinja2.exceptions import SecurityError, TemplateError

    try:
        return ready.render(
            known, messages=messages, add_generation_prompt=add_generation_prompt)
    except SecurityError as error:
        why = f"reaches for what it may not: {one_line(error)}"
    except TemplateError as error:
        why = f"refuses this conversation: {one_line(error)}"
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, NameError,
            RecursionError, MemoryError) as error:
        why = f"cannot be filled with this conversation: {one_line(error)}"
    raise InputError(f"the chat template {why}")


@lru_cache(maxsize=32)
def compiled(template: str, around: tuple[str, str]) -> Any:
    """The template, in a sandbox like that of `transformers`."""
    try:
        from jinja2.exceptions import TemplateError
        from jinja2.ext import loopcontrols

        from npgpt.text.chat_sandbox import Generation, Sandbox
    except ModuleNotFoundError:
        raise InputError("chat templates need jinja2: pip install 'npgpt[chat]'") from None
    sandbox = Sandbox(trim_blocks=True, lstrip_blocks=True,
                      extensions=[Generation, loopcontrols])
    sandbox.around = around
    sandbox.filters["tojson"] = to_json
    sandbox.globals["raise_exception"] = refuser(TemplateError)
    sandbox.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    try:
        return sandbox.from_string(template)
    except (TemplateError, RecursionError) as error:
        raise InputError(f"the chat template cannot be read: {one_line(error)}") from None


def refuser(error: type[Exception]) -> Callable[[str], None]:
    def raise_exception(message: str) -> None:
        raise error(message)

    return raise_exception


def to_json(
    value: Any, ensure_ascii: bool = False, indent: int | None = None,
    separators: tuple[str, str] | None = None, sort_keys: bool = False,
) -> str:
    """jinja2's own filter would write < and & for web pages."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
                      sort_keys=sort_keys)


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def roles_of(about: Mapping[str, Any]) -> dict[str, str]:
    """The special tokens among what tokenizer_config.json says: role -> name."""
    found = {}
    for role, value in about.items():
        name = value.get("content") if isinstance(value, Mapping) else value
        if role.endswith("_token") and isinstance(name, str):
            found[role] = name
    return found


def checked(messages: Iterable[Message], template: str = "") -> list[dict[str, Any]]:
    """The messages as plain data, what is None left out, for a template that may or may not
    read the parts of a content. InputError in one line for what is no conversation."""
    if not isinstance(template, str):
        raise InputError(f"the chat template is {quote(template)}, not a text")
    if isinstance(messages, (str, bytes, Mapping)) or not isinstance(messages, Iterable):
        raise InputError("a conversation is a list of messages, each with a role and a content")
    found = [_checked(message, number, bool(_READS_PARTS.search(template)))
             for number, message in enumerate(messages, start=1)]
    if not found:
        raise InputError("the conversation is empty: give at least one message")
    return found


def _checked(message: Message, number: int, parts: bool) -> dict[str, Any]:
    if not isinstance(message, Mapping):
        raise InputError(f"message {number} is not an object with a role and a content")
    role, content = message.get("role"), message.get("content")
    if role not in ROLES:
        raise InputError(f"message {number} has the role {quote(role)}: known are"
                         f" {', '.join(ROLES)}")
    if isinstance(content, (list, tuple)):
        for part in content:
            if (not isinstance(part, Mapping) or part.get("type") != "text"
                    or not isinstance(part.get("text"), str)):
                raise InputError(f"message {number} has a part {quote(part)}: each part is"
                                 ' {"type": "text", "text": "…"}')
        if not parts:
            content = "".join([part["text"] for part in content])
    elif content is None:
        if role != "assistant" or not message.get("tool_calls"):
            raise InputError(f"message {number} has no content")
    elif not isinstance(content, str):
        raise InputError(f"message {number} has {quote(content)} for a content: give a text")
    whole = {**message, "content": content}
    return plain({key: value for key, value in whole.items() if value is not None},
                 f"message {number}")


def plain(value: Any, where: str) -> Any:
    """A copy of what JSON can say: a template gets nothing that has methods of its own."""
    if value is None or type(value) in (bool, int, float):
        return value
    if type(value) is str:
        check_text(value)
        return value
    if isinstance(value, Mapping) and all(type(key) is str for key in value):
        return {key: plain(item, where) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, where) for item in value]
    raise InputError(f"{where} holds {quote(value)}, a {type(value).__name__}: give text,"
                     " numbers, lists and objects")
