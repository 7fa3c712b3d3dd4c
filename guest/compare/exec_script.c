/* #! scripts: what their interpreter gets, with an argument, nested, without a newline; and refusals. */
// args: start
#include "show.h"

static void script(const char *name, const char *text)
{
    put_file(name, text);
    must("chmod", chmod(name, 0755));
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "start") != 0) {
        /* Called as an interpreter: tell the arguments, then go on with the next script. */
        char next[32];
        const char *round = getenv("ROUND");
        int number = round ? atoi(round) : 0;
        printf("script %d:", number);
        for (int i = 1; i < argc; i++)
            printf(" [%s]", argv[i]);
        puts("");
        snprintf(next, sizeof next, "ROUND=%d", number + 1);
        char *env[] = {next, NULL}, *args[] = {"zeroth", "first arg", "", "third", NULL};
        char path[32];
        snprintf(path, sizeof path, "script%d", number + 1);
        execve(path, args, env);
        ok(path, -1);
        if (number >= 8)
            return 5;
        snprintf(next, sizeof next, "ROUND=%d", number + 2);
        snprintf(path, sizeof path, "./script%d", number + 2);
        execve(path, args, env);
        ok(path, -1);
        return 6;
    }
    script("script0", "#!/proc/self/exe\nrest\n");
    script("script1", "#! /proc/self/exe one argument only \nrest\n");
    script("script2", "#!\t /proc/self/exe\ttab\n");
    script("script3", "#!/proc/self/exe no newline");
    script("script4", "#!script0\n");
    script("script5", "#!script4 nested twice\n");
    script("script6", "#!/absent/interpreter\n");
    script("script7", "#!/proc/self/exe -x\r\n");
    script("script8", "#!script5\n");
    script("script9", "#!script8 four deep\n");
    char *args[] = {"zeroth", "first", NULL}, *env[] = {"ROUND=0", NULL};
    must("mkdir", mkdir("dir", 0777));
    script("empty", "");
    script("no-interpreter", "#!\n");
    script("blank-interpreter", "#!   \n");
    script("directory", "#!dir\n");
    script("itself", "#!itself\n");
    script("text", "echo text\n");
    const char *refused[] = {"empty", "no-interpreter", "blank-interpreter", "directory", "itself", "text"};
    for (size_t i = 0; i < COUNT(refused); i++)
        ok(refused[i], execve(refused[i], args, env));
    execve("script0", args, env);
    ok("script0", -1);
}
