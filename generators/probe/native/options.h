/* What the command line asks for. */
#ifndef SLO_PROBE_OPTIONS_H
#define SLO_PROBE_OPTIONS_H

#include "check.h"
#include "source.h"

struct options {
    struct text url;
    struct source source;
    size_t count;
    struct check checks[MAX_CHECKS];
    double timeout, retry_delay, skew, now;
    unsigned long long max_bytes, retries;
    size_t header_count;
    struct text headers[MAX_HEADERS];
    const char *token_file, *state_file;
    bool has_now, select, verbose, json, explain, help, version, agent;
};

/* On failure `why` says what is wrong with the command line. */
bool options_parse(int count, char **arguments, struct options *into, struct reason *why);
extern const char help_text[];

#endif
