/* Unpacks a tar archive from standard input into a temporary directory, makes the letters of its
 * files upper-case there, and writes the archive of the result to standard output. */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "scratch.h"

enum { BLOCK = 512 };

typedef struct entry {
    unsigned char header[BLOCK];
    char name[257];
    uint64_t size;
    bool is_directory;
} entry;

static scratch_dir dir;

/* Ends the program; nothing else than the directory is left to be removed. */
static _Noreturn void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("unpack: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    scratch_dir_close(&dir);
    exit(EXIT_FAILURE);
}

static void check(scratch_code code) {
    if (code) fail("%s", scratch_message());
}

static void check_name(scratch_code code, const char *name) {
    if (code) fail("%s: %s", name, scratch_code_name(code));
}

static void read_exactly(void *buffer, size_t size) {
    if (fread(buffer, 1, size, stdin) != size) fail("the archive is cut short");
}

static void write_out(const void *buffer, size_t size) {
    if (fwrite(buffer, 1, size, stdout) != size) fail("standard output cannot be written");
}

static size_t padding(uint64_t size) { return (BLOCK - size % BLOCK) % BLOCK; }

static uint64_t octal(const unsigned char *field, size_t size) {
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        if (field[i] == 0 || field[i] == ' ') continue;
        if (field[i] < '0' || field[i] > '7') fail("the archive is damaged");
        number = number * 8 + (field[i] - '0');
    }
    return number;
}

/* Reads the next header; a block of zeros is the end of the archive. */
static bool next_entry(entry *entry) {
    static const unsigned char zeros[BLOCK];
    unsigned char *header = entry->header;
    read_exactly(header, BLOCK);
    if (memcmp(header, zeros, BLOCK) == 0) return false;
    /* The checksum counts its own field as spaces. */
    uint64_t sum = 0;
    for (size_t i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? ' ' : header[i];
    if (octal(header + 148, 8) != sum) fail("the archive is damaged");
    entry->size = octal(header + 124, 12);
    snprintf(entry->name, sizeof entry->name, "%.155s%s%.100s", (char *)header + 345,
             header[345] ? "/" : "", (char *)header);
    size_t length = strlen(entry->name);
    if (length > 0 && entry->name[length - 1] == '/') entry->name[length - 1] = 0;
    entry->is_directory = header[156] == '5';
    if (!entry->is_directory && header[156] != '0' && header[156] != 0)
        fail("%s: unsupported", entry->name);
    return true;
}

static scratch_code create_directory(const char *path) {
    scratch_code code = scratch_dir_create_directory(dir, path);
    scratch_kind kind;
    if (code != SCRATCH_EXIST || scratch_dir_metadata(dir, path, &kind, NULL)) return code;
    return kind == SCRATCH_KIND_DIRECTORY ? SCRATCH_OK : code;
}

/* Creates a file or directory with its parents. A name that leads out of the directory is refused
 * by the directory. */
static void create(entry *entry) {
    for (char *slash = strchr(entry->name, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        scratch_code code = create_directory(entry->name);
        *slash = '/';
        check_name(code, entry->name);
    }
    if (entry->is_directory) {
        check_name(create_directory(entry->name), entry->name);
        return;
    }
    scratch_file file;
    char chunk[65536];
    check_name(scratch_dir_create_file(dir, entry->name, &file), entry->name);
    for (uint64_t done = 0; done < entry->size;) {
        uint64_t left = entry->size - done;
        size_t part = left < sizeof chunk ? (size_t)left : sizeof chunk;
        read_exactly(chunk, part);
        check_name(scratch_write(file, chunk, part, done), entry->name);
        done += part;
    }
    read_exactly(chunk, padding(entry->size));
    check(scratch_close(&file));
}

/* Makes letters upper-case in the file, or writes the file out. */
static void each_chunk(const char *name, bool upper_case) {
    scratch_file file;
    char chunk[65536];
    size_t count;
    check(scratch_dir_open_file(dir, name, &file));
    for (uint64_t done = 0;; done += count) {
        check(scratch_read(file, chunk, sizeof chunk, done, &count));
        if (count == 0) break;
        if (!upper_case) {
            write_out(chunk, count);
            continue;
        }
        for (size_t i = 0; i < count; i++)
            if (chunk[i] >= 'a' && chunk[i] <= 'z') chunk[i] = (char)toupper(chunk[i]);
        check(scratch_write(file, chunk, count, done));
    }
    check(scratch_close(&file));
}

int main(void) {
    static const char zeros[2 * BLOCK];
    entry *entries = NULL;
    size_t count = 0;
    check(scratch_tempdir(NULL, NULL, &dir));
    for (;; count++) {
        entries = realloc(entries, (count + 1) * sizeof *entries);
        if (!entries) fail("no memory is left");
        if (!next_entry(&entries[count])) break;
        create(&entries[count]);
    }
    for (size_t i = 0; i < count; i++)
        if (!entries[i].is_directory) each_chunk(entries[i].name, true);
    for (size_t i = 0; i < count; i++) {
        write_out(entries[i].header, BLOCK);
        if (entries[i].is_directory) continue;
        each_chunk(entries[i].name, false);
        write_out(zeros, padding(entries[i].size));
    }
    write_out(zeros, sizeof zeros);
    if (fflush(stdout)) fail("standard output cannot be written");
    check(scratch_dir_close(&dir));
    free(entries);
    return EXIT_SUCCESS;
}
