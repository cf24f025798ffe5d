/* launch STAMPS PROGRAM [ARGUMENT...]: stamp the clock, then become PROGRAM.
 *
 * The time from exec is then free of the benchmark's own fork, which takes longer than tini's whole start.
 */
#include "stamp.h"

int main(int argc, char **argv)
{
    if (argc < 3) {
        fputs("usage: launch STAMPS PROGRAM [ARGUMENT...]\n", stderr);
        return 2;
    }
    if (stamp(argv[1], now_ns()) != 0) {
        perror(argv[1]);
        return 1;
    }
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return 127;
}
