/* Counts the lines of standard input that are in it more than once, by way of a temporary file. */
#include <stdlib.h>
#include <string.h>

#include "scratch.h"

static void check(scratch_code code) {
    if (code == SCRATCH_OK) return;
    fprintf(stderr, "words: %s\n", scratch_message());
    exit(EXIT_FAILURE);
}

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(void) {
    scratch_file file;
    char chunk[4096], *all, **lines;
    size_t size, count = 0, repeated = 0;

    check(scratch_spooled(65536, NULL, &file));
    for (uint64_t end = 0; (size = fread(chunk, 1, sizeof chunk, stdin)) > 0; end += size)
        check(scratch_write(file, chunk, size, end));
    check(scratch_read_all(file, &all, &size));
    check(scratch_close(&file));

    lines = calloc(size + 1, sizeof *lines);
    if (!lines) return EXIT_FAILURE;
    for (char *line = strtok(all, "\n"); line; line = strtok(NULL, "\n")) lines[count++] = line;
    qsort(lines, count, sizeof *lines, compare);
    for (size_t i = 1; i < count; i++)
        if (strcmp(lines[i], lines[i - 1]) == 0) printf("repeated: %s\n", lines[i]), repeated++;
    printf("%zu lines, %zu of them repeated\n", count, repeated);
    free(lines);
    free(all);
    return EXIT_SUCCESS;
}
