"""Linux: what happens between a trap from ring 3 and the return to it."""
