"""python -m npgpt: the command of the same name."""

import sys

from npgpt.cli.main import main

sys.exit(main())
