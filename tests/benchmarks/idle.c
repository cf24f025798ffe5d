/* idle STAMPS: stamp the clock in the first instruction of main, then sleep until SIGTERM, which ends it at once. */
#include <signal.h>

#include "stamp.h"

static void leave(int number)
{
    (void)number;
    _exit(0);
}

int main(int argc, char **argv)
{
    long long started_ns = now_ns();

    if (argc != 2) {
        fputs("usage: idle STAMPS\n", stderr);
        return 2;
    }
    signal(SIGTERM, leave);
    if (stamp(argv[1], started_ns) != 0) {
        perror(argv[1]);
        return 1;
    }
    for (;;)
        pause();
}
