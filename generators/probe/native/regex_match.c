/* Runs compiled regular expressions, anchored at both ends, in time linear in the text. */
#include "regex_code.h"

/* The instructions that wait for a character, after everything that takes none. */
struct threads {
    size_t count;
    int16_t at[MAX_PROGRAM];
};

static uint32_t seen[MAX_PROGRAM];
static uint32_t round_number;

static void follow(const struct regex *regex, struct threads *into, int at, bool start, bool end) {
    static int16_t stack[2 * MAX_PROGRAM + 2];
    size_t height = 0;
    stack[height++] = (int16_t)at;
    while (height) {
        int here = stack[--height];
        if (seen[here] == round_number) continue;
        seen[here] = round_number;
        const struct instruction *i = &regex_pool[regex->first + (size_t)here];
        if (i->kind == SPLIT) {
            stack[height++] = (int16_t)(here + i->y);
            stack[height++] = (int16_t)(here + i->x);
        } else if (i->kind == JUMP) {
            stack[height++] = (int16_t)(here + i->x);
        } else if (i->kind == START || i->kind == END) {
            if (i->kind == START ? start : end) stack[height++] = (int16_t)(here + 1);
        } else {
            into->at[into->count++] = (int16_t)here;
        }
    }
}

static bool takes(const struct regex *regex, const struct instruction *i, uint32_t point) {
    if (i->kind == ANY) return true;
    if (i->kind == CHAR) return i->point == point;
    if (i->kind != SET) return false;
    const struct set *set = &regex_sets[regex->first_set + (size_t)i->x];
    bool inside = false;
    for (uint8_t k = 0; k < set->count && !inside; k++) {
        inside = set->low[k] <= point && point <= set->high[k];
    }
    return inside != set->negated;
}

bool regex_matches(const struct regex *regex, struct text value) {
    static struct threads lists[2];
    struct threads *current = &lists[0], *following = &lists[1];
    current->count = 0;
    round_number++;
    follow(regex, current, 0, true, value.size == 0);
    for (size_t at = 0; at < value.size && current->count;) {
        uint32_t point = code_point(value, &at);
        following->count = 0;
        round_number++;
        for (size_t k = 0; k < current->count; k++) {
            int here = current->at[k];
            if (takes(regex, &regex_pool[regex->first + (size_t)here], point)) {
                follow(regex, following, here + 1, false, at == value.size);
            }
        }
        struct threads *spare = current;
        current = following;
        following = spare;
    }
    for (size_t k = 0; k < current->count; k++) {
        if (regex_pool[regex->first + (size_t)current->at[k]].kind == MATCH) return true;
    }
    return false;
}
