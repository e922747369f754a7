/* One line of an exposition: text 0.0.4, OpenMetrics and quoted UTF-8 names. */
#include "line.h"

#include <math.h>

struct parser {
    struct text line;
    size_t at;
    const char **why;
};

/* Unescaped texts; together they are shorter than the line. */
static char scratch[MAX_LINE];
static size_t scratch_used;

static bool fail(struct parser *p, const char *why) {
    *p->why = why;
    return false;
}

static char blanks(struct parser *p) {
    while (p->at < p->line.size && is_blank(p->line.at[p->at])) p->at++;
    return p->at < p->line.size ? p->line.at[p->at] : 0;
}

static struct text word(struct parser *p, bool (*belongs)(char)) {
    size_t start = p->at, at = start;
    while (at < p->line.size && belongs(p->line.at[at])) at++;
    if (at > start && is_digit(p->line.at[start])) at = start;
    p->at = at;
    return (struct text){p->line.at + start, at - start};
}

static bool quoted(struct parser *p, struct text *into) {
    const char *from = p->line.at + p->at + 1;
    size_t left = p->line.size - p->at - 1;
    const char *end = memchr(from, '"', left);
    if (!end) return fail(p, "a quote is not closed");
    if (!memchr(from, '\\', (size_t)(end - from))) {
        *into = (struct text){from, (size_t)(end - from)};
        p->at += (size_t)(end - from) + 2;
        return true;
    }
    char *out = scratch + scratch_used;
    size_t size = 0, i = 0;
    while (i < left) {
        char c = from[i++];
        if (c == '"') {
            *into = (struct text){out, size};
            scratch_used += size;
            p->at += i + 1;
            return true;
        }
        if (c == '\\' && i < left && (from[i] == '\\' || from[i] == '"' || from[i] == 'n')) {
            c = from[i] == 'n' ? '\n' : from[i];
            i++;
        }
        out[size++] = c;
    }
    return fail(p, "a quote is not closed");
}

static bool separator(struct parser *p) {
    char mark = blanks(p);
    if (mark == ',') {
        p->at++;
        return true;
    }
    return mark == '}' || fail(p, ", or } expected");
}

static bool add(struct parser *p, struct sample *into, struct text name, struct text value) {
    for (size_t i = 0; i < into->count; i++) {
        if (same(into->labels[i].name, name)) return fail(p, "the same label twice");
    }
    if (into->count >= MAX_LABELS) return fail(p, "too many labels");
    into->labels[into->count++] = (struct label){name, value};
    return true;
}

/* Labels up to and with the closing brace; a quoted text without = is the metric name. */
static bool braces(struct parser *p, struct sample *into, bool named) {
    while (blanks(p) != '}') {
        struct text label, value;
        if (blanks(p) == '"') {
            if (!quoted(p, &label)) return false;
            if (blanks(p) != '=') {
                if (!named || into->name.size || label.size == 0) return fail(p, "= expected");
                into->name = label;
                if (!separator(p)) return false;
                continue;
            }
        } else {
            label = word(p, is_label_char);
        }
        if (label.size == 0) return fail(p, "label name expected");
        if (blanks(p) != '=') return fail(p, "= expected");
        p->at++;
        if (blanks(p) != '"') return fail(p, "quoted label value expected");
        if (!quoted(p, &value) || !add(p, into, label, value) || !separator(p)) return false;
    }
    p->at++;
    return true;
}

static struct text token(struct parser *p) {
    blanks(p);
    size_t start = p->at;
    while (p->at < p->line.size && !is_blank(p->line.at[p->at])) p->at++;
    return (struct text){p->line.at + start, p->at - start};
}

static bool timestamp(struct parser *p) {
    char next = blanks(p);
    double value;
    if (next == 0 || next == '#') return true;
    if (!number(token(p), &value) || !isfinite(value)) return fail(p, "bad timestamp");
    return true;
}

static bool exemplar(struct parser *p) {
    static struct sample unused;
    double value;
    p->at++;
    if (blanks(p) != '{') return fail(p, "bad exemplar");
    p->at++;
    unused.count = 0;
    if (!braces(p, &unused, false)) return false;
    struct text digits = token(p);
    if (digits.size == 0) return fail(p, "exemplar value expected");
    if (!number(digits, &value)) return fail(p, "bad exemplar value");
    return timestamp(p);
}

bool line_parse(struct text line, struct sample *into, const char **why) {
    struct parser p = {line, 0, why};
    into->name = (struct text){line.at, 0};
    into->count = 0;
    scratch_used = 0;
    if (line.size > MAX_LINE) return fail(&p, "longer than 65536 bytes");
    if (!is_utf8(line)) return fail(&p, "not UTF-8");
    char first = blanks(&p);
    size_t start = p.at;
    if (first != '{') {
        into->name = word(&p, is_name_char);
        if (into->name.size == 0) return fail(&p, "metric name expected");
    }
    size_t end = p.at;
    if (blanks(&p) == '{') {
        p.at++;
        if (!braces(&p, into, true)) return false;
        end = p.at;
    } else if (end == p.at && end < line.size) {
        return fail(&p, "blank expected after the metric name");
    }
    if (into->name.size == 0) return fail(&p, "metric name expected");
    into->series = (struct text){line.at + start, end - start};
    struct text digits = token(&p);
    if (digits.size == 0) return fail(&p, "value expected");
    if (!number(digits, &into->value)) return fail(&p, "bad value");
    if (!timestamp(&p)) return false;
    if (blanks(&p) == '#' && !exemplar(&p)) return false;
    blanks(&p);
    return p.at >= line.size || fail(&p, "text after the value");
}

struct text label_of(const struct sample *sample, struct text name) {
    for (size_t i = 0; i < sample->count; i++) {
        if (same(sample->labels[i].name, name)) return sample->labels[i].value;
    }
    return (struct text){"", 0};
}
