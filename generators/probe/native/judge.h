/* Verdicts: what a check comes to, given its tallies. */
#ifndef SLO_PROBE_JUDGE_H
#define SLO_PROBE_JUDGE_H

#include "state.h"
#include "tally.h"

enum outcome { OK, MISSING, UNPARSABLE, VALUE, NOT_A_NUMBER, FUTURE, EMPTY, STATE };

struct verdict {
    enum outcome outcome;
    struct reason reason;
    bool has_value;
    double value;
    size_t series;
};

struct clock {
    double now;
    double monotonic;
    double skew;
};

const char *outcome_name(enum outcome outcome);
/* The tallies of one check stand side by side: of a, and of b where it is a ratio. */
struct verdict judge(const struct check *check, const struct tally *tally,
                     const struct tallies *all, const struct clock *clock, struct state *state);
/* Whether nothing was found where a server may have left it out. */
bool is_missing(const struct check *check, const struct tally *tally);

#endif
