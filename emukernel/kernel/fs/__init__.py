"""The virtual file system: path walk, open files, and the file systems that guests see."""
