/* A bounded mutation fuzzer for where there is no libFuzzer: fuzz SECONDS SEED FILE... */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "limits.h"
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_SEEDS 512
#define MAX_INPUT (MAX_LINE + 4096)

static struct {
    uint8_t *at;
    size_t size;
} seeds[MAX_SEEDS];
static size_t seed_count;
static uint64_t state;
static uint8_t input[MAX_INPUT];
static size_t input_size;

static uint64_t any(uint64_t below) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return below ? state % below : 0;
}

/* The input that is at fault can be run again: fuzz 0 0 crash-input. */
static void keep_input(void) {
    FILE *file = fopen("crash-input", "wb");
    if (!file) return;
    fwrite(input, 1, input_size, file);
    fclose(file);
    fprintf(stderr, "the input is kept in crash-input\n");
}

void __asan_on_error(void);
void __asan_on_error(void) {
    keep_input();
}

static void on_abort(int signal) {
    keep_input();
    _exit(128 + signal);
}

static void put_in(size_t at, const void *what, size_t size) {
    if (input_size + size > MAX_INPUT) return;
    memmove(input + at + size, input + at, input_size - at);
    memcpy(input + at, what, size);
    input_size += size;
}

static void mutate(void) {
    size_t at = any(input_size + 1), size;
    switch (any(7)) {
    case 0:
        if (at < input_size) input[at] ^= (uint8_t)(1u << any(8));
        break;
    case 1:
        if (at < input_size) input[at] = (uint8_t)any(256);
        break;
    case 2:
        size = any(input_size - at + 1);
        if (any(4)) size = size > 8 ? any(8) : size;
        memmove(input + at, input + at + size, input_size - at - size);
        input_size -= size;
        break;
    case 3: {
        /* A seed as a whole: the words of the grammars are seeds. */
        size_t other = any(seed_count);
        if (seeds[other].size < 64) put_in(at, seeds[other].at, seeds[other].size);
        break;
    }
    case 4: {
        /* A part of itself, doubled. */
        uint8_t part[256];
        size = any(input_size - at + 1);
        size = size > sizeof part ? sizeof part : size;
        memcpy(part, input + at, size);
        put_in(any(input_size + 1), part, size);
        break;
    }
    case 5: {
        size_t other = any(seed_count);
        size_t from = any(seeds[other].size + 1);
        size = any(seeds[other].size - from + 1);
        put_in(at, seeds[other].at + from, size);
        break;
    }
    default: {
        /* Very long, now and then. */
        static uint8_t many[70000];
        if (any(200)) break;
        memset(many, input_size ? input[any(input_size)] : 'a', sizeof many);
        put_in(at, many, any(sizeof many));
    }
    }
}

static void read_seed(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || seed_count == MAX_SEEDS) exit(2);
    uint8_t *at = malloc(MAX_INPUT);
    if (!at) exit(2);
    seeds[seed_count].size = fread(at, 1, MAX_INPUT, file);
    seeds[seed_count++].at = at;
    fclose(file);
}

int main(int count, char **arguments) {
    if (count < 4) {
        fprintf(stderr, "usage: fuzz SECONDS SEED FILE...\n");
        return 2;
    }
    time_t end = time(NULL) + atol(arguments[1]);
    unsigned long long runs = 0;
    state = 0x9E3779B97F4A7C15u + strtoull(arguments[2], NULL, 10);
    for (int i = 3; i < count; i++) read_seed(arguments[i]);
    signal(SIGABRT, on_abort);
    do {
        size_t seed = runs < seed_count ? runs : any(seed_count);
        memcpy(input, seeds[seed].at, seeds[seed].size);
        input_size = seeds[seed].size;
        for (uint64_t i = runs < seed_count ? 0 : 1 + any(12); i > 0; i--) mutate();
        LLVMFuzzerTestOneInput(input, input_size);
        runs++;
    } while (runs < seed_count || (runs % 64) || time(NULL) < end);
    for (size_t i = 0; i < seed_count; i++) free(seeds[i].at);
    printf("%llu inputs\n", runs);
    return 0;
}
