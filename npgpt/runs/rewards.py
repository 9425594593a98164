"""Training on rewards: the model answers each question several times, and learns from how
good its answers were."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from npgpt.finetuning import advantages, answer_log_probs, centred_rewards
from npgpt.finetuning.rows import example, grouped, take
from npgpt.generation import SamplingSettings
from npgpt.random_stream import raw_draws
from npgpt.runs.adapter_run import params_of
from npgpt.runs.answers import LONGEST, ask, prompt_of, right
from npgpt.runs.checkpoint.end_tokens import end_ids
from npgpt.runs.run import Run
from npgpt.text.corpora.chats import Conversation

Reward = Callable[[str, Conversation], float]  # of an answer to a conversation's last question


def exact_match(answer: str, test: Conversation) -> float:
    """1 for the right answer, 0 for any other."""
    return float(right(answer, test))


@dataclass
class Groups:
    """What a step reads: answers that the model has just given to a few questions.

    group: answers to each question. reward: of one of them. mean: of the last batch's
    rewards. engine_of(params, run) gives what answers."""

    run: Run
    trainer: Any
    engine_of: Callable
    group: int
    divide: bool = True  # by the standard deviation of a group's rewards, as GRPO does
    reward: Reward = exact_match
    mean: float = 0.0

    def __post_init__(self) -> None:
        self.questions = [each[:first_answer(each) + 1] for each in self.run.data.chats.train]

    def batch(self, step: int) -> dict:
        """As `grpo_loss_and_grads` takes it: the same answers for the same weights, seed and
        step."""
        run, s = self.run, self.run.settings
        asked = [self.questions[i]
                 for i in take(len(self.questions), s.batch_size, s.seed, step)]
        params = params_of(run, self.trainer)
        groups, rewards = self.answers(params, asked, step)
        self.mean = float(rewards.mean())
        found = grouped(groups)
        found["old"] = answer_log_probs(
            run.model, params, found["inputs"], found["targets"], run.config)
        sizes = advantages(rewards) if self.divide else centred_rewards(rewards)
        return {**found, "advantages": sizes.astype(found["old"].dtype)}

    def answers(self, params: Any, asked: list[Conversation], step: int):
        """-> for each question its answers as examples, (questions, group) rewards."""
        run, G = self.run, self.group
        seed = int(raw_draws(1, run.settings.seed, step, "answers")[0] >> 2)
        settings = SamplingSettings(
            LONGEST, 1.0, seed=seed, end_ids=end_ids(run.path, run.config, run.model))
        prompts = [prompt for each in asked for prompt in [prompt_of(run.data.chat, each)] * G]
        completions, pairs = self.engine_of(params, run).complete(prompts, settings)
        for _ in pairs:
            pass
        groups, rewards = [], np.zeros((len(asked), G))
        for row, question in enumerate(asked):
            theirs = completions[row * G:(row + 1) * G]
            groups.append([written(each) for each in theirs])
            rewards[row] = [self.reward(each.text.strip(), question) for each in theirs]
        return groups, rewards


def first_answer(conversation: Conversation) -> int:
    return next(n for n, each in enumerate(conversation) if each["role"] == "assistant")


def written(completion: Any):
    """A completion as an example: what the model wrote is learned from, its end token, too."""
    ids = completion.prompt_ids + completion.ids
    return example(ids, [False] * len(completion.prompt_ids) + [True] * len(completion.ids))


def wrong_answers(run: Run, engine: Any, count: int = 100) -> float:
    """The fraction of validation questions whose likeliest answer is wrong."""
    tests = [each[:first_answer(each) + 1] for each in run.data.chats.validation[:count]]
    found = ask(engine, run.data.chat, tests, run.path, run.config, run.model)
    return 1 - sum(map(right, found, tests)) / len(tests)
