/* One run: fetch, judge, and try again while the deadline allows it. */
#ifndef SLO_PROBE_RUN_H
#define SLO_PROBE_RUN_H

#include "fetch.h"
#include "judge.h"

struct result {
    struct reason error; /* why there are no verdicts */
    size_t count;
    struct verdict verdicts[MAX_CHECKS];
};

bool is_healthy(const struct result *result);
/* The names to ask a server for; none where a wrong answer to that could look healthy. */
void wanted_names(const struct options *options, struct names *into);
void run(const struct options *options, double begun, struct result *into);
/* The state's part of a verdict, and all others; also for the fuzzer, which fetches nothing. */
void judge_all(const struct options *options, struct tallies *tallies, struct result *into);
void add_tallies(const struct options *options, struct tallies *into);

#endif
