/* reader LINES: drain standard input, note when the writer's last line came, and check that all came in order.
 *
 * The lines of writer.c are known by "#" and nine digits, wherever a supervisor's own prefix ends. Checking costs
 * some nanoseconds a line, on a processor that would otherwise wait for the supervisor. Ends after the last
 * line, at the end of the input, or when nothing has come for 10 s; then prints one line of JSON. LINES 0 drains
 * until the end of the input.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "stamp.h"

#define BUFFER (1 << 20)
#define DIGITS 9
#define MARK (1 + DIGITS + 1)
#define SILENCE 10

static long long expected, bytes, lines, misplaced, next_number, last_ns, bytes_at_tick;
static size_t usual_offset;

static void tick(int number)
{
    (void)number; /* Interrupting read is all it is for. */
}

/* The number of a marked line that has its mark at this offset, or -1. */
static long long number_at(const char *line, size_t length, size_t offset)
{
    long long number = 0;

    if (offset + MARK > length || line[offset] != '#' || line[offset + MARK - 1] != ' ')
        return -1;
    for (size_t at = offset + 1; at < offset + 1 + DIGITS; at++) {
        if (line[at] < '0' || line[at] > '9')
            return -1;
        number = number * 10 + (line[at] - '0');
    }
    return number;
}

static void count_line(const char *line, size_t length)
{
    long long number = number_at(line, length, usual_offset);

    for (size_t offset = 0; number < 0 && offset + MARK <= length; offset++) {
        number = number_at(line, length, offset);
        if (number >= 0)
            usual_offset = offset;
    }
    if (number < 0)
        return; /* Something that the supervisor said itself. */
    lines++;
    misplaced += number != next_number;
    next_number = number + 1;
}

/* Count the whole lines of a buffer; returns how many bytes of a last, unfinished line are left over. */
static size_t count_lines(const char *buffer, size_t filled)
{
    const char *line = buffer, *end = buffer + filled, *newline;

    while ((newline = memchr(line, '\n', end - line)) != NULL) {
        count_line(line, newline - line);
        line = newline + 1;
    }
    return end - line;
}

static int interrupted_for_good(void)
{
    int silent = expected > 0 && lines > 0 && bytes == bytes_at_tick;

    bytes_at_tick = bytes;
    return silent;
}

static void report(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    printf("{\"lines\": %lld, \"misplaced\": %lld, \"bytes\": %lld, \"last_ns\": %lld, \"cpu_ms\": %ld}\n", lines,
           misplaced, bytes, last_ns,
           (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000L +
               (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000L);
}

int main(int argc, char **argv)
{
    static char buffer[BUFFER];
    struct sigaction action = {.sa_handler = tick};
    struct itimerval period = {{SILENCE, 0}, {SILENCE, 0}};
    size_t kept = 0;

    if (argc != 2) {
        fputs("usage: reader LINES\n", stderr);
        return 2;
    }
    expected = atoll(argv[1]);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &period, NULL);
    while (expected == 0 || next_number < expected) {
        ssize_t taken = read(STDIN_FILENO, buffer + kept, BUFFER - kept);
        size_t filled;

        if (taken < 0 && errno == EINTR && !interrupted_for_good())
            continue;
        if (taken <= 0)
            break;
        last_ns = now_ns();
        bytes += taken;
        filled = kept + taken;
        kept = count_lines(buffer, filled);
        if (kept == BUFFER)
            kept = 0; /* A line of 1 MiB is none of ours. */
        memmove(buffer, buffer + filled - kept, kept);
    }
    report();
    return 0;
}
