"""Address spaces: areas (`vma`), the `Mm` that owns them, page faults and the mmap family."""
