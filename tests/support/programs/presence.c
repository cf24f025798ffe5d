/* presence DIRECTORY NAME [family]: say every 2 ms that this process runs, until it is killed.
 *
 * The file DIRECTORY/NAME.TOKEN.PID holds two doubles: the monotonic second at which it began, and the last one at
 * which it still ran. With `family`, a child in the same process group says it as well.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    const struct timespec beat = {0, 2000000};
    double life[2];
    char path[4096];
    int fd;

    life[0] = now();
    if (argc < 3)
        return 2;
    if (argc > 3 && strcmp(argv[3], "family") == 0)
        fork();
    snprintf(path, sizeof path, "%s/%s.%s.%d", argv[1], argv[2], getenv("PROCWRAP_FENCING_TOKEN"), (int)getpid());
    fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    if (fd < 0)
        return 1;
    for (;;) {
        life[1] = now();
        if (pwrite(fd, life, sizeof life, 0) != sizeof life)
            return 1;
        nanosleep(&beat, NULL);
    }
}
