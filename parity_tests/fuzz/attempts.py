"""What a user may hand to a command: each function makes one attempt, from a seed.

It fills a directory of its own, `room`, with copies of real runs, texts and tokenizers,
damages one of them, and names a command line that reads it, in that directory."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import typer.main

import npgpt.cli.main
from parity_tests.fuzz import mutations, results

EARLIER = Path(__file__).parents[1] / "earlier_runs"
TINY = ["--layers", "1", "--heads", "1", "--channels", "4", "--context-length", "4",
        "--batch-size", "1", "--evaluate-batches", "1", "--steps", "1"]


@dataclass
class Attempt:
    """line: of the command `program`. right(room, line, stdout): raises AssertionError
    unless a result is right. writes: a line that goes on with a run may write to it."""

    line: list[str]
    right: Callable
    program: str = "npgpt"
    stdin: bytes = b""
    writes: bool = False


def copy_run(room):
    """A run of 20 steps on prepared text, with byte pairs."""
    shutil.copytree(EARLIER / "prepared", room / "run")
    shutil.copytree(EARLIER / "prepared_texts", room / "prepared_texts")
    file = room / "run" / "run.json"
    fields = json.loads(file.read_text(encoding="utf-8"))
    fields["settings"]["corpus"] = str(room / "prepared_texts")
    file.write_text(json.dumps(fields), encoding="utf-8")


def on_a_run(rng, room):
    """A command that reads the run."""
    return rng.choice((
        lambda: Attempt(["sample", "run", "--tokens", "3", "--ids", "1,2", "--json"],
                        results.sample),
        lambda: Attempt(["sample", "run", "--tokens", "3", "--ids", "1,2", "--json",
                         "--device", "cpu"], results.sample, "torchgpt"),
        lambda: Attempt(["sample", "run", "--tokens", "2", "--prompt", "the ", "--json"],
                        results.sample),
        lambda: Attempt(["inspect", "run", "--id", "3", "--json"], results.inspect),
        lambda: Attempt(["train", "--out", "run", "--resume", "--steps", "21", "--json"],
                        results.train, writes=True),
    ))()


def json_file_of_a_run(rng, room):
    """config.json, run.json or tokenizer_config.json, changed."""
    copy_run(room)
    name = rng.choice(("config.json", "config.json", "run.json", "run.json",
                       "tokenizer_config.json"))
    file = room / "run" / name
    file.write_bytes(mutations.json_text(rng, json.loads(file.read_text(encoding="utf-8"))))
    return on_a_run(rng, room)


def weights_or_training_state(rng, room):
    """A safetensors file of the run, changed."""
    copy_run(room)
    if rng.random() < 0.4:
        file = room / "run" / "training.safetensors"
        file.write_bytes(mutations.safetensors(rng, file.read_bytes()))
        return Attempt(["train", "--out", "run", "--resume", "--steps", "21", "--json"],
                       results.train, writes=True)
    file = room / "run" / "model.safetensors"
    file.write_bytes(mutations.safetensors(rng, file.read_bytes()))
    return on_a_run(rng, room)


def index_of_shards(rng, room):
    """The weights in two files and an index; the index is changed."""
    copy_run(room)
    file = room / "run" / "model.safetensors"
    data = file.read_bytes()
    length = int.from_bytes(data[:8], "little")
    names = [name for name in json.loads(data[8:8 + length]) if name != "__metadata__"]
    for part in ("one.safetensors", "two.safetensors"):
        shutil.copy(file, room / "run" / part)
    file.unlink()
    index = {"metadata": {"total_size": len(data)},
             "weight_map": {name: rng.choice(("one.safetensors", "two.safetensors"))
                            for name in names}}
    (room / "run" / "model.safetensors.index.json").write_bytes(mutations.json_text(rng, index))
    return on_a_run(rng, room)


def files_of_a_run_in_disorder(rng, room):
    """One of the run's files is another one, is lost, or is a directory."""
    copy_run(room)
    names = sorted(path.name for path in (room / "run").iterdir() if path.is_file())
    name = rng.choice(names)
    file = room / "run" / name
    change = rng.choice(("lost", "other", "other", "directory", "of another run"))
    file.unlink()
    if change == "other":
        shutil.copy(EARLIER / "prepared" / rng.choice(names), file)
    elif change == "directory":
        file.mkdir()
    elif change == "of another run":
        shutil.copy(EARLIER / rng.choice(("numpy", "duet", "torch")) / name, file)
    return on_a_run(rng, room)


def log(rng, room):
    """The log of a run, a JSON object a line; the run goes on, or its log is drawn."""
    copy_run(room)
    file = room / "run" / "log.jsonl"
    file.write_bytes(json_lines(rng, file.read_bytes()))
    if rng.random() < 0.03:
        return Attempt(["plot", "run", "--out", "lines.png", "--json"], results.plot)
    return Attempt(["train", "--out", "run", "--resume", "--steps", "21", "--json"],
                   results.train, writes=True)


def json_lines(rng, data):
    """JSON objects, one a line: one of them changed, or the lines damaged."""
    lines = data.splitlines()
    i = rng.randrange(len(lines))
    if rng.random() < 0.7:
        lines[i] = mutations.json_text(rng, json.loads(lines[i])).replace(b"\n", b" ")
    else:
        lines[i:i + 1] = rng.choice((
            [], [lines[i]] * 2, [b""], [b"3"], [mutations.raw(rng, lines[i])]))
    return b"\n".join(lines) + rng.choice((b"\n", b"\n", b"", b"\n{\"st"))


def documents(rng, room):
    """Documents in JSON lines, to be prepared."""
    lines = (EARLIER / "prepared_texts" / "train.jsonl").read_bytes()
    (room / "texts.jsonl").write_bytes(json_lines(rng, lines * 2))
    kind = rng.choice(("characters", "words", "bpe:270"))
    return Attempt(["prepare", "texts.jsonl", "--out", "new", "--tokenizer", kind,
                    "--workers", "1", "--json"], results.prepare)


def prepared_text(rng, room):
    """A directory of prepared text in which one file was changed."""
    shutil.copytree(EARLIER / "prepared_texts", room / "prepared")
    file = room / "prepared" / rng.choice((
        "manifest.json", "manifest.json", "tokenizer.json", "train.tokens", "validation.tokens"))
    data = file.read_bytes()
    file.write_bytes(mutations.json_text(rng, json.loads(data)) if file.suffix == ".json"
                     else mutations.raw(rng, data))
    return Attempt(["train", "--corpus", "prepared", *TINY, "--out", "new", "--json"],
                   results.train)


def tokenizer_file(rng, room):
    """A tokenizer.json, changed."""
    name = rng.choice(("numpy", "prepared", "prepared"))
    known = json.loads((EARLIER / name / "tokenizer.json").read_text(encoding="utf-8"))
    (room / "tokenizer.json").write_bytes(mutations.json_text(rng, known))
    words = rng.choice(("the cat", "A clock", "", "\n\n", "Zürich", "<|endoftext|>", "ab" * 50))
    ids = [str(rng.choice((0, 1, 5, 37, 299, 300, -1, 10**30))) for _ in range(3)]
    return rng.choice((
        lambda: Attempt(["tokenizer", "encode", "tokenizer.json", words, "--json"],
                        results.encode),
        lambda: Attempt(["tokenizer", "encode", "tokenizer.json", "--json"], results.encode,
                        stdin=mutations.text(rng, b"the cat sat on the mat\n")),
        lambda: Attempt(["tokenizer", "decode", "tokenizer.json", "--json", "--", *ids],
                        results.decode),
        lambda: Attempt(["tokenizer", "show", "tokenizer.json", words, "--json"], results.show),
    ))()


def text_file(rng, room):
    """A text in some encoding, to be trained on, prepared, or cut into tokens."""
    data = b"\n\n".join((EARLIER / "texts" / name).read_bytes()
                        for name in ("clock.txt", "garden.txt"))
    (room / "text.txt").write_bytes(mutations.text(rng, data))
    kind = rng.choice(("characters", "words", "bpe:270"))
    return rng.choice((
        lambda: Attempt(["train", "--corpus", "text.txt", *TINY, "--tokenizer",
                         rng.choice(("words", "bpe:270")), "--out", "new", "--json"],
                        results.train),
        lambda: Attempt(["train", "--corpus", "text.txt", *TINY, "--out", "new", "--json"],
                        results.train),
        lambda: Attempt(["prepare", "text.txt", "--out", "new", "--tokenizer", kind,
                         "--workers", "1", "--json"], results.prepare),
        lambda: Attempt(["tokenizer", "train", "--corpus", "text.txt", "--out", "new.json",
                         "--kind", kind.split(":")[0], "--vocab-size", "280", "--json"],
                        results.tokenizer_train),
    ))()


# lines that are short work, and what is a right result of each
LINES = (
    (["train", "--corpus", "text.txt", *TINY, "--out", "new", "--json"], results.none),
    (["train", "--resume", "--out", "run", "--steps", "21", "--json"], results.none),
    (["sample", "run", "--tokens", "2", "--json"], results.none),
    (["sample", "run", "--tokens", "2", "--ids", "1,2", "--logprobs"], results.none),
    (["inspect", "run", "--id", "3", "--json"], results.none),
    (["tokenizer", "encode", "run", "the cat", "--json"], results.none),
    (["tokenizer", "decode", "run", "1", "2", "--json"], results.none),
    (["tokenizer", "show", "run", "the cat"], results.none),
    (["tokenizer", "train", "--corpus", "text.txt", "--kind", "words", "--out", "new.json"],
     results.none),
    (["prepare", "text.txt", "--out", "new", "--workers", "1"], results.none),
)
# and lines that are wrong as they stand, whatever follows
WRONG = (
    ["bench", "step", "--nothing"], ["bench", "memory", "--nothing"], ["book", "--nothing"],
    ["bench", "generation", "--nothing"], ["bench", "tokenizer", "--nothing"],
    ["bench", "gpu", "--nothing"], ["duet", "--nothing"], ["doctor", "--nothing"],
    ["gradcheck", "--nothing"], ["trace", "--nothing"], ["exercise", "--nothing"],
    ["plot", "--nothing"], ["nothing"], ["bench", "nothing"], ["tokenizer", "nothing"],
)
WORDS = ("", " ", "x", "-", "--", "-1", "0", "1", "3", "nan", "-inf", "1e400", "１２", "1_0",
         "0x10", "None", "é", "\udcff", "a" * 3000, "../..", "/dev/null", "*", "$HOME", "\n",
         "\x1b[31m", "nowhere/x", "nowhere.json", "run", "run/config.json", "run/best", "text.txt",
         "--help", "canary/run", "canary/letter.txt", "canary/prepared", "canary/tokenizer.json",
         "canary", "bpe:", "bpe:x", "words", "1,2", "1,,2", "float16", "float64", "cuda", "meta")
HUGE = (str(10**30), str(2**48), str(2**63), "-" + str(10**30))


def command_line(rng, room):
    """A line with words left out, added, swapped or replaced."""
    copy_run(room)
    shutil.copy(EARLIER / "texts" / "clock.txt", room / "text.txt")
    if rng.random() < 0.15:
        line, right, first = list(rng.choice(WRONG)), results.wrong, None
    else:
        line, right = rng.choice(LINES)
        line, first = list(line), 2 if line[0] == "tokenizer" else 1
    for _ in range(rng.choice((1, 1, 2, 3))):
        if first is None:
            line += [rng.choice(WORDS)]
        else:
            change_line(rng, line, first)
    return Attempt(line, right, writes=True)


def change_line(rng, line, first):
    """Change the words after the command. What bounds the work stays: no line may be
    asked for more steps than a few, nor for another text."""
    at = rng.randrange(first + (line[first] == "--resume"), len(line) + 1)
    bounds = {"--steps", "--corpus", "--evaluate-batches", "--resume"}
    if rng.random() < 0.5:          # an option of the command, with a value that may be odd
        option = rng.choice(options_of(line[:first]))
        if option not in bounds:
            line[at:at] = [option, *rng.choice(([], [rng.choice(WORDS)], [rng.choice(HUGE)]))]
    elif at < len(line) and not {line[at], line[at - 1]} & bounds:
        line[at:at + 1] = rng.choice((
            [], [line[at]] * 2, [rng.choice(WORDS)], [line[at], rng.choice(WORDS)],
            [line[at] + "=" + rng.choice(WORDS)]))


def options_of(words):
    """All that the command of these words knows."""
    command = typer.main.get_command(npgpt.cli.main.app)
    for word in words:
        command = command.commands[word]
    return sorted(name for each in command.params for name in each.opts
                  if name.startswith("--") and name not in ("--data", "--workers"))


KINDS = {each.__name__: each for each in (
    command_line, json_file_of_a_run, weights_or_training_state, index_of_shards,
    files_of_a_run_in_disorder, log, documents, prepared_text, tokenizer_file, text_file)}
