"""Engine: text from a model, for whoever wants some: one text alone, or
several in turns."""

from npgpt.errors import InputError
from npgpt.families.checks import check_prompt
from npgpt.generation.completion import Completion
from npgpt.generation.generate import generate
from npgpt.generation.generate_batch import generate_batch
from npgpt.generation.sampling_settings import SamplingSettings
from npgpt.speed.blas_threads import blas_threads, each_limited
from npgpt.speed.memory_order import PAYS_AFTER, by_longer_side

DEFAULTS = SamplingSettings()


class Engine:
    """`stream` gives one text, `complete` several, and what there is to
    know of them.

    It holds the model (a module), its params and config, the tokenizer
    (None: the ids are the text), the two functions by which a package
    draws tokens, and from the first long text of a large model on its
    weights once more, in another memory order. What belongs to one text
    is in its Completion, so several threads may write with one engine.
    numpy: whether the BLAS's threads and the memory order are NumPy's
    to choose."""

    def __init__(self, model, params, config, tokenizer=None, *,
                 generate=generate, generate_batch=generate_batch,
                 numpy=True):
        self.model, self.params, self.config = model, params, config
        self.tokenizer, self.numpy = tokenizer, numpy
        self.generate, self.generate_batch = generate, generate_batch
        self.reordered = None

    def stream(self, prompt, settings=DEFAULTS, cancelled=None):
        """prompt: text or ids -> yields the text that follows, piece
        by piece, each of at least one character.

        cancelled: a threading.Event; once it is set, the token in hand
        is the last. Raises InputError as `complete` does."""
        (completion,), pairs = self.complete([prompt], settings)
        if cancelled is not None:
            completion.cancelled = cancelled
        return (piece for _, piece in pairs if piece)

    def complete(self, prompts, settings=DEFAULTS, log_probs=False):
        """prompts: a list, each text or ids -> completions, pairs.

        completions: one for each prompt, nothing written yet. pairs:
        yields (completion, piece) for each token, perhaps without
        text, and once more as a completion ends, with what was held
        back; only then has it a finish_reason. Texts that have not
        ended take turns; text b is drawn with seed + b. log_probs:
        whether to keep them. Raises InputError, at once, for a prompt
        or stop strings that are of no use."""
        if isinstance(prompts, str) or not prompts:
            raise InputError("give a list of prompts, at least one")
        if settings.stop and self.tokenizer is None:
            raise InputError("without a tokenizer there is no text in"
                             " which to find a stop string: give none")
        completions = [
            Completion(self.to_ids(each), self.tokenizer, settings)
            for each in prompts]
        pairs = self._write(completions, settings, log_probs)
        return completions, pairs

    def to_ids(self, prompt):
        """Text or ids -> ids. Raises InputError where there are none,
        or some that the model does not know."""
        if isinstance(prompt, str):
            if self.tokenizer is None:
                raise InputError("without a tokenizer a prompt cannot"
                                 " be text: give its ids")
            prompt = self.tokenizer.encode(prompt)
        return check_prompt(prompt, self.config)

    def _write(self, completions, settings, log_probs):
        yield from ended(completions)
        if all(each.finish_reason for each in completions):
            return
        draws = self.draws(completions, settings, log_probs)
        if self.numpy:  # each by as many BLAS threads as pay
            draws = each_limited(draws, blas_threads(self.config))
        for row, id, log_prob in draws:
            completion = completions[row]
            if completion.finish_reason is None:
                yield completion, completion.push(
                    id, log_prob if log_probs else None)
            yield from ended(completions)
            if all(each.finish_reason for each in completions):
                return

    def draws(self, completions, settings, log_probs):
        """Yields (row, id, log_prob), a token of each that has not
        ended. A lone text that wants neither log-probabilities nor a
        penalty goes the fast way, by `generate`."""
        prompts = [each.prompt_ids for each in completions]
        how, lone = settings.of_draws(), len(prompts) == 1
        params = self.params_for(lone, settings)
        given = self.model, params, self.config
        if self.tokenizer is not None:  # the model may have more rows
            how["vocab_size"] = self.tokenizer.vocab_size
        if lone and not log_probs and settings.repetition_penalty == 1:
            del how["repetition_penalty"]
            for id in self.generate(*given, prompts[0], **how):
                yield 0, id, None
            return
        yield from self.generate_batch(
            *given, prompts, **how,
            ended=lambda row: bool(completions[row].finish_reason))

    def params_for(self, lone, settings):
        """Each token of a lone text waits until a large model's
        weights are read: for a long text, they are first put into the
        order in which that is quick."""
        large = blas_threads(self.config) is None
        long = settings.max_new_tokens >= PAYS_AFTER
        if not (self.numpy and lone and large and long):
            return self.params
        if self.reordered is None:
            self.reordered = by_longer_side(self.params)
        return self.reordered


def ended(completions):
    """Finish those that have a reason to end -> each, and its rest."""
    for each in completions:
        if each.finish_reason is None and each.reason_to_end():
            yield each, each.finish()
