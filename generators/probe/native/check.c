/* The grammar of checks. */
#include "check.h"

#include <math.h>

static const char *const kinds[] = {
    "all",   "any",    "none",    "count",    "sum",   "min",       "max",
    "avg",   "fresh",  "absent",  "present",  "quantile", "ratio",  "increases",
};
static const char *const signs[] = {"", "==", "!=", ">=", "<=", ">", "<"};

const char *kind_name(enum kind kind) {
    return kinds[kind];
}

const char *operator_sign(enum operator operator) {
    return signs[operator];
}

bool compares(double value, enum operator operator, double other) {
    if (isnan(value)) return false;
    switch (operator) {
    case EQUAL:
        return value == other;
    case DIFFERS:
        return value != other;
    case AT_LEAST:
        return value >= other;
    case AT_MOST:
        return value <= other;
    case ABOVE:
        return value > other;
    case BELOW:
        return value < other;
    default:
        return false;
    }
}

struct parser {
    struct text text;
    size_t at;
    struct reason *why;
};

static bool fail(struct parser *p, const char *expected) {
    say(p->why, "%s expected at byte %zu of the check", expected, p->at + 1);
    return false;
}

/* The next character that is not blank, 0 at the end. */
static char blanks(struct parser *p) {
    while (p->at < p->text.size && is_blank(p->text.at[p->at])) p->at++;
    return p->at < p->text.size ? p->text.at[p->at] : 0;
}

static struct text rest(struct parser *p) {
    return (struct text){p->text.at + p->at, p->text.size - p->at};
}

static bool take(struct parser *p, const char *mark) {
    blanks(p);
    if (!begins(rest(p), mark)) return false;
    p->at += strlen(mark);
    return true;
}

static bool need(struct parser *p, const char *mark) {
    return take(p, mark) || fail(p, mark);
}

static bool word(struct parser *p, bool (*belongs)(char), struct text *into, const char *what) {
    blanks(p);
    size_t start = p->at;
    while (p->at < p->text.size && belongs(p->text.at[p->at])) p->at++;
    *into = (struct text){p->text.at + start, p->at - start};
    if (into->size == 0 || is_digit(into->at[0])) {
        p->at = start;
        return fail(p, what);
    }
    return true;
}

static bool quoted(struct parser *p, struct text *into) {
    char quote = blanks(p);
    if (quote != '"' && quote != '\'') return fail(p, "a quoted text");
    p->at++;
    char *out = kept(p->text.size - p->at);
    if (!out) {
        say(p->why, "the checks are too long together");
        return false;
    }
    size_t size = 0;
    while (p->at < p->text.size) {
        char c = p->text.at[p->at++];
        if (c == quote) {
            *into = (struct text){out, size};
            return true;
        }
        if (c == '\\' && p->at < p->text.size) {
            char next = p->text.at[p->at];
            /* Any other escape stays as it is, so that "\d" need not be written "\\d". */
            if (next == '\\' || next == '"' || next == '\'' || next == 'n') {
                p->at++;
                c = next == 'n' ? '\n' : next;
            }
        }
        out[size++] = c;
    }
    return fail(p, "a closing quote");
}

static bool comma(struct parser *p) {
    return take(p, ",") || blanks(p) == '}' || fail(p, ", or }");
}

static bool matcher_operator(struct parser *p, struct matcher *m) {
    if (take(p, "=~")) {
        m->is_regex = true;
    } else if (take(p, "!~")) {
        m->is_regex = m->negated = true;
    } else if (take(p, "!=")) {
        m->negated = true;
    } else if (!take(p, "=")) {
        return fail(p, "= != =~ or !~");
    }
    return true;
}

static bool matchers(struct parser *p, struct selector *into) {
    while (!take(p, "}")) {
        struct matcher m = {0};
        char next = blanks(p);
        if (next == '"' || next == '\'') {
            if (!quoted(p, &m.label)) return false;
            next = blanks(p);
            if (into->name.size == 0 && m.label.size && (next == ',' || next == '}')) {
                into->name = m.label;
                if (!comma(p)) return false;
                continue;
            }
        } else if (!word(p, is_label_char, &m.label, "a label name")) {
            return false;
        }
        if (!matcher_operator(p, &m) || !quoted(p, &m.value)) return false;
        if (into->count >= MAX_MATCHERS) {
            say(p->why, "more than %d label matchers", MAX_MATCHERS);
            return false;
        }
        if (m.is_regex && !regex_compile(m.value, &m.regex, p->why)) return false;
        into->matchers[into->count++] = m;
        if (!comma(p)) return false;
    }
    return true;
}

static bool selector(struct parser *p, struct selector *into) {
    char first = blanks(p);
    size_t start = p->at;
    if (first != '{' && !word(p, is_name_char, &into->name, "a metric name")) return false;
    size_t end = p->at;
    if (take(p, "{")) {
        if (!matchers(p, into)) return false;
        end = p->at;
    }
    if (into->name.size == 0) return fail(p, "a metric name");
    into->text = (struct text){p->text.at + start, end - start};
    return true;
}

static struct text token(struct parser *p) {
    blanks(p);
    size_t end = p->at;
    while (end < p->text.size && !memchr(" \t),", p->text.at[end], 4)) end++;
    return (struct text){p->text.at + p->at, end - p->at};
}

static bool a_number(struct parser *p, double *into) {
    struct text digits = token(p);
    if (!number(digits, into) || isnan(*into)) return fail(p, "a number");
    p->at += digits.size;
    return true;
}

static bool a_duration(struct parser *p, double *into) {
    struct text digits = token(p);
    if (!duration(digits, into)) return fail(p, "a duration such as 300s");
    p->at += digits.size;
    return true;
}

static bool an_operator(struct parser *p, enum operator *into) {
    for (int i = EQUAL; i <= BELOW; i++) {
        if (take(p, signs[i])) {
            *into = (enum operator) i;
            return true;
        }
    }
    return fail(p, "a comparison");
}

static bool function(struct parser *p, enum kind *into) {
    blanks(p);
    const char *open = memchr(rest(p).at, '(', rest(p).size);
    if (!open) return false;
    struct text name = {rest(p).at, (size_t)(open - rest(p).at)};
    while (name.size && is_blank(name.at[name.size - 1])) name.size--;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (is(name, kinds[i])) {
            *into = (enum kind)i;
            p->at = (size_t)(open - p->text.at) + 1;
            return true;
        }
    }
    return false;
}

static bool called(struct parser *p, struct check *c) {
    if (c->kind == KIND_QUANTILE) {
        if (!a_number(p, &c->q)) return false;
        if (!(c->q >= 0 && c->q <= 1)) {
            say(p->why, "a quantile is between 0 and 1");
            return false;
        }
        if (!need(p, ",")) return false;
    }
    if (!selector(p, &c->a)) return false;
    for (size_t i = 0; c->kind == KIND_QUANTILE && i < c->a.count; i++) {
        if (is(c->a.matchers[i].label, "le")) {
            say(p->why, "a quantile reads every bucket: leave out the label le");
            return false;
        }
    }
    if (c->kind == KIND_RATIO && (!need(p, ",") || !selector(p, &c->b))) return false;
    if (c->kind == KIND_COUNT && blanks(p) != ')'
        && (!an_operator(p, &c->inner) || !a_number(p, &c->inner_at))) {
        return false;
    }
    return need(p, ")");
}

static bool condition(struct parser *p, struct check *c) {
    if (c->kind == KIND_ABSENT || c->kind == KIND_PRESENT) return true;
    if (c->kind == KIND_INCREASES) return need(p, "within") && a_duration(p, &c->threshold);
    size_t start = p->at;
    if (!an_operator(p, &c->operator)) return false;
    if (c->kind == KIND_FRESH) {
        if (c->operator != BELOW && c->operator != AT_MOST) {
            p->at = start;
            blanks(p);
            return fail(p, "< or <=");
        }
        return a_duration(p, &c->threshold);
    }
    if (!a_number(p, &c->threshold)) return false;
    if ((c->kind == KIND_QUANTILE || c->kind == KIND_RATIO) && take(p, "or")) {
        c->or_empty = true;
        return need(p, "empty");
    }
    return true;
}

bool check_parse(struct text text, struct check *into, struct reason *why) {
    struct parser p = {text, 0, why};
    memset(into, 0, sizeof *into);
    into->text = text;
    if (text.size > MAX_CHECK) {
        say(why, "the check is longer than %d bytes", MAX_CHECK);
        return false;
    }
    if (!is_utf8(text)) {
        say(why, "the check is not valid UTF-8");
        return false;
    }
    bool is_call = function(&p, &into->kind);
    if (!(is_call ? called(&p, into) : selector(&p, &into->a)) || !condition(&p, into)) return false;
    return (blanks(&p) == 0 && p.at >= text.size) || fail(&p, "the end");
}

void check_explain(const struct check *c, struct reason *to) {
    char digits[NUMBER_SIZE];
    say(to, "%s(", kinds[c->kind]);
    if (c->kind == KIND_QUANTILE) say(to, "%s, ", shown(c->q, digits));
    say_text(to, c->a.text);
    if (c->kind == KIND_RATIO) {
        say(to, ", ");
        say_text(to, c->b.text);
    }
    if (c->inner) say(to, " %s %s", signs[c->inner], shown(c->inner_at, digits));
    say(to, ")");
    if (c->kind == KIND_ABSENT || c->kind == KIND_PRESENT) return;
    if (c->kind == KIND_INCREASES) {
        say(to, " within %s", shown_seconds(c->threshold, digits));
    } else if (c->kind == KIND_FRESH) {
        say(to, " %s %s", signs[c->operator], shown_seconds(c->threshold, digits));
    } else {
        say(to, " %s %s", signs[c->operator], shown(c->threshold, digits));
        if (c->or_empty) say(to, " or empty");
    }
}
