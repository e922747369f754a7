/* Compiles regular expressions: the common core of RE2. */
#include "regex_code.h"

struct instruction regex_pool[MAX_PROGRAMS];
static size_t pool_used;
struct set regex_sets[MAX_ALL_SETS];
static size_t sets_used;

/* The code grows at the end of the pool; a fragment is known by where it begins. */
struct compiler {
    struct text source;
    size_t at;
    size_t begun;
    size_t first_set;
    int depth;
    struct reason *why;
};

static bool alternatives(struct compiler *c);

static bool fail(struct compiler *c, const char *why) {
    if (c->why->size == 0) say(c->why, "%s", why);
    return false;
}

static bool too_large(struct compiler *c) {
    return fail(c, "the regular expression is too large");
}

static bool room(struct compiler *c, size_t size) {
    /* One is kept for the final MATCH. */
    if (pool_used - c->begun + size >= MAX_PROGRAM || pool_used + size >= MAX_PROGRAMS) {
        return too_large(c);
    }
    return true;
}

static bool emit(struct compiler *c, enum kind kind, int x, int y, uint32_t point) {
    if (!room(c, 1)) return false;
    regex_pool[pool_used++] = (struct instruction){(uint8_t)kind, (int16_t)x, (int16_t)y, point};
    return true;
}

static bool insert(struct compiler *c, size_t where, enum kind kind, int x, int y) {
    if (!room(c, 1)) return false;
    memmove(regex_pool + where + 1, regex_pool + where, (pool_used - where) * sizeof regex_pool[0]);
    regex_pool[where] = (struct instruction){(uint8_t)kind, (int16_t)x, (int16_t)y, 0};
    pool_used++;
    return true;
}

static bool copy(struct compiler *c, size_t from, size_t size) {
    if (!room(c, size)) return false;
    memmove(regex_pool + pool_used, regex_pool + from, size * sizeof regex_pool[0]);
    pool_used += size;
    return true;
}

static int peek(struct compiler *c) {
    return c->at < c->source.size ? (unsigned char)c->source.at[c->at] : -1;
}

static bool new_set(struct compiler *c, struct set **into) {
    if (sets_used - c->first_set >= MAX_SETS || sets_used >= MAX_ALL_SETS) return too_large(c);
    *into = &regex_sets[sets_used];
    memset(*into, 0, sizeof **into);
    if (!emit(c, SET, (int)(sets_used - c->first_set), 0, 0)) return false;
    sets_used++;
    return true;
}

static bool add_range(struct compiler *c, struct set *set, uint32_t low, uint32_t high) {
    if (set->count >= MAX_RANGES) return too_large(c);
    set->low[set->count] = low;
    set->high[set->count++] = high;
    return true;
}

/* Adds \d, \w or \s; 0 where the letter is none of them, -1 where there is no room. */
static int add_class(struct compiler *c, struct set *set, int letter) {
    bool fine;
    if (letter == 'd') {
        fine = add_range(c, set, '0', '9');
    } else if (letter == 'w') {
        fine = add_range(c, set, '0', '9') && add_range(c, set, 'A', 'Z')
            && add_range(c, set, '_', '_') && add_range(c, set, 'a', 'z');
    } else if (letter == 's') {
        fine = add_range(c, set, '\t', '\n') && add_range(c, set, '\f', '\r')
            && add_range(c, set, ' ', ' ');
    } else {
        return 0;
    }
    return fine ? 1 : -1;
}

static bool literal_escape(struct compiler *c, int letter, uint32_t *point) {
    if (letter == 'n') {
        *point = '\n';
    } else if (letter == 't') {
        *point = '\t';
    } else if (letter == 'r') {
        *point = '\r';
    } else if (letter < 0 || letter >= 0x80 || (letter != '_' && is_label_char((char)letter))) {
        return fail(c, "unknown escape in the regular expression");
    } else {
        *point = (uint32_t)letter;
    }
    return true;
}

static bool escape(struct compiler *c) {
    int letter = peek(c);
    c->at++;
    if (letter == 'd' || letter == 'w' || letter == 's' || letter == 'D' || letter == 'W'
        || letter == 'S') {
        struct set *set;
        if (!new_set(c, &set)) return false;
        set->negated = letter < 'a';
        return add_class(c, set, letter | 0x20) == 1;
    }
    uint32_t point;
    return literal_escape(c, letter, &point) && emit(c, CHAR, 0, 0, point);
}

/* One character of a bracket, or *is_class after adding a class such as \d. */
static bool member(struct compiler *c, struct set *set, uint32_t *point, bool *is_class) {
    *is_class = false;
    if (peek(c) < 0) return fail(c, "missing ] in the regular expression");
    *point = code_point(c->source, &c->at);
    if (*point == '[' && peek(c) == ':') {
        return fail(c, "[:classes:] are not known in the regular expression");
    }
    if (*point != '\\') return true;
    int letter = peek(c);
    c->at++;
    int added = add_class(c, set, letter);
    if (added < 0) return false;
    *is_class = added;
    return added || literal_escape(c, letter, point);
}

static bool bracket(struct compiler *c) {
    struct set *set;
    if (!new_set(c, &set)) return false;
    if (peek(c) == '^') {
        set->negated = true;
        c->at++;
    }
    for (bool first = true; first || peek(c) != ']'; first = false) {
        uint32_t low, high;
        bool is_class;
        if (!member(c, set, &low, &is_class)) return false;
        if (is_class) continue;
        high = low;
        if (peek(c) == '-' && c->at + 1 < c->source.size && c->source.at[c->at + 1] != ']') {
            c->at++;
            if (!member(c, set, &high, &is_class)) return false;
            if (is_class || high < low) return fail(c, "bad range in the regular expression");
        }
        if (!add_range(c, set, low, high)) return false;
    }
    c->at++;
    return true;
}

static bool group(struct compiler *c) {
    if (peek(c) == '?') {
        if (c->at + 1 >= c->source.size || c->source.at[c->at + 1] != ':') {
            return fail(c, "of the (? groups only (?: is known");
        }
        c->at += 2;
    }
    if (!alternatives(c)) return false;
    if (peek(c) != ')') return fail(c, "missing ) in the regular expression");
    c->at++;
    return true;
}

static bool atom(struct compiler *c) {
    int mark = peek(c);
    switch (mark) {
    case '.':
        c->at++;
        return emit(c, ANY, 0, 0, 0);
    case '^':
        c->at++;
        return emit(c, START, 0, 0, 0);
    case '$':
        c->at++;
        return emit(c, END, 0, 0, 0);
    case '(':
        c->at++;
        return group(c);
    case '[':
        c->at++;
        return bracket(c);
    case '\\':
        c->at++;
        return escape(c);
    case '*':
    case '+':
    case '?':
        return fail(c, "nothing to repeat in the regular expression");
    default:
        return emit(c, CHAR, 0, 0, code_point(c->source, &c->at));
    }
}

static bool small(struct text digits, int *value) {
    unsigned long long read;
    if (!whole(digits, 3, &read)) return false;
    *value = (int)read;
    return true;
}

/* How often the atom before may stand: high -1 for any number. */
static bool bounds(struct compiler *c, int *low, int *high) {
    int mark = peek(c);
    *low = *high = 1;
    if (mark == '*' || mark == '+' || mark == '?') {
        *low = mark == '+';
        *high = mark == '?' ? 1 : -1;
        c->at++;
        return true;
    }
    if (mark != '{') return true;
    const char *from = c->source.at + c->at + 1;
    const char *end = memchr(from, '}', c->source.size - c->at - 1);
    if (!end) return true;
    const char *comma = memchr(from, ',', (size_t)(end - from));
    struct text first = {from, (size_t)((comma ? comma : end) - from)};
    int least, most;
    if (!small(first, &least)) return true;
    most = comma ? -1 : least;
    if (comma && comma + 1 < end
        && !small((struct text){comma + 1, (size_t)(end - comma - 1)}, &most)) {
        return true;
    }
    if (least > MAX_REPEAT || most > MAX_REPEAT || (most >= 0 && most < least)) {
        return fail(c, "bad repeat in the regular expression");
    }
    c->at += (size_t)(end - from) + 2;
    *low = least;
    *high = most;
    return true;
}

/* The atom stands at `from`; writes it as often as it is wanted. */
static bool multiply(struct compiler *c, size_t from, int low, int high) {
    size_t size = pool_used - from, times = (size_t)(low > high ? low : high);
    if (times < 1) times = 1;
    if (size * times + 2 * (size_t)(high > 1 ? high : 1) >= MAX_PROGRAM) return too_large(c);
    if (high < 0) {
        /* x{2,} is x x x*: the copies come first, the loop is the last one. */
        for (int i = 0; i < low; i++) {
            if (!copy(c, from, size)) return false;
        }
        size_t loop = pool_used - size;
        return insert(c, loop, SPLIT, 1, (int)size + 2) && emit(c, JUMP, -(int)size - 1, 0, 0);
    }
    /* The first copy is there already; it is put aside when none is required. */
    if (high == 0) {
        pool_used = from;
        return true;
    }
    for (int i = 1; i < low; i++) {
        if (!copy(c, from, size)) return false;
    }
    size_t source = from;
    for (int left = high - low; left > 0; left--) {
        int over = left * ((int)size + 1);
        if (low == 0 && left == high) {
            if (!insert(c, from, SPLIT, 1, over)) return false;
            source = from + 1;
        } else if (!emit(c, SPLIT, 1, over, 0) || !copy(c, source, size)) {
            return false;
        }
    }
    return true;
}

static bool repeated(struct compiler *c) {
    size_t from = pool_used;
    int low, high;
    if (!atom(c) || !bounds(c, &low, &high)) return false;
    if (low == 1 && high == 1) return true;
    if (!multiply(c, from, low, high)) return false;
    if (peek(c) == '?') c->at++;
    if (peek(c) == '*' || peek(c) == '+' || peek(c) == '?') {
        return fail(c, "nothing to repeat in the regular expression");
    }
    return true;
}

static bool sequence(struct compiler *c) {
    while (peek(c) >= 0 && peek(c) != '|' && peek(c) != ')') {
        if (!repeated(c)) return false;
    }
    return true;
}

static bool alternatives(struct compiler *c) {
    size_t from = pool_used;
    if (++c->depth > MAX_DEPTH) return fail(c, "the regular expression is nested too deeply");
    if (!sequence(c)) return false;
    while (peek(c) == '|') {
        c->at++;
        size_t before = pool_used - from;
        if (!insert(c, from, SPLIT, 1, (int)before + 2) || !emit(c, JUMP, 0, 0, 0)) return false;
        size_t jump = pool_used - 1;
        if (!sequence(c)) return false;
        regex_pool[jump].x = (int16_t)(pool_used - jump);
    }
    c->depth--;
    return true;
}

bool regex_compile(struct text source, struct regex *into, struct reason *why) {
    struct compiler c = {source, 0, pool_used, sets_used, 0, why};
    if (!alternatives(&c)) return false;
    if (c.at < source.size) return fail(&c, "unmatched ) in the regular expression");
    regex_pool[pool_used++] = (struct instruction){MATCH, 0, 0, 0};
    *into = (struct regex){c.begun, pool_used - c.begun, c.first_set};
    return true;
}

void regex_reset(void) {
    pool_used = 0;
    sets_used = 0;
}
