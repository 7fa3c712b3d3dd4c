/* The value main returns is the exit status, and standard input's end is seen before. */
// stdin: line one\nline two\nno newline
#include "show.h"

int main(void)
{
    char line[64];
    int lines = 0;
    while (fgets(line, sizeof line, stdin) != NULL) {
        show_bytes("line", line, strlen(line));
        lines++;
    }
    check("end of file", feof(stdin) && !ferror(stdin));
    printf("getchar %d\n", getchar());
    return 40 + lines;
}
