/* Regular expressions: the common core of RE2, anchored at both ends, linear in the text. */
#ifndef SLO_PROBE_REGEX_H
#define SLO_PROBE_REGEX_H

#include "text.h"

struct regex {
    size_t first; /* of its instructions in the pool */
    size_t size;
    size_t first_set;
};

/* On failure `why` says what is wrong. */
bool regex_compile(struct text source, struct regex *into, struct reason *why);
bool regex_matches(const struct regex *regex, struct text value);
/* Forgets every expression; for the fuzzer, which compiles many. */
void regex_reset(void);

#endif
