/* argv and the environment come as given: empty ones, spaces, bytes above 127, order; setenv on top. */
// args: plain "two words" "" "quo\"te" naïve -- -x=1
// env: PLAIN=value EMPTY= EQUALS=a=b=c SPACES='two words' UTF=naïve
#include "show.h"

extern char **environ;

int main(int argc, char **argv)
{
    show("argc", argc);
    for (int i = 1; i < argc; i++)
        show_bytes("argument", argv[i], strlen(argv[i]));
    for (char **entry = environ; *entry != NULL; entry++)
        show_bytes("environment", *entry, strlen(*entry));
    show_bytes("getenv", getenv("EQUALS"), 5);
    check("absent", getenv("ABSENT") == NULL);
    check("a prefix is not the name", getenv("PLAI") == NULL);
    show("setenv", setenv("PLAIN", "changed", 1));
    show("setenv, no overwrite", setenv("EMPTY", "x", 0));
    show("setenv new", setenv("NEW", "made", 1));
    show("unsetenv", unsetenv("UTF"));
    show("setenv, bad name", setenv("A=B", "x", 1));
    for (char **entry = environ; *entry != NULL; entry++)
        show_bytes("now", *entry, strlen(*entry));
    argv[1][0] = 'P';
    show_bytes("argv can be written", argv[1], 5);
}
