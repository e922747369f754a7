/* What the samples of one selector come to, kept while the exposition streams by. */
#include "tally.h"

#include <math.h>
#include <stdio.h>

void tally_add(struct tallies *t, const struct check *check, const struct selector *selector,
               struct text name) {
    struct tally *each = &t->each[t->count++];
    memset(each, 0, sizeof *each);
    each->check = check;
    each->selector = selector;
    each->name = name;
    /* Quoted names hold these three escapes and no others, so there is one way to write each name. */
    for (size_t i = 0; i < name.size; i++) {
        if (name.at[i] == '\n') {
            say(&each->needle, "\\n");
        } else {
            if (name.at[i] == '\\' || name.at[i] == '"') say(&each->needle, "\\");
            say_text(&each->needle, (struct text){name.at + i, 1});
        }
    }
}

void tallies_clear(struct tallies *t) {
    t->has_samples = false;
    t->line_number = 0;
    for (size_t i = 0; i < t->count; i++) {
        struct tally *each = &t->each[i];
        each->named = each->selected = each->fine = each->buckets_used = 0;
        each->bad[0] = 0;
        each->first.there = each->not_a_number.there = each->failing.there = false;
        each->oldest.there = each->newest.there = false;
        each->sum = 0;
        each->least = INFINITY;
        each->most = -INFINITY;
        each->broken.size = 0;
    }
}

static void remember(struct witness *w, const struct sample *s) {
    w->there = true;
    w->value = s->value;
    w->size = s->series.size < sizeof w->series ? s->series.size : sizeof w->series;
    memcpy(w->series, s->series.at, w->size);
}

static bool selects(const struct selector *selector, const struct sample *s) {
    for (size_t i = 0; i < selector->count; i++) {
        const struct matcher *m = &selector->matchers[i];
        struct text value = label_of(s, m->label);
        bool matches = m->is_regex ? regex_matches(&m->regex, value) : same(value, m->value);
        if (matches == m->negated) return false;
    }
    return true;
}

static void broken(struct tally *t, const struct sample *s, const char *why) {
    if (t->broken.size || t->not_a_number.there) return;
    if (s) say_cut(&t->broken, s->series);
    say(&t->broken, "%s", why);
}

static void add_bucket(struct tally *t, const struct sample *s) {
    double bound;
    size_t i = 0;
    if (!number(label_of(s, text_of("le")), &bound) || isnan(bound)) {
        broken(t, s, " has no usable label le");
        return;
    }
    if (isnan(s->value)) {
        if (!t->broken.size && !t->not_a_number.there) remember(&t->not_a_number, s);
        return;
    }
    /* Kept in order; expositions are, so this is a look at the last one. */
    for (i = t->buckets_used; i > 0 && t->buckets[i - 1].bound > bound; i--) {
    }
    if (i > 0 && t->buckets[i - 1].bound == bound) {
        t->buckets[i - 1].count += s->value;
        t->buckets[i - 1].series++;
        return;
    }
    if (t->buckets_used == MAX_BUCKETS) {
        broken(t, NULL, "more than 256 buckets");
        return;
    }
    memmove(t->buckets + i + 1, t->buckets + i, (t->buckets_used - i) * sizeof t->buckets[0]);
    t->buckets[i] = (struct bucket){bound + 0.0, s->value, 1};
    t->buckets_used++;
}

static bool is_trouble(const struct check *check, double value) {
    if (check->kind == KIND_ALL) return !compares(value, check->operator, check->threshold);
    return check->kind == KIND_NONE && compares(value, check->operator, check->threshold);
}

static void count_sample(struct tally *t, const struct sample *s) {
    double value = s->value;
    t->selected++;
    if (!t->first.there) remember(&t->first, s);
    if (!t->check) return;
    if (t->check->kind == KIND_QUANTILE) {
        add_bucket(t, s);
        return;
    }
    if (isnan(value)) {
        if (!t->not_a_number.there && !t->failing.there) remember(&t->not_a_number, s);
    } else if (!t->not_a_number.there && !t->failing.there && is_trouble(t->check, value)) {
        remember(&t->failing, s);
    }
    if (t->check->kind == KIND_COUNT) {
        t->fine += !t->check->inner || compares(value, t->check->inner, t->check->inner_at);
    } else {
        t->fine += compares(value, t->check->operator, t->check->threshold);
    }
    t->sum += value;
    if (value < t->least) t->least = value;
    if (value > t->most) t->most = value;
    if (t->check->kind != KIND_FRESH) return;
    if (!t->oldest.there || value < t->oldest.value) remember(&t->oldest, s);
    if (!t->newest.there || value > t->newest.value) remember(&t->newest, s);
}

static bool holds(struct text line, struct text needle) {
    /* In quotes, so one more on each side. */
    for (size_t i = 1; i + needle.size < line.size; i++) {
        if (line.at[i - 1] == '"' && line.at[i + needle.size] == '"'
            && memcmp(line.at + i, needle.at, needle.size) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether a line that begins so may be about the name. */
static bool concerns(const struct tally *t, struct text line) {
    if (line.at[0] == '{') return true;
    size_t size = t->needle.size;
    return line.size >= size && memcmp(line.at, t->needle.at, size) == 0
        && (line.size == size || !is_name_char(line.at[size]));
}

void tallies_line(struct tallies *t, struct text line) {
    static struct sample sample;
    const char *why = NULL;
    bool parsed = false, fine = false;
    struct text trimmed = line;
    t->line_number++;
    while (trimmed.size && is_blank(trimmed.at[0])) {
        trimmed.at++;
        trimmed.size--;
    }
    if (trimmed.size == 0 || trimmed.at[0] == '#') return;
    t->has_samples = true;
    for (size_t i = 0; i < t->count; i++) {
        struct tally *each = &t->each[i];
        if (!concerns(each, trimmed)) continue;
        if (!parsed) fine = line_parse(line, &sample, &why);
        parsed = true;
        if (!fine) {
            struct text needle = {each->needle.at, each->needle.size};
            if (each->bad[0] || (trimmed.at[0] == '{' && !holds(trimmed, needle))) continue;
            snprintf(each->bad, sizeof each->bad, "line %zu: %s", t->line_number, why);
        } else if (same(sample.name, each->name)) {
            each->named++;
            if (!each->selector || selects(each->selector, &sample)) count_sample(each, &sample);
        }
    }
}
