"""`python -m emukernel`."""

import signal
import sys

# As cli.main has it, but for its own import too.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from emukernel.cli import main

sys.exit(main())
