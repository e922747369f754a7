/* Gets the exposition: http, unix socket, file or stdin, before one absolute deadline. */
#ifndef SLO_PROBE_FETCH_H
#define SLO_PROBE_FETCH_H

#include "lines.h"
#include "options.h"

struct names {
    size_t count;
    struct text each[2 * MAX_CHECKS + 1];
};

double steady_clock(void);
/* `another` is set where the server may answer when it is not asked for names. */
bool fetch(const struct options *options, const struct names *names, double end,
           struct lines *into, struct reason *why, bool *another);
/* The path and query of the request; false where the names do not fit, which leaves them out. */
bool request_target(const struct source *source, const struct names *names, char *into,
                    size_t room);

#endif
