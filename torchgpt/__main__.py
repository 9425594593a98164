"""python -m torchgpt: the command of the same name."""

import sys

from torchgpt.cli.main import main

sys.exit(main())
