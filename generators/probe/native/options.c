/* The command line; `--name value` and `--name=value` are the same. */
#include "options.h"

#include <math.h>

struct reader {
    struct options *options;
    struct reason *why;
    size_t count;
    struct {
        const char *text;
        enum { PLAIN, UP, FRESH } kind;
    } checks[MAX_CHECKS];
    double fresh_for;
};

enum field {
    URL,
    CHECK,
    CHECK_UP,
    CHECK_FRESH,
    FRESH_FOR,
    TIMEOUT,
    MAX_BYTES,
    RETRIES,
    RETRY_DELAY,
    SKEW,
    TOKEN_FILE,
    HEADER,
    STATE_FILE,
    NOW,
    FOR_TLS,
};

static const struct {
    const char *name;
    enum field field;
} values[] = {
    {"--url", URL},
    {"--check", CHECK},
    {"--check-up", CHECK_UP},
    {"--check-fresh", CHECK_FRESH},
    {"--fresh-for", FRESH_FOR},
    {"--timeout", TIMEOUT},
    {"--max-bytes", MAX_BYTES},
    {"--retries", RETRIES},
    {"--retry-delay", RETRY_DELAY},
    {"--max-future-skew", SKEW},
    {"--bearer-token-file", TOKEN_FILE},
    {"--header", HEADER},
    {"--state", STATE_FILE},
    {"--now", NOW},
    {"--ca-file", FOR_TLS},
    {"--cert-file", FOR_TLS},
    {"--key-file", FOR_TLS},
};

static bool fail(struct reader *r, const char *name, const char *what) {
    say(r->why, "%s %s", name, what);
    return false;
}

static bool add_check(struct reader *r, const char *text, int kind) {
    if (r->count >= MAX_CHECKS) {
        say(r->why, "more than %d checks", MAX_CHECKS);
        return false;
    }
    r->checks[r->count].text = text;
    r->checks[r->count++].kind = kind;
    return true;
}

static bool seconds(struct reader *r, const char *name, const char *value, double *into) {
    return duration(text_of(value), into)
        || fail(r, name, "must be a duration above zero such as 2s or 500ms");
}

static bool header_is_ours(struct text name) {
    static const char *const ours[] = {"host", "connection", "content-length", "transfer-encoding",
                                       "accept-encoding"};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        size_t k = 0;
        while (k < name.size && ours[i][k] && (name.at[k] | 0x20) == (ours[i][k] | 0x20)) k++;
        if (k == name.size && !ours[i][k]) return true;
    }
    return false;
}

static bool header(struct reader *r, const char *value) {
    const char *colon = strchr(value, ':');
    struct text name = {value, colon ? (size_t)(colon - value) : 0};
    struct text text = text_of(colon ? colon + 1 : "");
    bool fine = name.size > 0 && !header_is_ours(name);
    for (size_t i = 0; i < name.size; i++) fine &= is_label_char(name.at[i]) || name.at[i] == '-';
    for (size_t i = 0; i < text.size; i++) fine &= text.at[i] >= 0x20 && text.at[i] < 0x7F;
    if (!fine) {
        say(r->why, "--header must be 'Name: value' in ASCII, and no header of the connection");
        return false;
    }
    if (r->options->header_count >= MAX_HEADERS || strlen(value) > 4096) {
        say(r->why, "--header: at most %d of at most 4096 bytes", MAX_HEADERS);
        return false;
    }
    r->options->headers[r->options->header_count++] = text_of(value);
    return true;
}

static bool set(struct reader *r, enum field field, const char *name, const char *value) {
    struct options *o = r->options;
    switch (field) {
    case CHECK:
        return add_check(r, value, PLAIN);
    case CHECK_UP:
        return add_check(r, value, UP);
    case CHECK_FRESH:
        return add_check(r, value, FRESH);
    case FRESH_FOR:
        return seconds(r, name, value, &r->fresh_for);
    case TIMEOUT:
        return seconds(r, name, value, &o->timeout);
    case RETRY_DELAY:
        return seconds(r, name, value, &o->retry_delay);
    case SKEW:
        return seconds(r, name, value, &o->skew);
    case MAX_BYTES:
        return whole(text_of(value), 12, &o->max_bytes) || fail(r, name, "must be a whole number");
    case RETRIES:
        return whole(text_of(value), 12, &o->retries) || fail(r, name, "must be a whole number");
    case HEADER:
        return header(r, value);
    case NOW:
        o->has_now = true;
        return (number(text_of(value), &o->now) && isfinite(o->now))
            || fail(r, name, "must be a number");
    default:
        if (!*value) return fail(r, name, "needs a value");
        if (field == URL) o->url = text_of(value);
        if (field == TOKEN_FILE) o->token_file = value;
        if (field == STATE_FILE) o->state_file = value;
        return true;
    }
}

static bool flag(struct options *o, const char *name) {
    static const char *const names[] = {"-v", "--verbose", "--json", "--explain", "--no-select",
                                        "--insecure"};
    size_t i = 0;
    while (i < 6 && strcmp(name, names[i]) != 0) i++;
    if (i == 6) return false;
    if (i <= 1) o->verbose = true;
    if (i == 2) o->json = true;
    if (i == 3) o->explain = true;
    if (i == 4) o->select = false;
    return true;
}

/* Takes one option and its values from the arguments; sets *at behind them. */
static bool option(struct reader *r, int count, char **arguments, int *at) {
    const char *argument = arguments[(*at)++];
    if (flag(r->options, argument)) return true;
    const char *equals = strchr(argument, '=');
    struct text name = {argument, equals ? (size_t)(equals - argument) : strlen(argument)};
    size_t i = 0, known = sizeof values / sizeof values[0];
    while (i < known && !is(name, values[i].name)) i++;
    if (i == known) {
        say(r->why, "unknown option ");
        say_printable(r->why, name);
        return false;
    }
    if (!equals && *at >= count) return fail(r, values[i].name, "needs a value");
    if (!set(r, values[i].field, values[i].name, equals ? equals + 1 : arguments[(*at)++])) {
        return false;
    }
    bool many = values[i].field == CHECK_UP || values[i].field == CHECK_FRESH;
    while (many && *at < count && arguments[*at][0] != '-') {
        if (!set(r, values[i].field, values[i].name, arguments[(*at)++])) return false;
    }
    return true;
}

static bool joined(const char *a, const char *b, const char *c, struct text *into) {
    size_t size = strlen(a) + strlen(b) + strlen(c);
    char *at = kept(size);
    if (!at) return false;
    memcpy(at, a, strlen(a));
    memcpy(at + strlen(a), b, strlen(b));
    memcpy(at + strlen(a) + strlen(b), c, strlen(c));
    *into = (struct text){at, size};
    return true;
}

static bool parse_check(struct reader *r, size_t i) {
    /* --fresh-for counts wherever it stands, hence here. */
    char digits[NUMBER_SIZE], window[NUMBER_SIZE + 8] = ") <= ";
    struct text text = text_of(r->checks[i].text);
    bool kept_it = true;
    strncat(window, shown_seconds(r->fresh_for, digits), NUMBER_SIZE);
    if (text.size <= MAX_CHECK && r->checks[i].kind == UP) {
        kept_it = joined("", r->checks[i].text, " >= 1", &text);
    } else if (text.size <= MAX_CHECK && r->checks[i].kind == FRESH) {
        kept_it = joined("fresh(", r->checks[i].text, window, &text);
    }
    if (!kept_it) {
        say(r->why, "the checks are too long together");
        return false;
    }
    if (check_parse(text, &r->options->checks[i], r->why)) return true;
    say(r->why, ": ");
    if (is_utf8(text)) {
        say_cut(r->why, text);
    } else {
        say_printable(r->why, text);
    }
    return false;
}

static bool has(int count, char **arguments, const char *a, const char *b) {
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], a) == 0 || strcmp(arguments[i], b) == 0) return true;
    }
    return false;
}

bool options_parse(int count, char **arguments, struct options *o, struct reason *why) {
    static struct reader r;
    bool remembers = false;
    r.options = o;
    r.why = why;
    r.fresh_for = 300;
    o->url = text_of("http://localhost:8091");
    o->timeout = 2;
    o->retry_delay = 0.1;
    o->skew = 30;
    o->max_bytes = 32 * 1024 * 1024;
    o->select = true;
    o->json = has(count, arguments, "--json", "--json");
    o->agent = count > 0 && strcmp(arguments[0], "agent") == 0;
    o->help = has(count, arguments, "-h", "--help");
    o->version = has(count, arguments, "-V", "--version");
    if (o->agent || o->help || o->version) return true;
    for (int at = 0; at < count;) {
        if (!option(&r, count, arguments, &at)) return false;
    }
    if (!source_parse(o->url, &o->source, why)) return false;
    for (size_t i = 0; i < r.count; i++) {
        if (!parse_check(&r, i)) return false;
        o->count++;
        remembers |= o->checks[i].kind == KIND_INCREASES;
    }
    if (o->count == 0) {
        say(why, "no checks given: nothing would be checked and all would look well");
        return false;
    }
    if (remembers && !o->state_file) {
        say(why, "increases(..) needs --state FILE to remember what it saw");
        return false;
    }
    return true;
}
