"""A small set of labelled messages of our own words, for a first classifier.

Which words stand where follows from a grammar (grammar.json). A message is of one *kind*
(a meeting, a delivery, a prize …), and a kind is a list of parts, of each of which one
sentence is drawn. Kinds and sentences have two weights, one for wanted messages ("ham") and
one for spam, most of them above zero in both: a real parcel can come with a link, and a
fraud can be polite. So the classes overlap: no rule and no classifier is right every time.
The same seed gives the same bytes on every machine.
"""

from .generate import HAM, MESSAGES, SPAM, Message, spam_messages
from .read import read_messages
from .rules import RULES, points, spam_by_rules

__all__ = ["HAM", "MESSAGES", "RULES", "SPAM", "Message", "points", "read_messages",
           "spam_by_rules", "spam_messages"]
