/* The grammar of checks. */
#ifndef SLO_PROBE_CHECK_H
#define SLO_PROBE_CHECK_H

#include "regex.h"

enum kind {
    KIND_ALL,
    KIND_ANY,
    KIND_NONE,
    KIND_COUNT,
    KIND_SUM,
    KIND_MIN,
    KIND_MAX,
    KIND_AVG,
    KIND_FRESH,
    KIND_ABSENT,
    KIND_PRESENT,
    KIND_QUANTILE,
    KIND_RATIO,
    KIND_INCREASES,
};

enum operator { NO_OPERATOR, EQUAL, DIFFERS, AT_LEAST, AT_MOST, ABOVE, BELOW };

struct matcher {
    struct text label;
    struct text value;
    bool negated;
    bool is_regex;
    struct regex regex;
};

struct selector {
    struct text name;
    struct text text; /* as it was written */
    size_t count;
    struct matcher matchers[MAX_MATCHERS];
};

struct check {
    struct text text;
    enum kind kind;
    struct selector a;
    struct selector b; /* of a ratio */
    double q;
    enum operator inner;
    double inner_at;
    enum operator operator;
    double threshold;
    bool or_empty;
};

const char *kind_name(enum kind kind);
const char *operator_sign(enum operator operator);
/* A comparison in which NaN is never right, not even for !=. */
bool compares(double value, enum operator operator, double other);
/* On failure `why` says what was expected and where. */
bool check_parse(struct text text, struct check *into, struct reason *why);
/* How the check was understood. */
void check_explain(const struct check *check, struct reason *to);

#endif
