"""A conversation stays within the context: the oldest turns go, whole, and no more than must;
the system's message and the question never do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import npgpt.text
from npgpt.errors import InputError
from npgpt.text.chat import encode_chat
from npgpt.text.conversation import Conversation, fitting, turns_of
from parity_tests.text.conversations import (
    CONVERSATIONS,
    NAMES,
    ROLES,
    TEMPLATES,
    TOOLS,
    WITH_TOOLS,
    called,
    said,
    source_of,
    told,
)
from parity_tests.text.tokenizers.families import loaded

MESSAGE = st.builds(lambda role, size: {"role": role, "content": "x" * size},
                    st.sampled_from(["user", "user", "assistant", "tool", "system"]),
                    st.integers(0, 9))


def length(messages):
    return sum(len(message["content"]) for message in messages)


@given(st.lists(MESSAGE, min_size=1, max_size=12), st.integers(0, 60))
def test_as_few_turns_as_must_are_left_out(messages, limit):
    turns = turns_of(messages)
    assert [message for turn in turns for message in turn] == messages
    assert all(turn[0]["role"] == "user" for turn in turns[1:])
    assert all(message["role"] != "user" for turn in turns for message in turn[1:])
    try:
        kept, count = fitting(messages, length, limit)
    except InputError as error:
        needed = length(m for n, turn in enumerate(turns) for m in turn
                        if n in (0, len(turns) - 1) or m["role"] == "system")
        assert needed > limit and f"needs {needed} tokens" in str(error)
        return
    assert length(kept) <= limit and count <= max(len(turns) - 2, 0)
    # the last turn is whole, and so are those before it that are there
    assert [m for m in kept if m["role"] != "system"] == [
        m for n, turn in enumerate(turns) for m in turn
        if m["role"] != "system" and (n == 0 or n > count)]
    assert [m for m in kept if m["role"] == "system"] == [
        m for m in messages if m["role"] == "system"]
    if count:
        fewer = [m for n, turn in enumerate(turns) for m in turn
                 if n == 0 or n > count - 1 or m["role"] == "system"]
        assert length(fewer) > limit


def test_what_all_fits_is_left_alone():
    for messages in CONVERSATIONS:
        assert fitting(messages, length, length(messages)) == (messages, 0)


@pytest.mark.parametrize("name", NAMES)
def test_every_prompt_leaves_room_for_the_answer(name, tmp_path):
    """And begins with the system's message, though it is long forgotten how it began."""
    ours = loaded(npgpt.text, source_of(name), tmp_path)
    chat = Conversation(ours, TEMPLATES[name], 160, 40, "Be short.", ROLES[name])
    for n in range(30):
        ids = chat.ask(f"Question {n}? " + "word " * (n % 7))
        assert len(ids) <= 120
        assert ids == encode_chat(ours, TEMPLATES[name], chat.messages, ROLES[name], True)
        assert chat.messages[0] == {"role": "system", "content": "Be short."}
        assert [m["role"] for m in chat.messages[1:]] == (
            ["user", "assistant"] * len(chat.messages))[: len(chat.messages) - 1]
        assert f"Question {n}?" in chat.messages[-1]["content"]
        assert len(chat.messages) // 2 - 1 + chat.forgotten == n
        chat.answered(f"Answer {n}.")
    assert chat.forgotten > 20
    before = [*chat.messages]
    with pytest.raises(InputError, match="there is room for 120: ask a shorter one") as caught:
        chat.ask("word " * 500)
    assert "\n" not in str(caught.value) and chat.messages == before
    chat.clear()
    assert chat.messages == [{"role": "system", "content": "Be short."}] and not chat.forgotten


def test_a_call_of_a_tool_is_forgotten_with_its_question(tmp_path):
    ours = loaded(npgpt.text, source_of("qwen3"), tmp_path)
    chat = Conversation(ours, TEMPLATES["qwen3"], 2000, 1, tools=TOOLS,
                        special_tokens=ROLES["qwen3"], enable_thinking=False)
    chat.ask("Is it warm in Paris?")
    chat.answered(called("weather", {"city": "Paris"}))
    ids = chat.add(told("21 °C"))
    assert ours.decode(ids).endswith("<think>\n\n</think>\n\n") and len(chat.messages) == 3
    assert chat.messages[:1] == WITH_TOOLS[1][:1]
    chat.answered("Yes.")
    short = len(ids)
    chat.limit = short
    chat.ask("And " + "so " * 20 + "on?")
    assert [m["role"] for m in chat.messages] == ["user"] and chat.forgotten == 1


@pytest.mark.parametrize("room", [0, -1, 8, 9])
def test_no_room_is_said(room):
    with pytest.raises(InputError, match="do not fit a context of 8"):
        Conversation(None, "", 8, room)


def test_what_is_no_message_is_not_taken(tmp_path):
    ours = loaded(npgpt.text, source_of("smollm2"), tmp_path)
    chat = Conversation(ours, TEMPLATES["smollm2"], 500, 100)
    chat.ask("a")
    for wrong in (3, {"role": "bot", "content": "x"}, {"role": "assistant"}):
        with pytest.raises(InputError):
            chat.answered(wrong)
    with pytest.raises(InputError):
        chat.ask(None)
    assert chat.messages == said("a")
