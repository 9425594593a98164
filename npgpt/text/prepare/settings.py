"""What `npgpt prepare` is asked to do: everything that the prepared bytes depend on."""

import dataclasses
from dataclasses import dataclass
from typing import Literal, get_args

Form = Literal["NFC", "NFKC"]
FORMS = get_args(Form)
KINDS = ("email", "iban", "card", "ip", "phone")  # of personal data


@dataclass(frozen=True)
class Limits:
    """What a document must be: lengths in characters; ratios of its characters, its groups
    of words and its letters."""

    shortest: int = 50
    longest: int = 1_000_000
    symbols: float = 0.4
    repetition: float = 0.6
    script: str = ""
    script_share: float = 0.8  # the manifest's own name for it


@dataclass(frozen=True)
class Settings:
    """Everything that the prepared bytes depend on, apart from the source's own bytes."""

    source: str
    tokenizer: str = "characters"
    form: Form = "NFC"
    limits: Limits = dataclasses.field(default_factory=Limits)
    near: float = 0.8
    mask: bool = True
    kinds: tuple[str, ...] = KINDS  # what is masked
    validation: float = 0.1
    chunk: int = 1000
    overlap: int = 100
    seed: int = 0
    licence: str = ""
    sha256: str = ""
    field: str = "text"  # of a JSON object
    end_of_text: bool = False  # a special token ends every document
