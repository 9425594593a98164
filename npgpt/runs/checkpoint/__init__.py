"""Checkpoints: a run's directory, written and read; a model of `transformers`, read.

    run.json                every setting, the versions, the data's SHA-256
    config.json             the sizes, as `transformers` reads them
    tokenizer.json, tokenizer_config.json
    model.safetensors       the weights under the family's names
    training.safetensors    weights and moments under ours, the step in the metadata
    best/                   the same files, of the lowest validation loss

The first three appear together, in a new directory by one rename, and never
change. The weights are written aside, flushed to the disk and renamed: whoever
looks, whenever the writer was killed, finds the old state or the new one. The
training state is written last: steps that it does not know of are taken again.
Nothing is pickled.
"""

from npgpt.runs.checkpoint.by_type import family_in, family_of
from npgpt.runs.checkpoint.config_json import read_config
from npgpt.runs.checkpoint.hub import find_directory
from npgpt.runs.checkpoint.run_directory import (
    check_files,
    clear_leftovers,
    clear_unstarted,
    create_run,
    files_of,
    inherited_files,
)
from npgpt.runs.checkpoint.run_json import read_backend, read_settings
from npgpt.runs.checkpoint.save_and_load import Checkpoint, load_checkpoint, save_checkpoint
from npgpt.runs.checkpoint.tokenizer_files import read_tokenizer
from npgpt.runs.checkpoint.training_state import load_training, saved_step
from npgpt.runs.checkpoint.weights import file_name, shapes, to_file

__all__ = [
    "Checkpoint", "check_files", "clear_leftovers", "clear_unstarted", "create_run",
    "family_in", "family_of", "file_name", "files_of", "find_directory", "inherited_files",
    "load_checkpoint", "load_training", "read_backend", "read_config", "read_settings",
    "read_tokenizer", "save_checkpoint", "saved_step", "shapes", "to_file",
]
