/* A parsed --url. */
#include "source.h"

static bool fail(struct reason *why, const char *what) {
    say(why, "--url: %s", what);
    return false;
}

static struct text after(struct text text, size_t count) {
    return (struct text){text.at + count, text.size - count};
}

/* How many bytes stand before the first of the marks. */
static size_t until(struct text text, const char *marks) {
    size_t i = 0;
    while (i < text.size && !strchr(marks, text.at[i])) i++;
    return i;
}

static bool host_and_port(struct source *s, struct reason *why) {
    struct text rest = s->authority;
    unsigned long long port;
    if (memchr(rest.at, '@', rest.size)) {
        return fail(why, "no user and password here, use --bearer-token-file");
    }
    if (begins(rest, "[")) {
        rest = after(rest, 1);
        size_t size = until(rest, "]");
        s->host = (struct text){rest.at, size};
        if (size == rest.size) return fail(why, "bad IPv6 address");
        rest = after(rest, size + 1);
        if (rest.size && rest.at[0] != ':') return fail(why, "bad IPv6 address");
    } else {
        size_t size = until(rest, ":");
        s->host = (struct text){rest.at, size};
        rest = after(rest, size);
    }
    if (s->host.size == 0 || s->host.size > 255) return fail(why, "a host is missing");
    s->port = s->kind == SOURCE_HTTPS ? 443 : 80;
    if (rest.size == 0) return true;
    if (!whole(after(rest, 1), 5, &port) || port == 0 || port > 65535) {
        return fail(why, "a port is between 1 and 65535");
    }
    s->port = (unsigned)port;
    return true;
}

static bool network(struct source *s, struct text rest, struct reason *why) {
    size_t end = until(rest, "/?#");
    s->authority = (struct text){rest.at, end};
    s->target = after(rest, end);
    s->target.size = until(s->target, "#");
    s->add_slash = !begins(s->target, "/");
    return host_and_port(s, why);
}

bool source_parse(struct text text, struct source *s, struct reason *why) {
    *s = (struct source){.text = text, .authority = text_of("localhost"), .target = text_of("/")};
    bool odd = text.size > MAX_TARGET;
    for (size_t i = 0; i < text.size && !odd; i++) odd = text.at[i] <= 0x20 || text.at[i] >= 0x7F;
    if (odd) {
        return fail(why, "blanks, control characters and non-ASCII must be %-encoded");
    }
    if (is(text, "-")) {
        s->kind = SOURCE_STDIN;
        return true;
    }
    if (begins(text, "http://") || begins(text, "https://")) {
        s->kind = begins(text, "https") ? SOURCE_HTTPS : SOURCE_HTTP;
        return network(s, after(text, s->kind == SOURCE_HTTPS ? 8 : 7), why);
    }
    if (begins(text, "file:")) {
        s->kind = SOURCE_FILE;
        s->path = after(text, begins(text, "file:///") ? 7 : 5);
    } else if (begins(text, "unix:")) {
        s->kind = SOURCE_UNIX;
        s->path = after(text, 5);
        size_t end = until(s->path, "!");
        s->target = s->path.size > end + 1 ? after(s->path, end + 1) : text_of("/metrics");
        s->path.size = end;
        if (end > 103) return fail(why, "the path of a unix socket has at most 103 bytes");
    } else {
        return fail(why, "must begin with http://, https://, unix: or file:, or be -");
    }
    if (s->path.size == 0) return fail(why, "a path is missing");
    if (!begins(s->target, "/")) return fail(why, "the part after ! begins with /");
    return true;
}
