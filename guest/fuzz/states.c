/* Planted: a crash in a state that a protocol reaches by six commands in the right order.
 * expect: crash signal-sigsegv bug */
// build: -static -nostdlib -ffreestanding -fno-stack-protector -fno-builtin -O1
// libc: glibc

#include "start.h"

int target(void)
{
    long size = take_input();
    int state = 0;
    for (long i = 0; i < size; i++) {
        unsigned char c = input[i];
        switch (state) {
        case 0: state = c == 72 ? 1 : 0; break;
        case 1: state = c == 69 ? 2 : 0; break;
        case 2: state = c == 76 ? 3 : 0; break;
        case 3: state = c == 79 ? 4 : 0; break;
        case 4: if (c == 33) state = 5; else if (c == 81) return 3; break;
        case 5: if (c == 88) bug(); break;
        }
    }
    return state;
}
