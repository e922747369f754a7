/* Gets the exposition: http, unix socket, file or stdin, before one absolute deadline. */
#include "fetch.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "http.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* macOS has none; main ignores SIGPIPE */
#endif

#define REQUEST_SIZE (3 * MAX_TARGET + 8192 + 2048 + MAX_HEADERS * 4200)

struct fetcher {
    const struct options *options;
    double end;
    struct reason *why;
};

double steady_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool say_lower(struct reason *why, const char *text) {
    for (; *text; text++) say(why, "%c", tolower((unsigned char)*text));
    return false;
}

static bool fail(struct fetcher *f) {
    return say_lower(f->why, strerror(errno));
}

static bool too_late(struct fetcher *f) {
    char digits[NUMBER_SIZE];
    say(f->why, "no answer within %s", shown_seconds(f->options->timeout, digits));
    return false;
}

/* Waits until the socket is ready: 1, too late: 0, or broken: -1. */
static int ready(int file, short events, double end) {
    for (;;) {
        double left = end - steady_clock();
        if (left <= 0) return 0;
        struct pollfd waiting = {file, events, 0};
        int count = poll(&waiting, 1, (int)(left * 1000) + 1);
        if (count > 0) return 1;
        if (count < 0 && errno != EINTR) return -1;
    }
}

static bool connect_to(struct fetcher *f, const struct sockaddr *address, socklen_t size,
                       double end, int *into) {
    int file = socket(address->sa_family, SOCK_STREAM, 0);
    f->why->size = 0;
    if (file < 0) return fail(f);
    fcntl(file, F_SETFL, O_NONBLOCK);
    fcntl(file, F_SETFD, FD_CLOEXEC);
    int result = connect(file, address, size);
    if (result != 0 && errno == EINPROGRESS) {
        int wrong = 0;
        socklen_t length = sizeof wrong;
        result = ready(file, POLLOUT, end);
        if (result == 0) {
            close(file);
            return too_late(f);
        }
        if (result > 0) getsockopt(file, SOL_SOCKET, SO_ERROR, &wrong, &length);
        result = result < 0 ? -1 : wrong ? -1 : 0;
        if (wrong) errno = wrong;
    }
    if (result != 0) {
        fail(f);
        close(file);
        return false;
    }
    *into = file;
    return true;
}

static bool connect_unix(struct fetcher *f, int *into) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct text path = f->options->source.path;
    memcpy(address.sun_path, path.at, path.size);
    return connect_to(f, (struct sockaddr *)&address, sizeof address, f->end, into);
}

static bool connect_network(struct fetcher *f, int *into) {
    const struct source *s = &f->options->source;
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM}, *found, *each;
    char host[256], port[8];
    memcpy(host, s->host.at, s->host.size);
    host[s->host.size] = 0;
    snprintf(port, sizeof port, "%u", s->port);
    int wrong = getaddrinfo(host, port, &wanted, &found);
    if (wrong) {
        say(f->why, "cannot look up %s: ", host);
        return say_lower(f->why, gai_strerror(wrong));
    }
    int left = 0;
    bool connected = false;
    for (each = found; each; each = each->ai_next) left++;
    for (each = found; each && !connected; each = each->ai_next) {
        /* An address that swallows packets may not use up the time of the others. */
        double now = steady_clock();
        double end = now + (f->end - now) / left--;
        connected = connect_to(f, each->ai_addr, each->ai_addrlen, end, into);
    }
    freeaddrinfo(found);
    return connected;
}

static bool send_all(struct fetcher *f, int file, const char *data, size_t size) {
    while (size) {
        ssize_t sent = send(file, data, size, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
            int waited = ready(file, POLLOUT, f->end);
            if (waited == 0) return too_late(f);
            if (waited < 0) return fail(f);
        } else if (sent < 0) {
            return fail(f);
        } else {
            data += sent;
            size -= (size_t)sent;
        }
    }
    return true;
}

static bool receive(struct fetcher *f, int file, struct http *h) {
    static char data[65536];
    while (h->state != HTTP_DONE) {
        int waited = ready(file, POLLIN, f->end);
        if (waited == 0) return too_late(f);
        ssize_t got = waited < 0 ? -1 : recv(file, data, sizeof data, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (got < 0) return fail(f);
        if (got == 0) return http_end(h);
        if (!http_feed(h, data, (size_t)got)) return false;
    }
    return true;
}

bool request_target(const struct source *source, const struct names *names, char *into,
                    size_t room) {
    struct text plain = source->target;
    size_t size = 0;
    if (source->add_slash) into[size++] = '/';
    memcpy(into + size, plain.at, plain.size);
    size += plain.size;
    size_t end = size;
    bool query = memchr(into, '?', size) != NULL;
    for (size_t i = 0; i < names->count; i++) {
        struct text name = names->each[i];
        if (size + 3 * name.size + 16 > room) {
            into[end] = 0;
            return false;
        }
        size += (size_t)snprintf(into + size, 16, "%cname%%5B%%5D=", query ? '&' : '?');
        query = true;
        for (size_t k = 0; k < name.size; k++) {
            const char *format = is_name_char(name.at[k]) ? "%c" : "%%%02X";
            size += (size_t)snprintf(into + size, 4, format, (unsigned char)name.at[k]);
        }
    }
    if (size > MAX_TARGET) size = end;
    into[size] = 0;
    return size > end || names->count == 0;
}

/* Reads the token at every request, because it is rotated. */
static bool authorization(struct fetcher *f, char *into, size_t room, size_t *size) {
    char text[MAX_HEAD];
    if (!f->options->token_file) return true;
    int file = open(f->options->token_file, O_RDONLY | O_CLOEXEC);
    ssize_t got = file < 0 ? -1 : read(file, text, sizeof text);
    if (got < 0) {
        say(f->why, "the token file cannot be read: ");
        fail(f);
    }
    if (file >= 0) close(file);
    if (got < 0) return false;
    struct text token = {text, (size_t)got};
    while (token.size && memchr(" \t\r\n", token.at[0], 4)) {
        token = (struct text){token.at + 1, token.size - 1};
    }
    while (token.size && memchr(" \t\r\n", token.at[token.size - 1], 4)) token.size--;
    bool fine = token.size > 0 && token.size <= 8192;
    for (size_t i = 0; i < token.size; i++) fine &= token.at[i] >= 0x21 && token.at[i] < 0x7F;
    if (!fine) {
        say(f->why, "the token file holds no token: one line of visible ASCII is needed");
        return false;
    }
    *size += (size_t)snprintf(into + *size, room - *size, "Authorization: Bearer %.*s\r\n",
                              (int)token.size, token.at);
    return true;
}

static void add_header(struct text header, char *into, size_t room, size_t *size) {
    size_t colon = 0, end = header.size;
    while (header.at[colon] != ':') colon++;
    size_t start = colon + 1;
    while (start < end && is_blank(header.at[start])) start++;
    while (end > start && is_blank(header.at[end - 1])) end--;
    *size += (size_t)snprintf(into + *size, room - *size, "%.*s: %.*s\r\n", (int)colon, header.at,
                              (int)(end - start), header.at + start);
}

static bool request(struct fetcher *f, const struct names *names, char *into, size_t *size) {
    static char target[3 * MAX_TARGET + 64];
    const struct source *s = &f->options->source;
    request_target(s, names, target, sizeof target);
    *size = (size_t)snprintf(
        into, REQUEST_SIZE,
        "GET %s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: slo-probe/" VERSION "\r\n"
        "Accept: text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.5\r\n"
        "Accept-Encoding: identity\r\nConnection: close\r\n",
        target, (int)s->authority.size, s->authority.at);
    if (!authorization(f, into, REQUEST_SIZE, size)) return false;
    for (size_t i = 0; i < f->options->header_count; i++) {
        add_header(f->options->headers[i], into, REQUEST_SIZE, size);
    }
    *size += (size_t)snprintf(into + *size, REQUEST_SIZE - *size, "\r\n");
    return true;
}

static bool fetch_http(struct fetcher *f, const struct names *names, struct lines *into,
                       bool *another) {
    static char text[REQUEST_SIZE];
    static struct http h;
    size_t size;
    int file = -1;
    if (!request(f, names, text, &size)) return false;
    bool unix_socket = f->options->source.kind == SOURCE_UNIX;
    if (!(unix_socket ? connect_unix(f, &file) : connect_network(f, &file))) return false;
    h.max_bytes = f->options->max_bytes;
    h.body = lines_feed;
    h.to = into;
    h.why = f->why;
    http_begin(&h);
    bool fine = send_all(f, file, text, size) && receive(f, file, &h);
    close(file);
    *another = h.another;
    return fine && lines_end(into, h.openmetrics, f->why);
}

static bool fetch_file(struct fetcher *f, struct lines *into) {
    static char data[65536];
    char path[MAX_TARGET + 1];
    struct text name = f->options->source.path;
    unsigned long long total = 0;
    int file = 0;
    if (f->options->source.kind == SOURCE_FILE) {
        memcpy(path, name.at, name.size);
        path[name.size] = 0;
        file = open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0) return fail(f);
    }
    ssize_t got;
    while ((got = read(file, data, sizeof data)) != 0) {
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            fail(f);
            break;
        }
        total += (unsigned long long)got;
        if (total > f->options->max_bytes) {
            say(f->why, "the body is larger than %llu bytes", f->options->max_bytes);
            break;
        }
        lines_feed(into, data, (size_t)got);
    }
    if (file) close(file);
    return got == 0 && lines_end(into, false, f->why);
}

bool fetch(const struct options *options, const struct names *names, double end,
           struct lines *into, struct reason *why, bool *another) {
    struct fetcher f = {options, end, why};
    why->size = 0;
    *another = false;
    bool local = options->source.kind == SOURCE_FILE || options->source.kind == SOURCE_STDIN;
    return local ? fetch_file(&f, into) : fetch_http(&f, names, into, another);
}
