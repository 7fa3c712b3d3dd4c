"""`python -m emukernel.fuzz.job OUT JOB new|resume`: one job of a campaign in its own process."""

from __future__ import annotations

import sys

from emukernel.fuzz.campaign import job_main

if __name__ == "__main__":
    raise SystemExit(job_main(sys.argv[1], int(sys.argv[2]), sys.argv[3] == "resume"))
