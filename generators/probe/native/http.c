/* One HTTP answer, decoded as its bytes arrive; its end is known, and so is a missing end. */
#include "http.h"

void http_begin(struct http *h) {
    h->state = HTTP_STATUS;
    h->another = h->openmetrics = h->has_length = h->chunked = false;
    h->length = h->got = h->chunk_left = 0;
    h->head_size = h->line_size = 0;
    h->location.size = 0;
}

static bool fail(struct http *h, const char *why) {
    say(h->why, "%s", why);
    return false;
}

static bool too_big(struct http *h) {
    say(h->why, "the body is larger than %llu bytes", h->max_bytes);
    return false;
}

static bool not_supported(struct http *h, const char *name, struct text value, const char *why) {
    say(h->why, "%s ", name);
    say_printable(h->why, value);
    say(h->why, " %s", why);
    return false;
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool begins_lower(struct text text, const char *with) {
    size_t size = strlen(with);
    if (text.size < size) return false;
    for (size_t i = 0; i < size; i++) {
        if (lower(text.at[i]) != with[i]) return false;
    }
    return true;
}

static bool is_lower(struct text text, const char *word) {
    return text.size == strlen(word) && begins_lower(text, word);
}

static bool status_line(struct http *h, struct text line) {
    bool fine = begins(line, "HTTP/1.");
    const char *space = fine ? memchr(line.at, ' ', line.size) : NULL;
    size_t left = space ? line.size - (size_t)(space + 1 - line.at) : 0;
    fine = left >= 3 && (left == 3 || space[4] == ' ');
    for (int i = 1; fine && i <= 3; i++) fine = is_digit(space[i]);
    if (!fine) return fail(h, "the answer is not HTTP");
    h->status = (unsigned)((space[1] - '0') * 100 + (space[2] - '0') * 10 + (space[3] - '0'));
    h->state = HTTP_HEADER;
    return true;
}

static bool content_length(struct http *h, struct text value) {
    unsigned long long length;
    if (!whole(value, 15, &length) || (h->has_length && h->length != length)) {
        return fail(h, "bad Content-Length");
    }
    h->length = length;
    h->has_length = true;
    return true;
}

static bool content_type(struct http *h, struct text value) {
    h->openmetrics = begins_lower(value, "application/openmetrics-text");
    if (begins_lower(value, "text/html") || begins_lower(value, "application/json")
        || begins_lower(value, "application/vnd.google.proto")) {
        return not_supported(h, "Content-Type", value, "is not an exposition");
    }
    return true;
}

static bool header(struct http *h, struct text line) {
    const char *colon = memchr(line.at, ':', line.size);
    struct text name = {line.at, colon ? (size_t)(colon - line.at) : line.size};
    struct text value = {line.at + line.size, 0};
    if (colon) value = (struct text){colon + 1, line.size - name.size - 1};
    while (value.size && is_blank(value.at[0])) value = (struct text){value.at + 1, value.size - 1};
    while (value.size && is_blank(value.at[value.size - 1])) value.size--;
    if (h->status < 200) return true;
    if (is_lower(name, "location")) {
        h->location.size = 0;
        say_printable(&h->location, value);
    } else if (is_lower(name, "content-length")) {
        return content_length(h, value);
    } else if (is_lower(name, "transfer-encoding") && !is_lower(value, "identity")) {
        h->chunked = true;
        if (!is_lower(value, "chunked")) {
            return not_supported(h, "Transfer-Encoding", value, "is not supported");
        }
    } else if (is_lower(name, "content-encoding") && value.size && !is_lower(value, "identity")) {
        return not_supported(h, "Content-Encoding", value, "is not supported, none was asked for");
    } else if (is_lower(name, "content-type")) {
        return content_type(h, value);
    }
    return true;
}

static bool head_is_over(struct http *h) {
    if (h->status < 200) {
        h->state = HTTP_STATUS;
        return true;
    }
    h->another = true;
    if (h->status >= 300 && h->status < 400 && h->location.size) {
        say(h->why, "status %u, redirects to ", h->status);
        say_text(h->why, (struct text){h->location.at, h->location.size});
        say(h->why, ": redirects are not followed");
        return false;
    }
    if (h->status != 200) {
        say(h->why, "status %u", h->status);
        return false;
    }
    h->another = false;
    if (h->chunked) {
        h->state = HTTP_CHUNK_SIZE;
    } else if (h->has_length) {
        if (h->length > h->max_bytes) return too_big(h);
        h->state = h->length ? HTTP_EXACTLY : HTTP_DONE;
    } else {
        h->state = HTTP_UNTIL_END;
    }
    return true;
}

static bool chunk_size(struct http *h, struct text line) {
    const char *semicolon = memchr(line.at, ';', line.size);
    if (semicolon) line.size = (size_t)(semicolon - line.at);
    while (line.size && is_blank(line.at[line.size - 1])) line.size--;
    unsigned long long size = 0;
    bool fine = line.size > 0 && line.size <= 12;
    for (size_t i = 0; fine && i < line.size; i++) {
        char c = lower(line.at[i]);
        fine = is_digit(c) || (c >= 'a' && c <= 'f');
        size = size * 16 + (unsigned)(is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    if (!fine) return fail(h, "bad chunk in the body");
    h->got += size;
    if (h->got > h->max_bytes) return too_big(h);
    h->chunk_left = size;
    h->state = size ? HTTP_CHUNK_DATA : HTTP_DONE;
    return true;
}

static bool whole_line(struct http *h, struct text line) {
    if (line.size && line.at[line.size - 1] == '\r') line.size--;
    switch (h->state) {
    case HTTP_STATUS:
        return status_line(h, line);
    case HTTP_HEADER:
        return line.size ? header(h, line) : head_is_over(h);
    case HTTP_CHUNK_SIZE:
        return chunk_size(h, line);
    default:
        h->state = HTTP_CHUNK_SIZE;
        return line.size == 0 || fail(h, "bad chunk in the body");
    }
}

/* Consumes up to one line; the head and the lines between chunks are bounded. */
static bool feed_line(struct http *h, const char **data, size_t *size) {
    bool in_head = h->state == HTTP_STATUS || h->state == HTTP_HEADER;
    const char *end = memchr(*data, '\n', *size);
    size_t take = end ? (size_t)(end - *data) : *size;
    size_t used = in_head ? h->head_size : h->line_size;
    if (used + take >= (in_head ? MAX_HEAD : 1025)) {
        if (!in_head) return fail(h, "bad chunk in the body");
        say(h->why, "the response header is longer than %d bytes", MAX_HEAD);
        return false;
    }
    memcpy(h->line + h->line_size, *data, take);
    h->line_size += take;
    if (in_head) h->head_size += take + (end != NULL);
    *data += take + (end != NULL);
    *size -= take + (end != NULL);
    if (!end) return true;
    struct text line = {h->line, h->line_size};
    h->line_size = 0;
    return whole_line(h, line);
}

static bool feed_body(struct http *h, const char **data, size_t *size) {
    size_t take = *size;
    if (h->state == HTTP_EXACTLY && take > h->length - h->got) take = (size_t)(h->length - h->got);
    if (h->state == HTTP_CHUNK_DATA && take > h->chunk_left) take = (size_t)h->chunk_left;
    if (h->state == HTTP_UNTIL_END && h->got + take > h->max_bytes) return too_big(h);
    h->body(h->to, *data, take);
    *data += take;
    *size -= take;
    if (h->state == HTTP_CHUNK_DATA) {
        h->chunk_left -= take;
        if (h->chunk_left == 0) h->state = HTTP_CHUNK_END;
    } else {
        h->got += take;
        if (h->state == HTTP_EXACTLY && h->got == h->length) h->state = HTTP_DONE;
    }
    return true;
}

bool http_feed(struct http *h, const char *data, size_t size) {
    while (size && h->state != HTTP_DONE) {
        bool in_body = h->state == HTTP_EXACTLY || h->state == HTTP_UNTIL_END
            || h->state == HTTP_CHUNK_DATA;
        if (!(in_body ? feed_body(h, &data, &size) : feed_line(h, &data, &size))) return false;
    }
    return true;
}

bool http_end(struct http *h) {
    switch (h->state) {
    case HTTP_DONE:
    case HTTP_UNTIL_END:
        return true;
    case HTTP_EXACTLY:
        say(h->why, "the body is truncated: %llu of %llu bytes", h->got, h->length);
        return false;
    case HTTP_STATUS:
    case HTTP_HEADER:
        if (h->line_size || h->head_size) return fail(h, "the response header is truncated");
        h->another = true;
        return fail(h, "the server closed the connection without an answer");
    default:
        return fail(h, "the body is truncated: the last chunk is missing");
    }
}
