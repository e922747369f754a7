/* What `increases` remembers between two runs: a file that is replaced as a whole under a lock. */
#include "state.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[] = "slo-probe-state 1 ";
static const char foreign[] = "it is not a state file; it was begun anew";

static bool fail(struct state *s) {
    s->trouble.size = 0;
    for (const char *c = strerror(errno); *c; c++) say(&s->trouble, "%c", tolower((unsigned char)*c));
    return false;
}

/* A monotonic clock means nothing after a restart of the machine: this says that there was one. */
static void read_boot_id(struct state *s) {
    int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t size = file < 0 ? 0 : read(file, s->boot, 36);
    if (file >= 0) close(file);
    if (size <= 0) {
        strcpy(s->boot, "none");
    } else {
        s->boot[size] = 0;
    }
}

static bool read_record(struct text line, struct record *into) {
    double *numbers[] = {&into->value, &into->since, &into->start};
    if (line.size < 17 || line.at[16] != ' ' || memchr(line.at, ' ', 16)) return false;
    memcpy(into->key, line.at, 16);
    into->key[16] = 0;
    line = (struct text){line.at + 17, line.size - 17};
    for (int i = 0; i < 3; i++) {
        const char *end = i < 2 ? memchr(line.at, ' ', line.size) : line.at + line.size;
        if (!end || !number((struct text){line.at, (size_t)(end - line.at)}, numbers[i])) return false;
        if (i < 2) line = (struct text){end + 1, line.size - (size_t)(end - line.at) - 1};
    }
    return true;
}

void state_parse(struct state *s, struct text text) {
    bool first = true;
    if (!begins(text, magic) || text.size > MAX_STATE || text.at[text.size - 1] != '\n') {
        say(&s->trouble, "%s", foreign);
        return;
    }
    while (text.size) {
        const char *end = memchr(text.at, '\n', text.size);
        struct text line = {text.at, (size_t)(end - text.at)};
        if (first) {
            line = (struct text){line.at + sizeof magic - 1, line.size - (sizeof magic - 1)};
            if (!is(line, s->boot)) return;
        } else if (s->count >= MAX_RECORDS || !read_record(line, &s->records[s->count])) {
            s->count = 0;
            say(&s->trouble, "%s", foreign);
            return;
        } else {
            s->count++;
        }
        first = false;
        text = (struct text){end + 1, text.size - (size_t)(end - text.at) - 1};
    }
}

bool state_open(struct state *s, const char *path, struct text source) {
    static char text[MAX_STATE + 1];
    char lock[4096];
    size_t size = 0;
    ssize_t more;
    memset(s, 0, sizeof *s);
    s->path = path;
    s->source = source;
    s->lock = -1;
    read_boot_id(s);
    if (snprintf(lock, sizeof lock, "%s.lock", path) >= (int)sizeof lock - 16) {
        errno = ENAMETOOLONG;
        return fail(s);
    }
    s->lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->lock < 0 || flock(s->lock, LOCK_EX) != 0) return fail(s);
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return errno == ENOENT || fail(s);
    while (size < sizeof text && (more = read(file, text + size, sizeof text - size)) != 0) {
        if (more < 0) {
            fail(s);
            close(file);
            return false;
        }
        size += (size_t)more;
    }
    close(file);
    state_parse(s, (struct text){text, size});
    return true;
}

/* FNV-1a, 64 bits: names a record by where it is read and what is asked. */
static void key_of(const struct state *s, struct text check, char into[17]) {
    uint64_t value = 0xCBF29CE484222325u;
    struct text parts[] = {s->source, {"\n", 1}, check};
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < parts[i].size; k++) {
            value = (value ^ (unsigned char)parts[i].at[k]) * 0x100000001B3u;
        }
    }
    snprintf(into, 17, "%016llx", (unsigned long long)value);
}

bool state_take(struct state *s, struct text check, struct record *into) {
    char key[17];
    key_of(s, check, key);
    memset(into, 0, sizeof *into);
    memcpy(into->key, key, sizeof key);
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->records[i].key, key) != 0) continue;
        *into = s->records[i];
        memmove(s->records + i, s->records + i + 1, (s->count - i - 1) * sizeof s->records[0]);
        s->count--;
        return true;
    }
    return false;
}

void state_put(struct state *s, const struct record *record) {
    s->records[s->count++] = *record;
}

bool state_write(struct state *s) {
    char text[MAX_STATE], draft[4096], a[NUMBER_SIZE], b[NUMBER_SIZE], c[NUMBER_SIZE];
    size_t size = (size_t)snprintf(text, sizeof text, "%s%s\n", magic, s->boot);
    for (size_t i = s->count > MAX_RECORDS ? s->count - MAX_RECORDS : 0; i < s->count; i++) {
        struct record *r = &s->records[i];
        size += (size_t)snprintf(text + size, sizeof text - size, "%s %s %s %s\n", r->key,
                                 shown(r->value, a), shown(r->since, b), shown(r->start, c));
    }
    snprintf(draft, sizeof draft, "%s.%ld", s->path, (long)getpid());
    int file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) return fail(s);
    ssize_t written = write(file, text, size);
    close(file);
    if (written < 0) return fail(s);
    if ((size_t)written != size) {
        s->trouble.size = 0;
        say(&s->trouble, "it could not be written as a whole");
        return false;
    }
    return rename(draft, s->path) == 0 || fail(s);
}

void state_close(struct state *s) {
    if (s->lock >= 0) close(s->lock);
    s->lock = -1;
}
