/* One run: fetch, judge, and try again while the deadline allows it. */
#include "run.h"

#include <stdio.h>
#include <time.h>

static const char start_time[] = "process_start_time_seconds";

bool is_healthy(const struct result *result) {
    if (result->error.size || result->count == 0) return false;
    for (size_t i = 0; i < result->count; i++) {
        if (result->verdicts[i].outcome != OK) return false;
    }
    return true;
}

static struct text bucket_name(struct text name) {
    char *at = kept(name.size + 7);
    if (!at) return name;
    memcpy(at, name.at, name.size);
    memcpy(at + name.size, "_bucket", 7);
    return (struct text){at, name.size + 7};
}

void add_tallies(const struct options *o, struct tallies *into) {
    into->count = 0;
    for (size_t i = 0; i < o->count; i++) {
        const struct check *c = &o->checks[i];
        struct text name = c->kind == KIND_QUANTILE ? bucket_name(c->a.name) : c->a.name;
        tally_add(into, c, &c->a, name);
        if (c->kind == KIND_RATIO) tally_add(into, c, &c->b, c->b.name);
    }
    tally_add(into, NULL, NULL, text_of(start_time));
}

static void add_name(struct names *names, struct text name) {
    for (size_t i = 0; i < names->count; i++) {
        if (same(names->each[i], name)) return;
    }
    if (names->count < sizeof names->each / sizeof names->each[0]) {
        names->each[names->count++] = name;
    }
}

static bool asks_for_names(struct text target) {
    for (size_t i = 0; i + 7 <= target.size; i++) {
        if (memcmp(target.at + i, "name[]=", 7) == 0) return true;
    }
    return false;
}

void wanted_names(const struct options *o, struct names *into) {
    into->count = 0;
    if (!o->select || asks_for_names(o->source.target) || o->source.kind == SOURCE_FILE
        || o->source.kind == SOURCE_STDIN) {
        return;
    }
    for (size_t i = 0; i < o->count; i++) {
        if (o->checks[i].kind == KIND_ABSENT) return;
    }
    for (size_t i = 0; i < o->count; i++) {
        const struct check *c = &o->checks[i];
        if (c->kind == KIND_QUANTILE) add_name(into, bucket_name(c->a.name));
        add_name(into, c->a.name);
        if (c->kind == KIND_RATIO) add_name(into, c->b.name);
        if (c->kind == KIND_INCREASES) add_name(into, text_of(start_time));
    }
}

static size_t tally_of(const struct options *o, size_t check) {
    size_t at = check;
    for (size_t i = 0; i < check; i++) at += o->checks[i].kind == KIND_RATIO;
    return at;
}

static bool any_missing(const struct options *o, const struct tallies *t) {
    for (size_t i = 0; i < o->count; i++) {
        if (is_missing(&o->checks[i], &t->each[tally_of(o, i)])) return true;
    }
    return false;
}

static bool remembers(const struct options *o) {
    for (size_t i = 0; i < o->count; i++) {
        if (o->checks[i].kind == KIND_INCREASES) return true;
    }
    return false;
}

static void state_failed(const struct options *o, const struct state *state, struct result *r) {
    for (size_t i = 0; i < o->count; i++) {
        if (o->checks[i].kind != KIND_INCREASES) continue;
        struct verdict *v = &r->verdicts[i];
        memset(v, 0, sizeof *v);
        v->outcome = STATE;
        say(&v->reason, "the state file: ");
        say_text(&v->reason, (struct text){state->trouble.at, state->trouble.size});
    }
}

void judge_all(const struct options *o, struct tallies *t, struct result *r) {
    static struct state state;
    struct timespec real;
    clock_gettime(CLOCK_REALTIME, &real);
    struct clock clock = {
        o->has_now ? o->now : (double)real.tv_sec + (double)real.tv_nsec / 1e9,
        o->has_now ? o->now : steady_clock(),
        o->skew,
    };
    bool with_state = remembers(o);
    bool open = with_state && state_open(&state, o->state_file, o->url);
    r->count = o->count;
    for (size_t i = 0; i < o->count; i++) {
        const struct check *c = &o->checks[i];
        if (c->kind == KIND_INCREASES && !open) continue;
        r->verdicts[i] = judge(c, &t->each[tally_of(o, i)], t, &clock, &state);
    }
    if (open) state_write(&state);
    if (with_state) state_close(&state);
    if (with_state && state.trouble.size) state_failed(o, &state, r);
}

static void attempt(const struct options *o, const struct names *names, double end,
                    struct tallies *t, struct result *r) {
    static struct lines lines;
    static const struct names none;
    bool another;
    r->error.size = 0;
    r->count = 0;
    lines_begin(&lines, t);
    bool fine = fetch(o, names, end, &lines, &r->error, &another);
    /* Whoever was asked by name and gave less, or an error, is asked for everything. */
    if (names->count && (fine ? any_missing(o, t) : another)) {
        lines_begin(&lines, t);
        fine = fetch(o, &none, end, &lines, &r->error, &another);
    }
    if (fine) {
        judge_all(o, t, r);
        return;
    }
    struct reason why = r->error;
    r->error.size = 0;
    say_cut(&r->error, o->source.text);
    say(&r->error, ": ");
    say_text(&r->error, (struct text){why.at, why.size});
}

static void pause_for(double seconds) {
    struct timespec left = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&left, NULL);
}

void run(const struct options *o, double begun, struct result *into) {
    static struct tallies tallies;
    static struct names names;
    double end = begun + o->timeout;
    unsigned long long left = o->retries;
    wanted_names(o, &names);
    add_tallies(o, &tallies);
    for (;;) {
        attempt(o, &names, end, &tallies, into);
        if (is_healthy(into) || left == 0 || end - steady_clock() <= o->retry_delay) return;
        left--;
        pause_for(o->retry_delay);
    }
}
