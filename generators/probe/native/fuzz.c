/* What the fuzzers call: every parser of the native probe on bytes that nobody chose. */
#include "http.h"
#include "run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct options options;
static struct tallies tallies;
static struct lines lines;
static struct result result;

/* In pieces, because that is how they arrive. */
static size_t piece(size_t left, unsigned step) {
    size_t size = 1 + (step * 2654435761u >> 20) % 700;
    return size < left ? size : left;
}

static void feed(struct text body, unsigned step) {
    lines_begin(&lines, &tallies);
    while (body.size) {
        size_t size = piece(body.size, step++);
        lines_feed(&lines, body.at, size);
        body = (struct text){body.at + size, body.size - size};
    }
}

static void check_and_exposition(struct text check, struct text body) {
    struct reason why = {.size = 0};
    kept_reset();
    regex_reset();
    memset(&options, 0, sizeof options);
    options.has_now = true;
    options.now = 1.7e9;
    options.skew = 30;
    if (!check_parse(check, &options.checks[0], &why)) return;
    if (options.checks[0].kind == KIND_INCREASES) options.checks[0].kind = KIND_PRESENT;
    options.count = 1;
    add_tallies(&options, &tallies);
    feed(body, (unsigned)check.size);
    struct reason explained = {.size = 0};
    check_explain(&options.checks[0], &explained);
    if (lines_end(&lines, check.size & 1, &why)) judge_all(&options, &tallies, &result);
}

static void answer(struct text bytes, unsigned step) {
    static struct http h;
    struct reason why = {.size = 0};
    h.max_bytes = 1 << 20;
    h.body = lines_feed;
    h.to = &lines;
    h.why = &why;
    kept_reset();
    tallies.count = 0;
    lines_begin(&lines, &tallies);
    http_begin(&h);
    while (bytes.size) {
        size_t size = piece(bytes.size, step++);
        if (!http_feed(&h, bytes.at, size)) return;
        bytes = (struct text){bytes.at + size, bytes.size - size};
    }
    http_end(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct state state;
    static struct source source;
    struct reason why = {.size = 0};
    struct text rest = {(const char *)data + 1, size ? size - 1 : 0};
    if (size == 0) return 0;
    const char *end = memchr(rest.at, '\n', rest.size);
    size_t first = end ? (size_t)(end - rest.at) : rest.size;
    switch (data[0] & 3) {
    case 1:
        answer(rest, data[0]);
        break;
    case 2:
        memset(&state, 0, sizeof state);
        strcpy(state.boot, "none");
        state_parse(&state, rest);
        break;
    case 3:
        source_parse((struct text){rest.at, first}, &source, &why);
        break;
    default:
        check_and_exposition((struct text){rest.at, first},
                             (struct text){rest.at + first + (end != NULL),
                                           rest.size - first - (end != NULL)});
    }
    return 0;
}
