/* Telling the benchmark when something happened: one line "PID NANOSECONDS\n" into a FIFO.
 *
 * The FIFO is held open for reading and writing by the benchmark, so opening it never blocks, and a line
 * shorter than PIPE_BUF is written whole. CLOCK_MONOTONIC is one clock for all processes of a machine.
 */
#ifndef PROCWRAP_BENCHMARK_STAMP_H
#define PROCWRAP_BENCHMARK_STAMP_H

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static inline long long now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Returns 0, or -1 when the FIFO is gone. */
static inline int stamp(const char *path, long long at_ns)
{
    char line[64];
    int length = snprintf(line, sizeof line, "%ld %lld\n", (long)getpid(), at_ns);
    int fifo = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t written;

    if (fifo < 0)
        return -1;
    written = write(fifo, line, length);
    close(fifo);
    return written == length ? 0 : -1;
}

#endif
