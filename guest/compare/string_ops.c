/* memcpy, memmove, strlen, memchr and kin in every alignment, ending exactly at an unmapped page. */
#include "show.h"

int main(void)
{
    char *left = pages(3) , *right = pages(3);
    must("munmap", munmap(left + 2 * PAGE, PAGE));
    must("munmap", munmap(right + 2 * PAGE, PAGE));
    char *a = left + 2 * PAGE, *b = right + 2 * PAGE; /* ends */
    int bad = 0, tried = 0;
    for (size_t size = 0; size < 300; size += size < 70 ? 1 : 17)
        for (size_t shift = 0; shift < 17; shift += 4) {
            char *from = a - size, *to = b - size - shift;
            for (size_t i = 0; i < size; i++)
                from[i] = (char)(i * 7 + size) | 1;
            memset(to, 0, size);
            memcpy(to, from, size);
            bad += memcmp(to, from, size) != 0;
            memmove(to - 3, to, size);
            bad += memcmp(to - 3, from, size) != 0;
            memmove(to, to - 3, size);
            bad += memcmp(to, from, size) != 0;
            if (size > 0) {
                from[size - 1] = 0;
                bad += strlen(from) != size - 1 || strnlen(from, size) != size - 1;
                bad += memchr(from, 0, size) != from + size - 1;
                bad += strchr(from, 0) != from + size - 1;
                bad += memrchr(from, 0, size) != from + size - 1;
                strcpy(to, from);
                bad += strcmp(to, from) != 0 || strncmp(to, from, size) != 0;
                to[size - 1] = 1;
                bad += memcmp(to, from, size) <= 0;
                memset(from, 'x', size);
                bad += from[0] != 'x' || from[size - 1] != 'x' || strnlen(from, size) != size;
            }
            tried++;
        }
    printf("tried %d bad %d\n", tried, bad);

    strcpy(a - 40, "the quick brown fox jumps over a dog...");
    printf("%s\n", strstr(a - 40, "jumps"));
    printf("%zu %zu\n", strspn(a - 40, "het "), strcspn(a - 40, "q"));
    printf("%s\n", strpbrk(a - 40, "xyz"));
    printf("%s\n", strrchr(a - 40, 'o'));
    check("strcasestr", strcasestr(a - 40, "FOX") == a - 40 + 16);
    char text[] = "a,b,,c d", *save;
    for (char *token = strtok_r(text, ", ", &save); token; token = strtok_r(NULL, ", ", &save))
        printf("[%s]", token);
    puts("");
    memcpy(b - 9, "number42", 9);
    printf("%d %ld %lx\n", atoi(b - 3), strtol(b - 3, NULL, 5), strtoul("0x7fffffffffffffff", NULL, 0));
    errno = 0;
    printf("%ld %s\n", strtol("99999999999999999999", NULL, 10), errno_name(errno));
    char copy[16];
    printf("%zu\n", (size_t)(stpcpy(copy, "stpcpy") - copy));
    printf("%d %d\n", strncasecmp("HELLO", "help", 3), strverscmp("file9", "file10") < 0);
    char swapped[] = "abcdefgh";
    __asm__ volatile("std; rep movsb; cld" : : "S"(swapped + 5), "D"(swapped + 7), "c"(6) : "memory");
    puts(swapped);
}
