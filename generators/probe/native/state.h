/* What `increases` remembers between two runs: a file that is replaced as a whole under a lock. */
#ifndef SLO_PROBE_STATE_H
#define SLO_PROBE_STATE_H

#include "text.h"

struct record {
    char key[17];
    double value;
    double since; /* monotonic: when the value last grew */
    double start; /* of the process, by its own word */
};

struct state {
    const char *path;
    struct text source;
    char boot[64];
    int lock;
    struct reason trouble; /* what was wrong with the file, or is */
    size_t count;
    struct record records[MAX_RECORDS + MAX_CHECKS];
};

/* Locks and reads; false where that is impossible, which `trouble` explains. */
bool state_open(struct state *state, const char *path, struct text source);
/* The content of a file; what is not ours is said in `trouble` and forgotten. */
void state_parse(struct state *state, struct text text);
/* Takes the record of a check out of the state, if there is one. */
bool state_take(struct state *state, struct text check, struct record *into);
void state_put(struct state *state, const struct record *record);
bool state_write(struct state *state);
void state_close(struct state *state);

#endif
