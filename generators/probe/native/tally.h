/* What the samples of one selector come to, kept while the exposition streams by. */
#ifndef SLO_PROBE_TALLY_H
#define SLO_PROBE_TALLY_H

#include "check.h"
#include "line.h"

/* A sample that a verdict may have to name. */
struct witness {
    bool there;
    double value;
    size_t size;
    char series[MAX_SERIES_TEXT + 1]; /* one more than is shown, so that a cut is seen */
};

struct bucket {
    double bound;
    double count;
    size_t series;
};

struct tally {
    const struct selector *selector;
    const struct check *check;
    struct reason needle; /* the name as it stands in quotes */
    struct text name;
    size_t named;    /* samples of the name */
    size_t selected; /* and those that the labels pick */
    char bad[128];   /* the first line about the name that cannot be parsed */
    struct witness first, not_a_number, failing, oldest, newest;
    size_t fine;
    double sum, least, most;
    struct reason broken; /* why the buckets are of no use */
    size_t buckets_used;
    struct bucket buckets[MAX_BUCKETS];
};

/* The tallies of all checks, and what is known of the whole exposition. */
struct tallies {
    size_t count;
    struct tally each[2 * MAX_CHECKS + 1];
    bool has_samples;
    size_t line_number;
};

/* Adds a tally that feeds on `name`; NULL for check and selector takes every sample. */
void tally_add(struct tallies *t, const struct check *check, const struct selector *selector,
               struct text name);
/* Forgets what was counted, for another body. */
void tallies_clear(struct tallies *t);
/* A whole line without its end; an overlong one may be cut behind MAX_LINE. */
void tallies_line(struct tallies *t, struct text line);

#endif
