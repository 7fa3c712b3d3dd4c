/* malloc, calloc, realloc, free, aligned: a random but fixed sequence, contents checked throughout. */
#include "show.h"

static uint64_t state = 88172645463325252;

static unsigned draw(unsigned below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % below;
}

int main(void)
{
    enum { SLOTS = 200, ROUNDS = 20000 };
    static struct {
        unsigned char *at;
        size_t size;
        unsigned char mark;
    } slots[SLOTS];
    int bad = 0, allocated = 0, freed = 0, resized = 0, zeroed = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int i = draw(SLOTS);
        size_t size = draw(10) ? draw(2000) : draw(300000);
        if (slots[i].at == NULL) {
            int kind = draw(3);
            if (kind == 0) {
                slots[i].at = calloc(1, size + 1);
                for (size_t k = 0; k <= size; k += 61)
                    bad += slots[i].at[k] != 0;
                zeroed++;
            } else if (kind == 1) {
                slots[i].at = aligned_alloc(64, (size + 64) & ~63UL);
                bad += (uintptr_t)slots[i].at % 64 != 0;
            } else {
                slots[i].at = malloc(size + 1);
            }
            bad += slots[i].at == NULL || (uintptr_t)slots[i].at % 16 != 0;
            slots[i].size = size;
            slots[i].mark = round;
            memset(slots[i].at, slots[i].mark, size);
            allocated++;
        } else if (draw(3) == 0) {
            size_t kept = size < slots[i].size ? size : slots[i].size;
            slots[i].at = realloc(slots[i].at, size + 1);
            for (size_t k = 0; k < kept; k += 127)
                bad += slots[i].at[k] != slots[i].mark;
            memset(slots[i].at, slots[i].mark, size);
            slots[i].size = size;
            resized++;
        } else {
            for (size_t k = 0; k < slots[i].size; k += 127)
                bad += slots[i].at[k] != slots[i].mark;
            free(slots[i].at);
            slots[i].at = NULL;
            freed++;
        }
    }
    printf("allocated %d freed %d resized %d zeroed %d bad %d\n", allocated, freed, resized, zeroed, bad);
}
