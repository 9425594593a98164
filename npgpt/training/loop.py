"""The training loop: the same for every trainer and kind of batch."""

from npgpt.training.schedule import warmup_cosine


def loop(trainer, settings, *, batch, log, evaluate, save, step=0,
         stopped=lambda: False):
    """Train from `step` on to settings.steps, or until stopped() -> the
    last step taken.

    batch(step) gives a dict of the loss's arguments; log(step, loss,
    norm, rate, validation) keeps what happened; evaluate(step) gives the
    validation loss; save(step) writes the trainer down."""
    while step < settings.steps and not stopped():
        step += 1
        last = step == settings.steps
        rate = warmup_cosine(
            step - 1, settings.learning_rate, settings.warmup_steps,
            settings.decay_steps, settings.minimum_rate)
        # (1) the batch of this step
        drawn = batch(step)
        # (2) loss and gradients, (3) clip, (4) move the weights
        loss, norm = trainer.step(drawn, rate)
        # (5) log; evaluate and save where it is time
        due = step % settings.evaluate_every == 0 or last
        log(step, loss, norm, rate, evaluate(step) if due else None)
        if step % settings.save_every == 0 or last:
            save(step)
    return step
