/* One line of an exposition: text 0.0.4, OpenMetrics and quoted UTF-8 names. */
#ifndef SLO_PROBE_LINE_H
#define SLO_PROBE_LINE_H

#include "text.h"

struct label {
    struct text name;
    struct text value;
};

struct sample {
    struct text name;
    struct text series; /* as it stands in the line */
    size_t count;
    struct label labels[MAX_LABELS];
    double value;
};

/* The sample points into the line and into memory that the next call writes over; `why` is set on failure. */
bool line_parse(struct text line, struct sample *into, const char **why);
/* The value of a label; empty where there is none, as everywhere in Prometheus. */
struct text label_of(const struct sample *sample, struct text name);

#endif
