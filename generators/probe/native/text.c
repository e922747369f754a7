/* Bytes with a length, bounded writers, and numbers as Prometheus writes them. */
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

bool same(struct text a, struct text b) {
    return a.size == b.size && memcmp(a.at, b.at, a.size) == 0;
}

bool is(struct text a, const char *b) {
    return same(a, text_of(b));
}

bool begins(struct text a, const char *b) {
    size_t size = strlen(b);
    return a.size >= size && memcmp(a.at, b, size) == 0;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_label_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c);
}

bool is_name_char(char c) {
    return is_label_char(c) || c == ':';
}

/* Bytes of the sequence that begins with this byte, 0 where none does. */
static size_t sequence(unsigned char first) {
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return 2;
    if (first >= 0xE0 && first <= 0xEF) return 3;
    if (first >= 0xF0 && first <= 0xF4) return 4;
    return 0;
}

bool is_utf8(struct text text) {
    size_t i = 0;
    while (i < text.size) {
        const unsigned char *c = (const unsigned char *)text.at + i;
        size_t size = sequence(c[0]);
        if (size == 0 || size > text.size - i) return false;
        for (size_t k = 1; k < size; k++) {
            if ((c[k] & 0xC0) != 0x80) return false;
        }
        /* Overlong forms, surrogates and what lies above U+10FFFF. */
        if (c[0] == 0xE0 && c[1] < 0xA0) return false;
        if (c[0] == 0xED && c[1] > 0x9F) return false;
        if (c[0] == 0xF0 && c[1] < 0x90) return false;
        if (c[0] == 0xF4 && c[1] > 0x8F) return false;
        i += size;
    }
    return true;
}

uint32_t code_point(struct text text, size_t *at) {
    const unsigned char *c = (const unsigned char *)text.at + *at;
    size_t size = sequence(c[0]);
    static const unsigned char masks[5] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t point = c[0] & masks[size];
    for (size_t k = 1; k < size; k++) point = (point << 6) | (c[k] & 0x3F);
    *at += size ? size : 1;
    return point;
}

void say(struct reason *to, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(to->at + to->size, MAX_REASON - to->size, format, arguments);
    va_end(arguments);
    if (size < 0) return;
    to->size += (size_t)size;
    if (to->size > MAX_REASON - 1) to->size = MAX_REASON - 1;
}

void say_text(struct reason *to, struct text text) {
    size_t room = MAX_REASON - 1 - to->size;
    size_t size = text.size < room ? text.size : room;
    memcpy(to->at + to->size, text.at, size);
    to->size += size;
    to->at[to->size] = 0;
}

void say_cut(struct reason *to, struct text text) {
    if (text.size <= MAX_SERIES_TEXT) {
        say_text(to, text);
        return;
    }
    size_t end = MAX_SERIES_TEXT;
    while (end && ((unsigned char)text.at[end] & 0xC0) == 0x80) end--;
    say_text(to, (struct text){text.at, end});
    say(to, "...");
}

void say_printable(struct reason *to, struct text text) {
    for (size_t i = 0; i < text.size && i < MAX_SERIES_TEXT; i++) {
        char c = text.at[i] >= 0x20 && text.at[i] < 0x7F ? text.at[i] : '?';
        say_text(to, (struct text){&c, 1});
    }
}

const char *shown(double value, char into[NUMBER_SIZE]) {
    if (isnan(value)) return "NaN";
    if (isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(into, NUMBER_SIZE, "%.*g", digits, value);
        if (strtod(into, NULL) == value) break;
    }
    return into;
}

const char *shown_seconds(double value, char into[NUMBER_SIZE]) {
    if (!(fabs(value) < 1e15)) {
        char digits[NUMBER_SIZE];
        snprintf(into, NUMBER_SIZE, "%.38ss", shown(value, digits));
        return into;
    }
    int size = snprintf(into, NUMBER_SIZE - 2, "%.3f", value);
    while (into[size - 1] == '0') size--;
    if (into[size - 1] == '.') size--;
    into[size] = 0;
    if (strcmp(into, "-0") == 0) {
        into[0] = '0';
        size = 1;
    }
    into[size] = 's';
    into[size + 1] = 0;
    return into;
}

static bool is_word(const char *at, size_t size, const char *word) {
    if (strlen(word) != size) return false;
    for (size_t i = 0; i < size; i++) {
        if ((at[i] | 0x20) != word[i]) return false;
    }
    return true;
}

/* The grammar is checked here because strtod also reads hexadecimal and skips blanks. */
static bool is_number(struct text token) {
    size_t i = 0, before = 0, after = 0, exponent = 0;
    const char *at = token.at;
    if (i < token.size && (at[i] == '+' || at[i] == '-')) i++;
    if (is_word(at + i, token.size - i, "inf") || is_word(at + i, token.size - i, "infinity")
        || is_word(at + i, token.size - i, "nan")) {
        return true;
    }
    for (; i < token.size && is_digit(at[i]); i++) before++;
    if (i < token.size && at[i] == '.') {
        for (i++; i < token.size && is_digit(at[i]); i++) after++;
    }
    if (before + after == 0) return false;
    if (i < token.size && (at[i] == 'e' || at[i] == 'E')) {
        i++;
        if (i < token.size && (at[i] == '+' || at[i] == '-')) i++;
        for (; i < token.size && is_digit(at[i]); i++) exponent++;
        if (exponent == 0) return false;
    }
    return i == token.size;
}

bool number(struct text token, double *value) {
    char digits[512];
    /* No exposition needs more digits; strtod needs a terminator. */
    if (token.size == 0 || token.size >= sizeof digits || !is_number(token)) return false;
    memcpy(digits, token.at, token.size);
    digits[token.size] = 0;
    *value = strtod(digits, NULL);
    return true;
}

bool duration(struct text token, double *seconds) {
    /* "m" must not be taken for the beginning of "ms": the longer one comes first. */
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    double total = 0;
    bool bare = true;
    size_t i = 0;
    while (i < token.size) {
        size_t start = i, k;
        double value;
        while (i < token.size && (is_digit(token.at[i]) || token.at[i] == '.')) i++;
        if (!number((struct text){token.at + start, i - start}, &value)) return false;
        if (i == token.size) {
            if (!bare) return false;
            total = value;
            break;
        }
        for (k = 0; k < sizeof units / sizeof units[0]; k++) {
            if (begins((struct text){token.at + i, token.size - i}, units[k].name)) break;
        }
        if (k == sizeof units / sizeof units[0]) return false;
        total += value * units[k].seconds;
        i += strlen(units[k].name);
        bare = false;
    }
    *seconds = total;
    return total > 0 && isfinite(total);
}

bool whole(struct text token, size_t digits, unsigned long long *value) {
    if (token.size == 0 || token.size > digits) return false;
    *value = 0;
    for (size_t i = 0; i < token.size; i++) {
        if (!is_digit(token.at[i])) return false;
        *value = *value * 10 + (unsigned)(token.at[i] - '0');
    }
    return true;
}

static char arena[MAX_ARENA];
static size_t arena_used;

char *kept(size_t size) {
    if (size > MAX_ARENA - arena_used) return NULL;
    char *at = arena + arena_used;
    arena_used += size;
    return at;
}

void kept_reset(void) {
    arena_used = 0;
}
