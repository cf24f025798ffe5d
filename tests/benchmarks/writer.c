/* writer STAMPS LINES: wait a second, stamp the clock, print LINES numbered lines of 94 bytes as fast as they are taken, then sleep.
 *
 * The second is for the program that reads them to finish its own start, which has a figure of its own.
 * LINES 0 prints for ever (a billion lines at most). Blocks of 64 KiB cut lines anywhere, as stdio does. It sleeps at the end because the
 * figure is how fast lines pass, not what becomes of them when their writer exits.
 */
#include <stdlib.h>
#include <string.h>

#include "stamp.h"

#define LINE 94
#define BLOCK 65536
#define DIGITS 9

static const char TEXT[LINE + 1] =
    "#000000000 GET /api/v1/items?page=7 answered 200 with 5120 bytes in 12 ms to client 10.0.0.17\n";

static void count_up(char *last_digit)
{
    while (*last_digit == '9')
        *last_digit-- = '0';
    ++*last_digit;
}

static void write_all(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t taken = write(STDOUT_FILENO, bytes, length);

        if (taken < 0)
            _exit(1);
        bytes += taken;
        length -= taken;
    }
}

int main(int argc, char **argv)
{
    static char block[BLOCK + LINE];
    char line[LINE];
    size_t filled = 0;
    long long left;

    if (argc != 3) {
        fputs("usage: writer STAMPS LINES\n", stderr);
        return 2;
    }
    left = atoll(argv[2]);
    memcpy(line, TEXT, LINE);
    sleep(1);
    if (stamp(argv[1], now_ns()) != 0) {
        perror(argv[1]);
        return 1;
    }
    do {
        memcpy(block + filled, line, LINE);
        filled += LINE;
        count_up(line + DIGITS);
        if (filled >= BLOCK) {
            write_all(block, BLOCK);
            filled -= BLOCK;
            memcpy(block, block + BLOCK, filled);
        }
    } while (--left != 0);
    write_all(block, filled);
    for (;;)
        pause();
}
