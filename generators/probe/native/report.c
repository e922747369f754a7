/* What is said: one line on stderr, JSON on stdout. */
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

/* Output in pieces of bounded size. */
struct sink {
    int file;
    size_t size;
    char at[MAX_SAID];
};

void wrote(int file, const char *data, size_t size) {
    while (size) {
        ssize_t done = write(file, data, size);
        if (done <= 0) return;
        data += done;
        size -= (size_t)done;
    }
}

static void flush(struct sink *s) {
    wrote(s->file, s->at, s->size);
    s->size = 0;
}

static void put(struct sink *s, struct text text) {
    for (size_t i = 0; i < text.size; i++) {
        if (s->size == sizeof s->at) flush(s);
        s->at[s->size++] = text.at[i];
    }
}

static void put_string(struct sink *s, const char *text) {
    put(s, text_of(text));
}

/* A line for people: at most MAX_SAID bytes, none of them a control character. */
struct spoken {
    size_t size;
    bool cut;
    char at[MAX_SAID];
};

static void speak(struct spoken *s, struct text text) {
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (s->size == sizeof s->at) {
            s->cut = true;
            return;
        }
        s->at[s->size++] = c < 0x20 || c == 0x7F ? '?' : (char)c;
    }
}

static void spoke(struct spoken *s) {
    if (s->cut || s->size > MAX_SAID - 1) {
        s->size = MAX_SAID - 4;
        while (s->size && ((unsigned char)s->at[s->size] & 0xC0) == 0x80) s->size--;
        memcpy(s->at + s->size, "...", 3);
        s->size += 3;
    }
    s->at[s->size++] = '\n';
    wrote(2, s->at, s->size);
    s->size = 0;
    s->cut = false;
}

void said(const char *before, struct text text) {
    static struct spoken line;
    speak(&line, text_of(before));
    speak(&line, text);
    spoke(&line);
}

static void put_quoted(struct sink *s, struct text text) {
    char escaped[8];
    put_string(s, "\"");
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c < 0x20 || c == 0x7F) {
            snprintf(escaped, sizeof escaped, "\\u%04x", c);
            put_string(s, escaped);
        } else {
            if (c == '"' || c == '\\') put_string(s, "\\");
            put(s, (struct text){text.at + i, 1});
        }
    }
    put_string(s, "\"");
}

static struct text text_in(const struct reason *reason) {
    return (struct text){reason->at, reason->size};
}

static void put_check(struct sink *s, const struct check *check, const struct verdict *v) {
    char digits[NUMBER_SIZE], series[32];
    put_string(s, "{\"check\":");
    put_quoted(s, check->text);
    put_string(s, v->outcome == OK ? ",\"ok\":true,\"outcome\":\"" : ",\"ok\":false,\"outcome\":\"");
    put_string(s, outcome_name(v->outcome));
    put_string(s, "\",\"value\":");
    bool in_quotes = v->has_value && !isfinite(v->value);
    if (in_quotes) put_string(s, "\"");
    put_string(s, v->has_value ? shown(v->value, digits) : "null");
    if (in_quotes) put_string(s, "\"");
    snprintf(series, sizeof series, ",\"series\":%zu", v->series);
    put_string(s, series);
    put_string(s, ",\"reason\":");
    put_quoted(s, text_in(&v->reason));
    put_string(s, "}");
}

static void put_json(const struct options *o, const struct result *r, struct text error,
                     double seconds) {
    static struct sink s;
    char digits[NUMBER_SIZE];
    s.file = 1;
    s.size = 0;
    put_string(&s, r && is_healthy(r) ? "{\"healthy\":true,\"error\":" : "{\"healthy\":false,\"error\":");
    if (error.size) {
        put_quoted(&s, error);
    } else {
        put_string(&s, "null");
    }
    const char *shown_time = shown_seconds(seconds, digits);
    put_string(&s, ",\"seconds\":");
    put(&s, (struct text){shown_time, strlen(shown_time) - 1});
    put_string(&s, ",\"checks\":[");
    for (size_t i = 0; r && i < r->count; i++) {
        if (i) put_string(&s, ",");
        put_check(&s, &o->checks[i], &r->verdicts[i]);
    }
    put_string(&s, "]}\n");
    flush(&s);
}

void report_error_json(struct text error, double seconds) {
    put_json(NULL, NULL, error, seconds);
}

int report(const struct options *o, const struct result *r, double seconds) {
    static struct spoken line;
    bool healthy = is_healthy(r), first = true;
    if (o->json) put_json(o, r, text_in(&r->error), seconds);
    for (size_t i = 0; o->verbose && i < r->count; i++) {
        speak(&line, text_of(r->verdicts[i].outcome == OK ? "ok      " : "FAILED  "));
        speak(&line, o->checks[i].text);
        speak(&line, text_of(": "));
        speak(&line, text_in(&r->verdicts[i].reason));
        spoke(&line);
    }
    if (healthy) return 0;
    speak(&line, text_of("slo-probe: unhealthy: "));
    speak(&line, text_in(&r->error));
    for (size_t i = 0; i < r->count; i++) {
        if (r->verdicts[i].outcome == OK) continue;
        if (!first) speak(&line, text_of("; "));
        first = false;
        speak(&line, o->checks[i].text);
        speak(&line, text_of(": "));
        speak(&line, text_in(&r->verdicts[i].reason));
    }
    spoke(&line);
    return 1;
}

void explain(const struct options *o) {
    static struct names names;
    static char target[3 * MAX_TARGET + 64];
    static struct sink s;
    char digits[NUMBER_SIZE], text[128];
    s.file = 1;
    put_string(&s, "source: ");
    put(&s, o->source.text);
    put_string(&s, "\n");
    if (o->source.kind != SOURCE_FILE && o->source.kind != SOURCE_STDIN) {
        wanted_names(o, &names);
        request_target(&o->source, &names, target, sizeof target);
        put_string(&s, "request: GET ");
        put_string(&s, target);
        put_string(&s, "\n");
    }
    snprintf(text, sizeof text, "deadline: %s for everything, at most %llu bytes, %llu retries\n",
             shown_seconds(o->timeout, digits), o->max_bytes, o->retries);
    put_string(&s, text);
    for (size_t i = 0; i < o->count; i++) {
        struct reason canonical = {.size = 0};
        check_explain(&o->checks[i], &canonical);
        put_string(&s, "check: ");
        put(&s, text_in(&canonical));
        put_string(&s, "\n");
    }
    flush(&s);
}
