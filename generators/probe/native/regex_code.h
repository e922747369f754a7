/* What regular expressions are compiled to. */
#ifndef SLO_PROBE_REGEX_CODE_H
#define SLO_PROBE_REGEX_CODE_H

#include "regex.h"

enum kind { CHAR, ANY, SET, SPLIT, JUMP, START, END, MATCH };

/* Jumps are relative, so that a repeated part is a plain copy. */
struct instruction {
    uint8_t kind;
    int16_t x;
    int16_t y;
    uint32_t point;
};

struct set {
    bool negated;
    uint8_t count;
    uint32_t low[MAX_RANGES];
    uint32_t high[MAX_RANGES];
};

extern struct instruction regex_pool[MAX_PROGRAMS];
extern struct set regex_sets[MAX_ALL_SETS];

#endif
