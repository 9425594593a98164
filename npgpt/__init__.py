"""A GPT written by hand in NumPy, backward passes included.

`npgpt.layers`, `.model`, `.training` and `.generation` are the NumPy half
of a pair; `torchgpt` is the other. `npgpt.text` and `.checkpoint` serve both.
"""

__version__ = "0.1.0"
