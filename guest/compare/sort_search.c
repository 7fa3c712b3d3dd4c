/* qsort and bsearch over 200,000 numbers and over strings; a hash table and a tree; results checked. */
#include "show.h"
#include <search.h>

enum { MANY = 200000 };

static uint32_t numbers[MANY];
static int compared;

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    compared++;
    return (x > y) - (x < y);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int nodes;

static void count(const void *node, VISIT visit, int level)
{
    (void)node, (void)level;
    nodes += visit == postorder || visit == leaf;
}

int main(void)
{
    uint32_t state = 12345, hash = 0;
    for (int i = 0; i < MANY; i++) {
        state = state * 1664525 + 1013904223;
        numbers[i] = state >> 3;
    }
    qsort(numbers, MANY, sizeof *numbers, by_value);
    int sorted = 1;
    for (int i = 1; i < MANY; i++)
        sorted &= numbers[i - 1] <= numbers[i];
    for (int i = 0; i < MANY; i++)
        hash = hash * 31 + numbers[i];
    printf("sorted %d hash %x compared enough %d\n", sorted, hash, compared > MANY);
    int found = 0;
    for (int i = 0; i < MANY; i += 97)
        found += bsearch(&numbers[i], numbers, MANY, sizeof *numbers, by_value) != NULL;
    printf("found %d of %d\n", found, (MANY + 96) / 97);
    uint32_t absent = 0xffffffff;
    check("absent", bsearch(&absent, numbers, MANY, sizeof *numbers, by_value) == NULL);

    const char *words[] = {"pear", "apple", "fig", "banana", "cherry", "fig", "date", ""};
    qsort(words, COUNT(words), sizeof *words, by_text);
    for (size_t i = 0; i < COUNT(words); i++)
        printf("[%s]", words[i]);
    puts("");
    void *root = NULL;
    for (size_t i = 0; i < COUNT(words); i++)
        tsearch(&words[i], &root, by_text);
    twalk(root, count);
    printf("tree has %d\n", nodes);
    hcreate(100);
    for (size_t i = 0; i < COUNT(words); i++) {
        ENTRY entry = {(char *)words[i], (void *)i};
        hsearch(entry, ENTER);
    }
    ENTRY wanted = {"cherry", NULL}, *at = hsearch(wanted, FIND);
    printf("hash table: cherry at %d\n", at ? (int)(size_t)at->data : -1);
    size_t three = 3;
    uint32_t small[] = {5, 3, 9, 1};
    lfind(&absent, small, &three, sizeof *small, by_value);
    lsearch(&absent, small, &three, sizeof *small, by_value);
    printf("lsearch %zu %x\n", three, small[3]);
}
