/* Bytes with a length, bounded writers, and numbers as Prometheus writes them. */
#ifndef SLO_PROBE_TEXT_H
#define SLO_PROBE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "limits.h"

struct text {
    const char *at;
    size_t size;
};

/* A message of bounded length; what does not fit is left out. */
struct reason {
    char at[MAX_REASON];
    size_t size;
};

static inline struct text text_of(const char *from) {
    return (struct text){from, strlen(from)};
}

static inline bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

bool same(struct text a, struct text b);
bool is(struct text a, const char *b);
bool begins(struct text a, const char *b);
bool is_name_char(char c);
bool is_label_char(char c);
bool is_digit(char c);
bool is_utf8(struct text text);
/* The code point at *at, which is moved behind it; the text is valid UTF-8. */
uint32_t code_point(struct text text, size_t *at);

void say(struct reason *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say_text(struct reason *to, struct text text);
/* At most MAX_SERIES_TEXT bytes, never half a character. */
void say_cut(struct reason *to, struct text text);
/* Foreign text that was not validated, fit for one line of a terminal. */
void say_printable(struct reason *to, struct text text);

/* The shortest of 15 to 17 digits that reads back as the same number. */
#define NUMBER_SIZE 40
const char *shown(double value, char into[NUMBER_SIZE]);
const char *shown_seconds(double value, char into[NUMBER_SIZE]);

bool number(struct text token, double *value);
/* Seconds, from `300`, `1.5s` or `1h30m`; false unless finite and above zero. */
bool duration(struct text token, double *seconds);
bool whole(struct text token, size_t digits, unsigned long long *value);

/* Text that lives as long as the process; NULL when the arena is full. */
char *kept(size_t size);
/* Gives everything back; for the fuzzer, which reads many checks. */
void kept_reset(void);

#endif
