"""python -m torchgpt: the `torchgpt` command, in a form that torchrun starts."""

import sys

from torchgpt.cli.main import main

sys.exit(main())
