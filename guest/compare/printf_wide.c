/* printf and wprintf with wide characters, %n, positional arguments, snprintf's count. */
#include "show.h"
#include <stddef.h>
#include <wchar.h>
#include <wctype.h>

int main(void)
{
    char text[200];
    wchar_t wide[100];
    int count;
    printf("%ls %lc %5.2ls|%-6ls|\n", L"wide", (wint_t)L'x', L"abcdef", L"abc");
    printf("%s\n", "na\xc3\xafve");
    show("swprintf", swprintf(wide, 100, L"%d %s %ls %.3f", 42, "narrow", L"wide", 1.5));
    show("wcslen", wcslen(wide));
    printf("%ls\n", wide);
    show("swprintf, too small", swprintf(wide, 4, L"%d", 12345) < 0);
    show("snprintf counts", snprintf(text, 5, "%s", "a longer text"));
    printf("[%s]\n", text);
    printf("%d%n", 12345, &count);
    printf(" written %d\n", count);
    printf("%2$s %1$s %2$s\n", "one", "two");
    printf("%*d|%-*d|%.*s|%+d % d %05d %#x %#o\n", 6, 42, 6, 42, 3, "abcdef", 5, 5, -42, 255, 8);
    printf("%hhd %hd %ld %lld %zu %jd %td\n", (char)300, (short)70000, 1L << 40, 1LL << 62, (size_t)-1,
           (intmax_t)-1, (ptrdiff_t)-5);
    printf("%c%c%% %p %s\n", 'o', 'k', (void *)0x1234, "end");
    int day, year;
    char month[16];
    show("sscanf", sscanf("3 February 2024 rest", "%d %15s %d", &day, month, &year));
    printf("%d %s %d\n", day, month, year);
    float value;
    unsigned hex;
    show("sscanf", sscanf("x=0xff,y=-1.5e3;", "x=%x,y=%f", &hex, &value));
    printf("%u %g\n", hex, value);
    char set[16];
    show("sscanf", sscanf("abc123", "%[a-z]%d", set, &day));
    printf("%s %d\n", set, day);
    printf("%d %d %ls\n", iswupper(L'A') != 0, towupper(L'z'), wcsstr(L"find the needle", L"need"));
    show("wcstol", wcstol(L"0x1f rest", NULL, 16));
    wchar_t words[] = L"one two";
    printf("%d\n", wmemcmp(words, L"one", 3));
}
