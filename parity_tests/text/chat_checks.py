"""What must hold of conversations as ids, as functions of the package under test."""

import importlib
import tempfile
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from parity_tests.text.conversations import (
    CONVERSATIONS,
    END,
    NAMES,
    ROLES,
    TEMPLATES,
    THOUGHTS,
    TOOLS,
    WITH_TOOLS,
    said,
    source_of,
)
from parity_tests.text.tokenizers.families import loaded
from parity_tests.text.tokenizers.tokenizer_checks import drawn_text

TURNS = st.lists(st.one_of(st.integers(0, 2**32).map(drawn_text), st.text(max_size=20),
                           st.sampled_from(["", " ", "\n", "yes", "<|im_end|>", "<|eot_id|>"])),
                 min_size=2, max_size=6).map(lambda texts: texts[: len(texts) // 2 * 2])
SYSTEM = st.sampled_from([None, "", "Be short.", "<|im_end|>\n<|im_start|>assistant\n"])


def tokenizers(text):
    """name of a template -> our tokenizer for it."""
    found = {}
    for name in NAMES:
        with tempfile.TemporaryDirectory() as folder:
            found[name] = loaded(text, source_of(name), folder)
    return found


def chat_of(text):
    """The module of the package under test; it is not imported with the package."""
    return importlib.import_module(f"{text.__name__}.chat")


def answers_alone_are_learnt(text):
    """Every answer, whole, and the one token that ends it; nothing else."""
    chat, known = chat_of(text), tokenizers(text)

    @given(st.sampled_from(NAMES), TURNS, SYSTEM)
    def check(name, turns, system):
        ours, conversation = known[name], said(*turns, system=system)
        arguments = (ours, TEMPLATES[name], conversation, ROLES[name])
        ids, mask = chat.answer_mask(*arguments)
        assert ids == chat.encode_chat(*arguments)
        runs, answers = learnt_runs(ids, mask), turns[1::2]
        assert len(runs) == len(answers)
        for number, (run, answer) in enumerate(zip(runs, answers), start=1):
            assert run[-1] == ours.special_ids[END[name]] and run[-1] not in run[:-1]
            wanted = ours.decode(ours.encode(answer))     # in its normal form
            if name == "llama3":
                wanted = wanted.strip()
            if name == "qwen3" and number == len(answers):
                wanted = "<think>\n\n</think>\n\n" + wanted.lstrip("\n")
            # the line's end before an answer may be one token with its beginning
            before = ours.decode(run[:-1]).removesuffix(wanted)
            assert before + wanted == ours.decode(run[:-1]) and before.strip() == ""
            assert not before or wanted[:1].isspace() or not wanted

    check()


def learnt_runs(ids, mask):
    assert len(ids) == len(mask) and all(type(own) is bool for own in mask)
    runs, before = [], False
    for id, own in zip(ids, mask):
        if own and not before:
            runs.append([])
        if own:
            runs[-1].append(id)
        before = own
    return runs


def learnt_are_the_answers_and_one_end_each(text):
    """By number: plain answers, none of them one token with what stands before it."""
    chat, known = chat_of(text), tokenizers(text)
    for name in ("smollm2", "llama3"):
        ours = known[name]
        for turns in (["Sing.", "La la la."], ["a", "b", "c", "d", "e", "f"], ["x y", "1234 z"]):
            ids, mask = chat.answer_mask(ours, TEMPLATES[name], said(*turns), ROLES[name])
            answers = [[*ours.encode(answer), ours.special_ids[END[name]]]
                       for answer in turns[1::2]]
            assert learnt_runs(ids, mask) == answers
            assert sum(mask) == sum(map(len, answers))


def the_prompt_is_never_learnt(text):
    """What the model is given when it is asked is a beginning of the ids, and no target."""
    chat, known = chat_of(text), tokenizers(text)
    for name, ours in known.items():
        cases = [(turns, {}) for turns in CONVERSATIONS[1:6]]
        if name == "qwen3":
            cases += [(turns, {"tools": TOOLS}) for turns in WITH_TOOLS[1:3]]
            cases += [(turns, {}) for turns in THOUGHTS]
        for turns, more in cases:
            ids, mask = chat.answer_mask(ours, TEMPLATES[name], turns, ROLES[name], **more)
            asked = [n for n, turn in enumerate(turns) if turn["role"] == "assistant"]
            begins = [at for at, own in enumerate(mask) if own and not mask[at - 1]]
            for n, begin in zip(asked, begins, strict=True):
                prompt = chat.encode_chat(
                    ours, TEMPLATES[name], turns[:n], ROLES[name], True, **more)
                assert ids[:begin] == prompt


def names_in_messages_are_text(text):
    """A special token stands where the template writes it, and nowhere else."""
    chat, known = chat_of(text), tokenizers(text)
    special = sorted({name for ours in known.values() for name in ours.special_ids
                      if name not in ours.added}, key=len, reverse=True)
    part = st.sampled_from([*special, "<|", "|>", " ", "\n", "a", "<|im_en", "d|>"])
    turn = st.lists(part, max_size=6).map("".join)

    @given(st.sampled_from(NAMES), st.lists(turn, min_size=1, max_size=4), st.booleans())
    def check(name, turns, prompt):
        ours = known[name]
        numbers = {ours.special_ids[name] for name in special if name in ours.special_ids}
        ids = chat.encode_chat(ours, TEMPLATES[name], said(*turns), ROLES[name], prompt)
        assert ours.decode(ids) == chat.render(
            TEMPLATES[name], said(*turns), ROLES[name], prompt)
        plain = chat.encode_chat(
            ours, TEMPLATES[name], said(*("x" for _ in turns)), ROLES[name], prompt)
        assert [id for id in ids if id in numbers] == [id for id in plain if id in numbers]

    check()


def what_is_generated_is_learnt(text):
    """Where the template says what it is; no special token is needed."""
    chat, known = chat_of(text), tokenizers(text)
    template = ("{% for m in messages %}{% if m.role == 'user' %}é {{ m.content }} A:{% else %}"
                "{% generation %} {{ m.content }}{% endgeneration %} Ω {% endif %}{% endfor %}")
    for ours in known.values():
        ids, mask = chat.answer_mask(
            ours, template, said("naïve?", "café 你好 😀", "<|im_end|> né", "Straße <|eot_id|>"))
        assert [*map(ours.decode, learnt_runs(ids, mask))] == [
            " café 你好 😀", " Straße <|eot_id|>"]
        assert not {*ids} & {ours.special_ids["<|im_end|>"] if "<|im_end|>" in ours.special_ids
                             else ours.special_ids["<|eot_id|>"]}


def no_token_is_put_before(text):
    """One token for the beginning: the template's own."""
    chat, ours = chat_of(text), tokenizers(text)["llama3"]
    assert ours.before == ("<|begin_of_text|>",)
    ids = chat.encode_chat(ours, TEMPLATES["llama3"], said("x"), ROLES["llama3"])
    assert ids.count(ours.special_ids["<|begin_of_text|>"]) == 1 and ids[0] == 0


CHECKS = SimpleNamespace(
    learnt_are_the_answers_and_one_end_each=learnt_are_the_answers_and_one_end_each,
    answers_alone_are_learnt=answers_alone_are_learnt,
    the_prompt_is_never_learnt=the_prompt_is_never_learnt,
    what_is_generated_is_learnt=what_is_generated_is_learnt,
    names_in_messages_are_text=names_in_messages_are_text,
    no_token_is_put_before=no_token_is_put_before,
)
