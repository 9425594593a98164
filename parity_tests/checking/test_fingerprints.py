"""Each typical mistake is recognised by its fingerprint, and what is none is not."""

import numpy as np
import pytest

from npgpt.checking.draw import Numbers
from npgpt.checking.fingerprints import one_difference, one_number, plain_cause, vague_cause
from npgpt.checking.related import cause_from_others, cause_of_part

NUMBERS = Numbers(1)
SIZES = {"B": 5, "T": 7, "D": 8}
RIGHT = NUMBERS.normal(5, 7, 8)
GATE, TERM, LARGE = NUMBERS.uniform(5, 7, 8), NUMBERS.normal(8), NUMBERS.normal(4, 5, 7, 8)
KNOWN = {"gate": GATE, "term": TERM, "large": LARGE}


def first_part_halved():
    wrong = RIGHT.copy()
    wrong[:, :3] /= np.sqrt(8)
    return wrong


@pytest.mark.parametrize(("wrong", "says"), [
    (-RIGHT, "the sign reversed"),
    (RIGHT / np.sqrt(8), "0.3536 = 1/√8 = 1/√D: divided by √D once too often"),
    (RIGHT * np.sqrt(8), "2.828 = √8 = √D: a division by √D left out?"),
    (RIGHT / 35, "0.02857 = 1/35 = 1/(B·T): a mean where a sum belongs"),
    (-RIGHT * 35, "35 = B·T: a sum where a mean belongs, or a division by B·T left out?"
     " And the sign is reversed."),
    (RIGHT * 5 / 7, "0.7143 = 5/7 = B/T: divided by T, where B belongs?"),
    (RIGHT * 7 / 6, "1.167 = 7/6: divided by T − 1, where T belongs?"),
    (RIGHT * np.sqrt(7 / 6), "1.08 = √(7/6): divided by T − 1, where T belongs?"),
    (RIGHT / 2, "0.5 times what it should be: a mean of two"),
    (RIGHT.swapaxes(1, 2), "axes 1 and 2 are interchanged"),
    (RIGHT.swapaxes(0, 1).reshape(5, 7, 8), "of the expected value in the order (1, 0, 2)"),
    (RIGHT.sum(axis=1), "Yours is summed over axis 1 of the expected value once too often"),
    (RIGHT.mean(axis=2, keepdims=True), "Yours is averaged over axis 2"),
    (RIGHT.reshape(35, 8), "The right numbers in another shape"),
    (np.stack([RIGHT - 1, np.ones_like(RIGHT)]), "summed over axis 0 yours is right"),
    (np.roll(RIGHT, -5, axis=1), "shifted by 5 along axis 1, and 5 = B"),
    (RIGHT[:, ::-1], "in reverse order along axis 1"),
    (RIGHT - RIGHT.mean(axis=2, keepdims=True), "The mean over axis 2 has been subtracted"),
    (RIGHT / np.arange(1, 6)[:, None, None], "divided by its own whole number (4 by 5)"),
    (0 * RIGHT, "it has not been filled"), (RIGHT * np.nan, "100% of the entries are NaN"),
    (RIGHT * GATE, "The factor gate is there once too often."),
    (-RIGHT / GATE, "The factor gate is missing, and the sign is reversed."),
    (RIGHT * GATE * (1 - GATE), "The factor gate·(1 − gate) is too much."),
    (RIGHT - TERM, "without the term term"), (RIGHT + TERM, "term is there once too often"),
    (RIGHT - 2 * TERM, "The term term has the wrong sign."),
    (GATE, "Yours is gate, unchanged."), (-GATE, "Yours is gate with the sign reversed."),
    (LARGE.sum(axis=0), "Yours is large, summed over axis 0."),
    (first_part_halved(), "Only entries 0 to 2 of axis 1 are wrong. There: Every entry is 0.3536"),
])
def test_a_mistake_has_its_fingerprint(wrong, says):
    cause = (plain_cause(wrong, RIGHT, SIZES) or cause_from_others(wrong, RIGHT, KNOWN)
             or cause_of_part(wrong, RIGHT, SIZES, KNOWN))
    assert cause and says in cause.words, cause


def test_one_number_everywhere_and_one_difference():
    said = one_number(0 * RIGHT + 7, RIGHT, SIZES).words
    assert said == "Yours is 7 = T everywhere, where the expected entries differ."
    assert one_number(RIGHT, RIGHT + 1, SIZES) is None
    shifted = RIGHT.copy()
    shifted[:, 3:] += 2
    assert "it is 2 too large" in one_difference(shifted, RIGHT).words
    assert one_difference(shifted * GATE, RIGHT) is None


def test_an_array_of_zeros_and_a_mask():
    mask = GATE > 0.5
    assert plain_cause(RIGHT, 0 * RIGHT, SIZES).words == "Every entry should be 0."
    assert "a mask the wrong way round" in plain_cause(RIGHT * ~mask, RIGHT * mask, SIZES).words


@pytest.mark.parametrize(("wrong", "says"), [
    (np.sin(RIGHT) + 3, "Every entry is wrong."), (RIGHT * 1.234, "1.234 times what it should be"),
    (NUMBERS.normal(3, 2), "shape (3, 2), expected (5, 7, 8)")])
def test_what_is_no_typical_mistake_gets_no_cause(wrong, says):
    for cause in (plain_cause, cause_from_others, cause_of_part):
        given = [{"plain_cause": SIZES}.get(cause.__name__, KNOWN)]
        assert cause(wrong, RIGHT, *([SIZES] if cause is cause_of_part else []), *given) is None
    assert says in vague_cause(wrong, RIGHT).words
