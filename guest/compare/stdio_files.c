/* stdio: modes, buffering, seeking, ungetc, both directions, large files, temporary files, errors. */
#include "show.h"

int main(void)
{
    char line[64];
    FILE *file = fopen("file", "w+");
    show("fprintf", fprintf(file, "line %d\nline %d\nlast", 1, 2));
    show("ftell", ftell(file));
    rewind(file);
    while (fgets(line, sizeof line, file) != NULL)
        show_bytes("fgets", line, strlen(line));
    check("feof", feof(file));
    show("fseek", fseek(file, -4, SEEK_END));
    show("fputs", fputs("LAST", file) < 0);
    fflush(file);
    show_file("file", "file");
    show("fseek before the start", fseek(file, -100, SEEK_SET));
    fclose(file);
    file = fopen("file", "r");
    show("getc", getc(file));
    show("ungetc", ungetc('U', file));
    show("getc", getc(file));
    show("fread", fread(line, 1, 6, file));
    show_bytes("fread", line, 6);
    show("write to a reader", fputc('x', file));
    check("ferror", ferror(file));
    fclose(file);
    file = fopen("file", "a+");
    fputs(" appended", file);
    rewind(file);
    fputs(" at the end", file);
    fclose(file);
    show_file("file", "file");
    file = fopen("file", "r+");
    fputs("CHANGED", file);
    fclose(file);
    show_file("file", "file");
    ok("missing", fopen("absent", "r") ? 0 : -1);
    ok("exclusive", fopen("file", "wx") ? 0 : -1);
    ok("bad mode", fopen("file", "q") ? 0 : -1);
    file = tmpfile();
    check("tmpfile", file != NULL);
    for (int i = 0; i < 20000; i++)
        fprintf(file, "%d\n", i);
    rewind(file);
    long sum = 0;
    int value;
    while (fscanf(file, "%d", &value) == 1)
        sum += value;
    printf("sum %ld\n", sum);
    fclose(file);
    char name[] = "tempXXXXXX";
    int fd = mkstemp(name);
    ok("mkstemp", fd);
    struct stat st;
    fstat(fd, &st);
    printf("mode %o\n", st.st_mode);
    ok("mkdtemp", mkdtemp((char[]){"dirXXXXXX"}) ? 0 : -1);
    char *memory;
    size_t size;
    file = open_memstream(&memory, &size);
    fprintf(file, "%s %d", "in memory", 42);
    fclose(file);
    printf("%s %zu\n", memory, size);
    char *text = NULL;
    size_t capacity = 0;
    file = fmemopen("one\ntwo three\n", 14, "r");
    while (getline(&text, &capacity, file) > 0)
        show_bytes("getline", text, strlen(text));
}
