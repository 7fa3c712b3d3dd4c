"""The PC: physical memory, page tables and a CPU in ring 3. Knows no Linux.

`physmem` is the RAM, `pagetable` the 4-level tables that live in it, `cpu` the processor
(Unicorn), booted by `boot` into long mode with paging and left in user mode. A kernel puts
itself behind `Cpu.on_syscall` and `Cpu.on_trap`.
"""
