"""System V shared memory, semaphores and messages, and POSIX message queues (Linux: ipc/)."""
