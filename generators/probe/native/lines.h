/* Cuts a body that arrives in pieces into lines, in bounded memory. */
#ifndef SLO_PROBE_LINES_H
#define SLO_PROBE_LINES_H

#include "tally.h"

struct lines {
    struct tallies *tallies;
    size_t size;       /* of the line that has no end yet */
    bool any;          /* whether the body has a byte */
    bool last_is_eof;  /* whether the last whole line is "# EOF" */
    char line[MAX_LINE + 1];
};

void lines_begin(struct lines *l, struct tallies *tallies);
void lines_feed(void *lines, const char *data, size_t size);
/* Whether the body is whole; `why` says what is missing. */
bool lines_end(struct lines *l, bool openmetrics, struct reason *why);

#endif
