/* Cuts a body that arrives in pieces into lines, in bounded memory. */
#include "lines.h"

void lines_begin(struct lines *l, struct tallies *tallies) {
    l->tallies = tallies;
    l->size = 0;
    l->any = l->last_is_eof = false;
    tallies_clear(tallies);
}

static void whole_line(struct lines *l, struct text line) {
    l->last_is_eof = is(line, "# EOF");
    tallies_line(l->tallies, line);
}

/* Of a line that is too long one byte more than allowed is kept: enough to name and to refuse it. */
static void append(struct lines *l, const char *data, size_t size) {
    size_t room = sizeof l->line - l->size;
    memcpy(l->line + l->size, data, size < room ? size : room);
    l->size += size < room ? size : room;
}

void lines_feed(void *lines, const char *data, size_t size) {
    struct lines *l = lines;
    l->any |= size > 0;
    while (size) {
        const char *end = memchr(data, '\n', size);
        size_t take = end ? (size_t)(end - data) : size;
        if (end && l->size == 0) {
            whole_line(l, (struct text){data, take});
        } else {
            append(l, data, take);
            if (end) whole_line(l, (struct text){l->line, l->size});
            if (end) l->size = 0;
        }
        data += take + (end != NULL);
        size -= take + (end != NULL);
    }
}

bool lines_end(struct lines *l, bool openmetrics, struct reason *why) {
    struct text last = {l->line, l->size};
    if (openmetrics && !(l->size ? is(last, "# EOF") : l->last_is_eof)) {
        say(why, "the body is truncated: the last line is not # EOF");
        return false;
    }
    if (l->size && !openmetrics) {
        say(why, "the body is truncated: the last line has no end");
        return false;
    }
    return true;
}
