/* UTF-8 to wide characters and back, in a locale that musl carries in itself. */
// libc: musl
#include "show.h"
#include <locale.h>
#include <wchar.h>
#include <wctype.h>

int main(void)
{
    check("C.UTF-8", setlocale(LC_ALL, "C.UTF-8") != NULL);
    printf("%ls %lc %4.2ls|%-6ls|\n", L"w\u00efde", (wint_t)0x20ac, L"\u00e9t\u00e9", L"\U0001f600");
    wchar_t wide[16];
    char narrow[64];
    show("mbstowcs", mbstowcs(wide, "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 16));
    printf("%x %x %x %x\n", wide[0], wide[1], wide[2], wide[3]);
    show("wcstombs", wcstombs(narrow, wide, sizeof narrow));
    show_bytes("narrow", narrow, strlen(narrow));
    const char *bad[] = {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80"};
    for (size_t i = 0; i < COUNT(bad); i++)
        show("invalid", mbstowcs(wide, bad[i], 16));
    mbstate_t state = {0};
    wchar_t one;
    show("half a character", mbrtowc(&one, "\xe2\x82", 2, &state));
    show("and the rest", mbrtowc(&one, "\xac", 1, &state));
    printf("%x\n", one);
    show("wctomb of nothing", wctomb(narrow, 0x110000));
    printf("%lc %lc %d %d\n", towupper(0xe9), towlower(0xc9), iswalpha(0xe9) != 0, iswdigit(0x663) != 0);
    printf("%d %d\n", wcwidth(0x4e2d), wcwidth(0x300));
    FILE *file = fopen("file", "w+");
    fputws(L"\u00fcber\n", file);
    rewind(file);
    printf("%x\n", fgetwc(file));
    fclose(file);
}
