"""`{written} NAME`: what a model of docs/models wrote while the page was built.

The folder holds the weights as float16, the tokenizer, and made.json: the
command that trained them, the validation loss, and how long it took."""

import json
from functools import lru_cache
from html import escape

from block import DOCS, Block

MODELS = DOCS / "models"
PROMPT, TOKENS, SEED, TEMPERATURE = "Once there was", 220, 1, 0.8


@lru_cache
def written(name):
    """The text that the model puts after PROMPT."""
    import numpy as np
    from npgpt.generation import generate
    from npgpt.models import BY_TYPE
    from npgpt.runs.checkpoint import load_checkpoint

    found = load_checkpoint(MODELS / name)
    ids = np.array(found.tokenizer.encode(PROMPT))
    model = BY_TYPE[found.family.FILES["model_type"]]
    more = generate(model, found.params, found.config, ids, TOKENS, seed=SEED,
                    temperature=TEMPERATURE)
    return found.tokenizer.decode([int(i) for i in more])


class Written(Block):
    """The text, or with `commands` how the model was made and how to let it write on."""

    required_arguments = 1
    optional_arguments = 1
    has_content = False

    def run(self):
        name = self.arguments[0]
        record = MODELS / name / "made.json"
        if not record.exists():
            self.fail(f"there is no {record}")
        self.env.note_dependency(str(record))
        made = json.loads(record.read_text(encoding="utf-8"))
        if self.arguments[1:]:
            lines = [made["command"], f'npgpt sample docs/models/{name} --prompt "{PROMPT}" '
                     f"--temperature {TEMPERATURE}"]
            text = escape("\n".join(lines))
            return [self.html(
                f'<pre class="shell" tabindex="0"><code>{text}</code></pre><p class="note">Trained '
                f"for {made['minutes']:.0f} minutes on {escape(made['machine'])}, {made['date']}, "
                f"commit {made['commit']}: validation loss {made['validation_loss']:.3f} nats a "
                f"token; of {made['sentences']} sentences that it wrote {made['grammatical']} are "
                f"grammatical, and {made['consistent']} agree with what was said before.</p>")]
        text = written(name)
        rest = escape(text.removeprefix(PROMPT)).replace("\n\n", "</p><p>").replace("\n", "<br>")
        return [self.html(f'<blockquote class="written"><p><b>{PROMPT}</b>{rest}</p></blockquote>')]


def setup(app):
    app.add_directive("written", Written)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
