"""Which task has the CPU, and what programs may say about it."""
