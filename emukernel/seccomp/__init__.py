"""seccomp as a machine-independent state machine: modes, filter sets, and the surfaces to set them.

The kernel gives every task a state (`state`), asks the surface it was booted with (`abi.get_abi`)
to carry out the prctl options that are seccomp's, and looks at `state.calls` on every system call
(`computing` says how). Filters come from the event filter engine, `emukernel.ftrace`: nothing in
here parses an expression, and nothing in there knows of seccomp.
"""
