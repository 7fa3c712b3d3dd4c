/* telldir and seekdir: going back to each place gives the same names again. */
#include "show.h"
#include <dirent.h>

int main(void)
{
    enum { MANY = 40 };
    long places[MANY + 2];
    char names[MANY + 2][256];
    int count = 0, again = 0, backwards = 0;
    struct dirent *entry;
    must("mkdir", mkdir("dir", 0777));
    for (int i = 0; i < MANY; i++) {
        char path[40];
        snprintf(path, sizeof path, "dir/entry-%d", i);
        put_file(path, "");
    }
    DIR *dir = opendir("dir");
    for (;;) {
        long place = telldir(dir);
        if ((entry = readdir(dir)) == NULL)
            break;
        places[count] = place;
        snprintf(names[count++], sizeof names[0], "%s", entry->d_name);
    }
    printf("names %d\n", count);
    for (int i = 0; i < count; i++) {
        seekdir(dir, places[i]);
        entry = readdir(dir);
        again += entry != NULL && strcmp(entry->d_name, names[i]) == 0;
    }
    for (int i = count - 1; i >= 0; i--) {
        seekdir(dir, places[i]);
        entry = readdir(dir);
        backwards += entry != NULL && strcmp(entry->d_name, names[i]) == 0;
    }
    printf("forwards %d backwards %d\n", again, backwards);
    seekdir(dir, places[count / 2]);
    int rest = 0;
    while (readdir(dir) != NULL)
        rest++;
    printf("from the middle to the end %d\n", rest);
    rewinddir(dir);
    entry = readdir(dir);
    check("first again", strcmp(entry->d_name, names[0]) == 0);

    int fd = open("dir", O_RDONLY | O_DIRECTORY);
    seekdir(dir, places[3]);
    readdir(dir);
    show("another descriptor is at 0", lseek(fd, 0, SEEK_CUR));
    DIR *second = fdopendir(fd);
    for (count = 0; readdir(second) != NULL; count++)
        ;
    printf("fdopendir %d\n", count);
    show("closedir", closedir(second));
    show("its descriptor is closed", fcntl(fd, F_GETFD));
}
