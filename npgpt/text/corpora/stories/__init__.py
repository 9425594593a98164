"""Short simple stories from a small grammar, so that what a tiny model writes can be measured.

Every story has two characters who keep their names, and facts that follow
from who they are: a king lives in a castle and wears a crown, a girl plays, a
woman works. So the words of `CUBE` differ by sex, age and rank in otherwise
equal sentences, and `ANALOGIES` (king − man + woman = queen) can be learned.
The same seed gives the same bytes on every machine.
"""

from .generate import BLOCK, stories, story_count
from .grammar import ANALOGIES, ANIMALS, CUBE, KIN
from .score import StoryScore, score_story
from .short import short_count, short_stories

__all__ = [
    "ANALOGIES",
    "ANIMALS",
    "BLOCK",
    "CUBE",
    "KIN",
    "StoryScore",
    "score_story",
    "short_count",
    "short_stories",
    "stories",
    "story_count",
]
