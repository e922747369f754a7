/* What is said: one line on stderr, JSON on stdout. */
#ifndef SLO_PROBE_REPORT_H
#define SLO_PROBE_REPORT_H

#include "run.h"

/* One line on stderr, whatever the parts hold; NULL ends them. */
void said(const char *before, struct text text);
void wrote(int file, const char *data, size_t size);
void report_error_json(struct text error, double seconds);
/* Says it all and gives the exit code. */
int report(const struct options *options, const struct result *result, double seconds);
void explain(const struct options *options);

#endif
