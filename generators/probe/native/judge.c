/* Verdicts: what a check comes to, given its tallies. */
#include "judge.h"

#include <math.h>

static const char *const outcomes[] = {
    "ok", "missing", "unparsable", "value", "nan", "future", "empty", "state",
};

const char *outcome_name(enum outcome outcome) {
    return outcomes[outcome];
}

static struct verdict verdict(enum outcome outcome, size_t series) {
    struct verdict v = {.outcome = outcome, .series = series};
    return v;
}

static void value_of(struct verdict *v, double value) {
    v->has_value = true;
    v->value = value;
}

static void name_series(struct reason *to, const struct witness *w) {
    say_cut(to, (struct text){w->series, w->size});
}

static void condition(struct reason *to, const struct check *check) {
    char digits[NUMBER_SIZE];
    say(to, "%s %s", operator_sign(check->operator), shown(check->threshold, digits));
}

/* Whether there are no series to judge, and why. */
static bool trouble(const struct tally *t, struct verdict *v) {
    if (t->bad[0]) {
        *v = verdict(UNPARSABLE, 0);
        say(&v->reason, "cannot be parsed: %s", t->bad);
    } else if (t->selected) {
        return false;
    } else {
        *v = verdict(MISSING, 0);
        if (t->named) {
            say(&v->reason, "no series matches, %zu of that name", t->named);
        } else {
            say(&v->reason, "no such metric");
        }
    }
    return true;
}

bool is_missing(const struct check *check, const struct tally *tally) {
    struct verdict v;
    if (trouble(tally, &v) && v.outcome == MISSING) return true;
    return check->kind == KIND_RATIO && trouble(tally + 1, &v) && v.outcome == MISSING;
}

static struct verdict counted(const struct tally *t) {
    char digits[NUMBER_SIZE];
    struct verdict v = verdict(OK, t->selected);
    value_of(&v, t->first.value);
    if (t->selected == 1) {
        say(&v.reason, "is %s", shown(t->first.value, digits));
    } else {
        say(&v.reason, "%zu series", t->selected);
    }
    return v;
}

static struct verdict not_a_number(const struct tally *t, size_t series) {
    struct verdict v = verdict(NOT_A_NUMBER, series);
    value_of(&v, t->not_a_number.value);
    name_series(&v.reason, &t->not_a_number);
    say(&v.reason, " is NaN");
    return v;
}

static struct verdict absent(const struct tally *t, const struct tallies *all) {
    struct verdict v;
    bool nothing = trouble(t, &v);
    if (nothing && v.outcome == UNPARSABLE) return v;
    if (!nothing) {
        v = verdict(VALUE, t->selected);
        value_of(&v, t->first.value);
        name_series(&v.reason, &t->first);
        say(&v.reason, " is there");
    } else if (!all->has_samples) {
        v = verdict(EMPTY, 0);
        say(&v.reason, "the exposition has no samples at all");
    } else {
        v = verdict(OK, 0);
        say(&v.reason, "is absent");
    }
    return v;
}

static struct verdict quantified(const struct check *check, const struct tally *t) {
    char digits[NUMBER_SIZE];
    struct verdict v;
    if (check->kind == KIND_ANY) {
        if (t->fine) return counted(t);
        v = verdict(VALUE, t->selected);
        value_of(&v, t->first.value);
        say(&v.reason, "none of %zu series is ", t->selected);
        condition(&v.reason, check);
        return v;
    }
    if (t->not_a_number.there) return not_a_number(t, t->selected);
    if (!t->failing.there) return counted(t);
    v = verdict(VALUE, t->selected);
    value_of(&v, t->failing.value);
    name_series(&v.reason, &t->failing);
    say(&v.reason, " is %s, %s ", shown(t->failing.value, digits),
        check->kind == KIND_NONE ? "must not be" : "must be");
    condition(&v.reason, check);
    return v;
}

/* Judges a number that was computed from several series. */
static struct verdict compared(const struct check *check, double result, size_t series) {
    char digits[NUMBER_SIZE];
    struct verdict v = verdict(OK, series);
    value_of(&v, result);
    say(&v.reason, "%s is %s", kind_name(check->kind), shown(result, digits));
    if (isnan(result)) {
        v.outcome = NOT_A_NUMBER;
    } else if (!compares(result, check->operator, check->threshold)) {
        v.outcome = VALUE;
        say(&v.reason, ", must be ");
        condition(&v.reason, check);
    }
    return v;
}

static struct verdict aggregated(const struct check *check, const struct tally *t) {
    if (t->not_a_number.there && (check->kind != KIND_COUNT || check->inner)) {
        return not_a_number(t, t->selected);
    }
    switch (check->kind) {
    case KIND_COUNT:
        return compared(check, (double)t->fine, t->selected);
    case KIND_MIN:
        return compared(check, t->least, t->selected);
    case KIND_MAX:
        return compared(check, t->most, t->selected);
    case KIND_AVG:
        return compared(check, t->sum / (double)t->selected, t->selected);
    default:
        return compared(check, t->sum, t->selected);
    }
}

static struct verdict from_the_future(const struct tally *t, const struct clock *clock) {
    static const struct {
        const char *unit;
        double scale;
    } scales[] = {{"milliseconds", 1e3}, {"microseconds", 1e6}, {"nanoseconds", 1e9}};
    static const double ten_years = 315576000.0;
    char ahead[NUMBER_SIZE], allowed[NUMBER_SIZE];
    struct verdict v = verdict(FUTURE, t->selected);
    value_of(&v, t->newest.value);
    name_series(&v.reason, &t->newest);
    say(&v.reason, " lies %s in the future, %s is allowed",
        shown_seconds(t->newest.value - clock->now, ahead), shown_seconds(clock->skew, allowed));
    for (int i = 0; i < 3; i++) {
        if (fabs(t->newest.value / scales[i].scale - clock->now) < ten_years) {
            say(&v.reason, "; it looks like %s, seconds are needed", scales[i].unit);
        }
    }
    return v;
}

static struct verdict fresh(const struct check *check, const struct tally *t,
                            const struct clock *clock) {
    char old[NUMBER_SIZE], allowed[NUMBER_SIZE];
    if (t->not_a_number.there) return not_a_number(t, t->selected);
    if (t->newest.value > clock->now + clock->skew) return from_the_future(t, clock);
    double age = clock->now - t->oldest.value;
    struct verdict v = verdict(OK, t->selected);
    value_of(&v, t->oldest.value);
    if (compares(age, check->operator, check->threshold)) {
        say(&v.reason, "oldest is %s old", shown_seconds(age, old));
        return v;
    }
    v.outcome = VALUE;
    name_series(&v.reason, &t->oldest);
    say(&v.reason, " is %s old, must be %s %s", shown_seconds(age, old),
        operator_sign(check->operator), shown_seconds(check->threshold, allowed));
    return v;
}

static struct verdict ratio(const struct check *check, const struct tally *a) {
    const struct tally *b = a + 1;
    struct verdict v;
    if (trouble(a, &v) && (v.outcome == UNPARSABLE || !check->or_empty)) return v;
    if (trouble(b, &v)) return v;
    size_t series = a->selected + b->selected;
    if (a->not_a_number.there) return not_a_number(a, series);
    if (b->not_a_number.there) return not_a_number(b, series);
    if (b->sum != 0) return compared(check, a->sum / b->sum, series);
    bool fine = check->or_empty && a->sum == 0;
    v = verdict(fine ? OK : EMPTY, series);
    say(&v.reason, fine ? "nothing to judge yet" : "the second sum is 0, nothing to divide by");
    return v;
}

/* Interpolates as histogram_quantile does, except that it never turns +Inf into a finite bound. */
static double ranked(const struct bucket *buckets, double rank) {
    size_t i = 0;
    while (buckets[i].count == 0 || buckets[i].count < rank) i++;
    if (isinf(buckets[i].bound) || (i == 0 && buckets[i].bound <= 0)) return buckets[i].bound;
    double low = i ? buckets[i - 1].bound : 0, before = i ? buckets[i - 1].count : 0;
    return low + (buckets[i].bound - low) * ((rank - before) / (buckets[i].count - before));
}

/* Over the buckets of all series added up, as `sum by (le)`; a rank in the last bucket is +Inf. */
static struct verdict quantile(const struct check *check, const struct tally *t) {
    struct verdict v = verdict(UNPARSABLE, t->selected);
    if (t->broken.size) {
        v.reason = t->broken;
        return v;
    }
    if (t->not_a_number.there) return not_a_number(t, t->selected);
    const struct bucket *last = &t->buckets[t->buckets_used - 1];
    if (!isinf(last->bound) || last->bound < 0) {
        say(&v.reason, "no bucket le=\"+Inf\"");
        return v;
    }
    double before = 0;
    for (size_t i = 0; i < t->buckets_used; i++) {
        if (t->buckets[i].series != last->series) {
            say(&v.reason, "the series have different buckets");
            return v;
        }
    }
    for (size_t i = 0; i < t->buckets_used; i++) {
        if (t->buckets[i].count < before) {
            say(&v.reason, "the buckets are not cumulative");
            return v;
        }
        before = t->buckets[i].count;
    }
    if (last->count == 0) {
        v.outcome = check->or_empty ? OK : EMPTY;
        say(&v.reason, check->or_empty ? "nothing to judge yet" : "no observations");
        return v;
    }
    return compared(check, ranked(t->buckets, check->q * last->count), t->selected);
}

static double process_start(const struct tallies *all) {
    const struct tally *t = &all->each[all->count - 1];
    return t->first.there && !t->bad[0] && !isnan(t->first.value) ? t->first.value : 0;
}

/* Whether the sum has grown within the window; a first look or a restart begins a new window. */
static struct verdict increases(const struct check *check, const struct tally *t,
                                const struct tallies *all, const struct clock *clock,
                                struct state *state) {
    char total[NUMBER_SIZE], still[NUMBER_SIZE], allowed[NUMBER_SIZE];
    struct record r;
    double start = process_start(all);
    if (t->not_a_number.there) return not_a_number(t, t->selected);
    bool found = state_take(state, check->text, &r);
    bool known = found && r.start == start && t->sum >= r.value && r.since <= clock->monotonic;
    struct verdict v = verdict(OK, t->selected);
    value_of(&v, t->sum);
    shown(t->sum, total);
    const char *sum = shown(t->sum, total);
    if (!known || t->sum > r.value) {
        say(&v.reason, known ? "has grown to %s" : "is %s, first look", sum);
        r.value = t->sum;
        r.since = clock->monotonic;
        r.start = start;
        state_put(state, &r);
        return v;
    }
    state_put(state, &r);
    double unchanged = clock->monotonic - r.since;
    if (unchanged <= check->threshold) {
        say(&v.reason, "is %s, unchanged for %s", sum, shown_seconds(unchanged, still));
        return v;
    }
    v.outcome = VALUE;
    say(&v.reason, "has stayed at %s for %s, must increase within %s", sum,
        shown_seconds(unchanged, still), shown_seconds(check->threshold, allowed));
    return v;
}

struct verdict judge(const struct check *check, const struct tally *tally,
                     const struct tallies *all, const struct clock *clock, struct state *state) {
    struct verdict v;
    if (check->kind == KIND_ABSENT) return absent(tally, all);
    if (check->kind == KIND_RATIO) return ratio(check, tally);
    if (trouble(tally, &v)) return v;
    switch (check->kind) {
    case KIND_PRESENT:
        return counted(tally);
    case KIND_FRESH:
        return fresh(check, tally, clock);
    case KIND_QUANTILE:
        return quantile(check, tally);
    case KIND_INCREASES:
        return increases(check, tally, all, clock, state);
    case KIND_ALL:
    case KIND_ANY:
    case KIND_NONE:
        return quantified(check, tally);
    default:
        return aggregated(check, tally);
    }
}
