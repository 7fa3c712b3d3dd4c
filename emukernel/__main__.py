"""`python -m emukernel`."""

import sys

from emukernel.cli import main

sys.exit(main())
