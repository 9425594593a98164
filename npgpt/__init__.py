"""A GPT written by hand in NumPy, backward passes included.

`npgpt.foundations`, `.layers`, `.blocks`, `.models`, `.training` and
`.generation` are the NumPy half of a pair; `torchgpt` is the other.
`.families`, `.text`, `.runs` and `.checking` serve both.
"""

__version__ = "0.1.0"
