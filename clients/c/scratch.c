/* The canonical ABI of `scratch:tempfile` by hand: each import below is a function of the WIT
 * interface, flattened; results come through a pointer to an area that the caller provides. */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IMPORT(name) \
    __attribute__((import_module("scratch:tempfile/tempfile@0.1.0"), import_name(name))) extern void

typedef struct { char *data; size_t length; } list;
/* Records and results as the ABI lays them out. A result's payload begins at the alignment of the
 * larger side: 4, or 8 if that has a u64. */
typedef struct { uint8_t code; list message; uint8_t has_path; list path; } raw_error;
typedef struct {
    uint8_t failed;
    union { raw_error error; int32_t handles[2]; list list; uint8_t storage; };
} result;
typedef struct {
    uint8_t failed;
    union {
        raw_error error;
        uint64_t number;
        struct { uint8_t kind; uint64_t size; } metadata;
    };
} result64;
typedef struct { list path; raw_error error; } raw_failure;
typedef struct { list name; uint8_t kind; } raw_entry;
_Static_assert(sizeof(raw_error) == 24 && sizeof(result) == 28, "the ABI is that of wasm32");
_Static_assert(offsetof(result64, number) == 8 && sizeof(raw_entry) == 12, "and its alignment");


IMPORT("unnamed") i_unnamed(int32_t, intptr_t, size_t, result *);
IMPORT("named") i_named(const char *, size_t, const char *, size_t, int32_t, int32_t, int32_t,
                        const char *, size_t, int32_t, intptr_t, size_t, result *);
IMPORT("spooled") i_spooled(int32_t, int64_t, int32_t, intptr_t, size_t, result *);
IMPORT("directory") i_directory(const char *, size_t, const char *, size_t, int32_t, int32_t,
                                int32_t, const char *, size_t, int32_t, intptr_t, size_t, result *);
IMPORT("link") i_link(int32_t, const char *, size_t, int32_t, result *);
IMPORT("default-directory") i_default_directory(result *);
IMPORT("[method]file.read") i_read(int32_t, int32_t, int64_t, result *);
IMPORT("[method]file.write") i_write(int32_t, const void *, size_t, int64_t, result64 *);
IMPORT("[method]file.size") i_size(int32_t, result64 *);
IMPORT("[method]file.set-size") i_set_size(int32_t, int64_t, result *);
IMPORT("[method]file.sync") i_sync(int32_t, int32_t, result *);
IMPORT("[method]file.storage") i_storage(int32_t, result *);
IMPORT("[method]file.roll-over") i_roll_over(int32_t, result *);
IMPORT("[method]file.close") i_close(int32_t, result *);
IMPORT("[resource-drop]file") i_drop(int32_t);
IMPORT("[method]temp-path.path") i_name_path(int32_t, list *);
IMPORT("[method]temp-path.reopen") i_name_reopen(int32_t, result *);
IMPORT("[method]temp-path.persist") i_name_persist(int32_t, const char *, size_t, int32_t, int32_t,
                                                   result *);
IMPORT("[method]temp-path.keep") i_name_keep(int32_t, result *);
IMPORT("[method]temp-path.close") i_name_close(int32_t, result *);
IMPORT("[resource-drop]temp-path") i_name_drop(int32_t);
IMPORT("[method]temp-dir.path") i_dir_path(int32_t, list *);
IMPORT("[method]temp-dir.create-file") i_dir_create_file(int32_t, const char *, size_t, result *);
IMPORT("[method]temp-dir.open-file") i_dir_open_file(int32_t, const char *, size_t, result *);
IMPORT("[method]temp-dir.create-directory") i_dir_create_directory(int32_t, const char *, size_t,
                                                                   result *);
IMPORT("[method]temp-dir.metadata") i_dir_metadata(int32_t, const char *, size_t, result64 *);
IMPORT("[method]temp-dir.rename") i_dir_rename(int32_t, const char *, size_t, const char *, size_t,
                                               result *);
IMPORT("[method]temp-dir.remove") i_dir_remove(int32_t, const char *, size_t, result *);
IMPORT("[method]temp-dir.entries") i_dir_entries(int32_t, const char *, size_t, result *);
IMPORT("[method]temp-dir.persist") i_dir_persist(int32_t, const char *, size_t, int32_t, int32_t,
                                                 result *);
IMPORT("[method]temp-dir.keep") i_dir_keep(int32_t, result *);
IMPORT("[method]temp-dir.close") i_dir_close(int32_t, result *);
IMPORT("[resource-drop]temp-dir") i_dir_drop(int32_t);

/* A string as the ABI takes it. */
#define TEXT(string) (string), strlen(string)

/* What the host calls for the memory of lists and strings that it returns. */
__attribute__((weak, export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size,
                                                                      size_t align, size_t size) {
    (void)old_size;
    if (size == 0) return (void *)align;
    void *new = realloc(old, size);
    if (!new) abort();
    return new;
}

static void list_free(list list) {
    if (list.length) free(list.data);
}

/* The last failure. */

static char *last_message, *last_path;

/* Takes a list over as a string. */
static char *string(list list) {
    char *string = malloc(list.length + 1);
    if (!string) abort();
    memcpy(string, list.data, list.length);
    string[list.length] = 0;
    list_free(list);
    return string;
}

static scratch_code fail(raw_error *error) {
    free(last_message);
    free(last_path);
    last_message = string(error->message);
    last_path = error->has_path ? string(error->path) : NULL;
    return (scratch_code)(error->code + 1);
}

static scratch_code fail_here(scratch_code code, const char *message) {
    raw_error error = {.code = (uint8_t)(code - 1)};
    error.message = (list){strdup(message), strlen(message)};
    if (!error.message.data) abort();
    return fail(&error);
}

static scratch_code done(result *result) {
    return result->failed ? fail(&result->error) : SCRATCH_OK;
}

/* The answer of a closed handle. The call itself would be a trap. */
static scratch_code closed(void) {
    return fail_here(SCRATCH_CLOSED, "the handle is closed (closed)");
}

const char *scratch_message(void) { return last_message ? last_message : ""; }
const char *scratch_error_path(void) { return last_path; }

void scratch_check(const char *program, scratch_code code) {
    if (code == SCRATCH_OK) return;
    fprintf(stderr, "%s: %s\n", program, scratch_message());
    exit(EXIT_FAILURE);
}

static const struct { const char *name; int number; } codes[] = {
    {"ok", 0}, {"access", EACCES}, {"busy", EBUSY}, {"closed", EBADF}, {"cross-device", EXDEV},
    {"exist", EEXIST}, {"exhausted", EEXIST}, {"file-too-large", EFBIG}, {"invalid", EINVAL},
    {"invalid-name", EINVAL}, {"io", EIO}, {"is-directory", EISDIR},
    {"name-too-long", ENAMETOOLONG}, {"no-entry", ENOENT}, {"no-scratch", ENOENT},
    {"no-space", ENOSPC}, {"not-directory", ENOTDIR}, {"not-durable", EIO},
    {"not-empty", ENOTEMPTY}, {"other", EIO}, {"out-of-handles", EMFILE},
    {"out-of-memory", ENOMEM}, {"quota", EDQUOT}, {"read-only", EROFS}, {"replaced", ESTALE},
    {"unsupported", ENOTSUP},
};
_Static_assert(sizeof codes / sizeof *codes == SCRATCH_UNSUPPORTED + 1, "a row for each code");

const char *scratch_code_name(scratch_code code) { return codes[code].name; }
int scratch_code_errno(scratch_code code) { return codes[code].number; }

/* Creation. */

/* The path as the interface takes it, from `/`: a relative one is from the current directory. It is
 * good until the next call. */
static const char *absolute(const char *path) {
    static char *joined;
    char *directory = *path && *path != '/' ? getcwd(NULL, 0) : NULL;
    if (!directory) return path;
    size_t length = strcmp(directory, "/") ? strlen(directory) : 0;
    free(joined);
    joined = malloc(length + strlen(path) + 2);
    if (!joined) abort();
    memcpy(joined, directory, length);
    joined[length] = '/';
    strcpy(joined + length + 1, path);
    free(directory);
    return joined;
}

typedef struct { int32_t tag; intptr_t value; size_t length; } raw_location;

static scratch_code locate(const scratch_location *where, raw_location *at) {
    *at = (raw_location){0};
    if (where && where->dir) {
        if (!where->dir->handle)
            return fail_here(SCRATCH_CLOSED, "the directory is closed (closed)");
        *at = (raw_location){1, where->dir->handle, 0};
    } else if (where && where->path) {
        const char *path = absolute(where->path);
        *at = (raw_location){2, (intptr_t)path, strlen(path)};
    }
    return SCRATCH_OK;
}

scratch_code scratch_tempfile(const scratch_location *where, scratch_file *file) {
    file->handle = 0;
    raw_location at;
    scratch_code code = locate(where, &at);
    if (code) return code;
    result result;
    i_unnamed(at.tag, at.value, at.length, &result);
    if (result.failed) return fail(&result.error);
    file->handle = result.handles[0];
    return SCRATCH_OK;
}

scratch_code scratch_spooled(uint64_t max_memory, const scratch_location *where,
                             scratch_file *file) {
    file->handle = 0;
    raw_location at;
    scratch_code code = locate(where, &at);
    if (code) return code;
    result result;
    i_spooled(max_memory != UINT64_MAX, (int64_t)max_memory, at.tag, at.value, at.length, &result);
    if (result.failed) return fail(&result.error);
    file->handle = result.handles[0];
    return SCRATCH_OK;
}

typedef void create(const char *, size_t, const char *, size_t, int32_t, int32_t, int32_t,
                    const char *, size_t, int32_t, intptr_t, size_t, result *);

static scratch_code create_named(create *call, const scratch_options *options,
                                 const scratch_location *where, result *result) {
    static const scratch_options usual;
    if (!options) options = &usual;
    int random = options->random_chars == SCRATCH_FIXED ? 0 : options->random_chars;
    if (random < 0 || random > 255)
        return fail_here(SCRATCH_INVALID, "the number of random characters is over 255 (invalid)");
    const char *prefix = options->prefix ? options->prefix : "tmp";
    const char *suffix = options->suffix ? options->suffix : "";
    const char *label = options->label ? options->label : "";
    raw_location at;
    scratch_code code = locate(where, &at);
    if (code) return code;
    call(TEXT(prefix), TEXT(suffix), options->random_chars != 0, random, options->label != NULL,
         TEXT(label), at.tag, at.value, at.length, result);
    return done(result);
}

scratch_code scratch_named(const scratch_options *options, const scratch_location *where,
                           scratch_file *file, scratch_name *name) {
    file->handle = name->handle = 0;
    result result;
    scratch_code code = create_named(i_named, options, where, &result);
    if (code) return code;
    file->handle = result.handles[0];
    name->handle = result.handles[1];
    return SCRATCH_OK;
}

scratch_code scratch_tempdir(const scratch_options *options, const scratch_location *where,
                             scratch_dir *dir) {
    dir->handle = 0;
    result result;
    scratch_code code = create_named(i_directory, options, where, &result);
    if (!code) dir->handle = result.handles[0];
    return code;
}

scratch_code scratch_default_directory(char **path) {
    result result;
    i_default_directory(&result);
    if (result.failed) return fail(&result.error);
    *path = string(result.list);
    return SCRATCH_OK;
}

/* Files. */

scratch_code scratch_read(scratch_file file, void *buffer, size_t size, uint64_t offset,
                          size_t *count) {
    if (!file.handle) return closed();
    for (*count = 0; *count < size;) {
        result result;
        size_t length;
        i_read(file.handle, (int32_t)(size - *count), (int64_t)(offset + *count), &result);
        if (result.failed) return fail(&result.error);
        if (!(length = result.list.length)) return SCRATCH_OK;
        memcpy((char *)buffer + *count, result.list.data, length);
        list_free(result.list);
        *count += length;
    }
    return SCRATCH_OK;
}

/* A host may trap on a longer buffer. */
#define MAX_WRITE ((size_t)4 << 20)

scratch_code scratch_write(scratch_file file, const void *buffer, size_t size, uint64_t offset) {
    if (!file.handle) return closed();
    for (size_t count = 0; count < size;) {
        result64 result;
        size_t rest = size - count;
        i_write(file.handle, (const char *)buffer + count, rest < MAX_WRITE ? rest : MAX_WRITE,
                (int64_t)(offset + count), &result);
        if (result.failed) return fail(&result.error);
        count += (size_t)result.number;
    }
    return SCRATCH_OK;
}

scratch_code scratch_read_all(scratch_file file, char **data, size_t *size) {
    uint64_t expected;
    scratch_code code = scratch_size(file, &expected);
    if (code) return code;
    *data = expected < SIZE_MAX ? malloc((size_t)expected + 1) : NULL;
    if (!*data) return fail_here(SCRATCH_OUT_OF_MEMORY, "read a file: no memory (out-of-memory)");
    code = scratch_read(file, *data, (size_t)expected, 0, size);
    if (code) free(*data), *data = NULL;
    else (*data)[*size] = 0;
    return code;
}

scratch_code scratch_write_all(scratch_file file, const void *buffer, size_t size) {
    scratch_code code = scratch_truncate(file, 0);
    return code ? code : scratch_write(file, buffer, size, 0);
}

scratch_code scratch_size(scratch_file file, uint64_t *size) {
    if (!file.handle) return closed();
    result64 result;
    i_size(file.handle, &result);
    if (result.failed) return fail(&result.error);
    *size = result.number;
    return SCRATCH_OK;
}

scratch_code scratch_truncate(scratch_file file, uint64_t size) {
    if (!file.handle) return closed();
    result result;
    i_set_size(file.handle, (int64_t)size, &result);
    return done(&result);
}

scratch_code scratch_sync(scratch_file file, scratch_durability durability) {
    if (!file.handle) return closed();
    result result;
    i_sync(file.handle, durability, &result);
    return done(&result);
}

scratch_code scratch_get_storage(scratch_file file, scratch_storage *storage) {
    if (!file.handle) return closed();
    result result;
    i_storage(file.handle, &result);
    if (result.failed) return fail(&result.error);
    *storage = (scratch_storage)result.storage;
    return SCRATCH_OK;
}

scratch_code scratch_roll_over(scratch_file file) {
    if (!file.handle) return closed();
    result result;
    i_roll_over(file.handle, &result);
    return done(&result);
}

scratch_code scratch_link(scratch_file file, const char *target, scratch_durability durability) {
    if (!file.handle) return closed();
    result result;
    target = absolute(target);
    i_link(file.handle, TEXT(target), durability, &result);
    return done(&result);
}

scratch_code scratch_close(scratch_file *file) {
    if (!file->handle) return SCRATCH_OK;
    result result;
    i_close(file->handle, &result);
    if (result.failed) return fail(&result.error);
    i_drop(file->handle);
    file->handle = 0;
    return SCRATCH_OK;
}

/* Names. */

scratch_code scratch_name_path(scratch_name name, char **path) {
    if (!name.handle) return closed();
    list text;
    i_name_path(name.handle, &text);
    *path = string(text);
    return SCRATCH_OK;
}

scratch_code scratch_name_reopen(scratch_name name, scratch_file *file) {
    file->handle = 0;
    if (!name.handle) return closed();
    result result;
    i_name_reopen(name.handle, &result);
    if (result.failed) return fail(&result.error);
    file->handle = result.handles[0];
    return SCRATCH_OK;
}

static scratch_code name_release(scratch_name *name, result *result) {
    scratch_code code = done(result);
    if (code && code != SCRATCH_NOT_DURABLE) return code;
    i_name_drop(name->handle);
    name->handle = 0;
    return code;
}

scratch_code scratch_name_persist(scratch_name *name, const char *target, scratch_replace mode,
                                  scratch_durability durability) {
    if (!name->handle) return closed();
    result result;
    target = absolute(target);
    i_name_persist(name->handle, TEXT(target), mode, durability, &result);
    return name_release(name, &result);
}

scratch_code scratch_name_keep(scratch_name *name, char **path) {
    if (!name->handle) return closed();
    result result;
    i_name_keep(name->handle, &result);
    if (!result.failed) path ? (void)(*path = string(result.list)) : list_free(result.list);
    return name_release(name, &result);
}

scratch_code scratch_name_close(scratch_name *name) {
    if (!name->handle) return SCRATCH_OK;
    result result;
    i_name_close(name->handle, &result);
    return name_release(name, &result);
}

/* Directories. */

scratch_code scratch_dir_path(scratch_dir dir, char **path) {
    if (!dir.handle) return closed();
    list text;
    i_dir_path(dir.handle, &text);
    *path = string(text);
    return SCRATCH_OK;
}

scratch_code scratch_dir_create_file(scratch_dir dir, const char *path, scratch_file *file) {
    file->handle = 0;
    if (!dir.handle) return closed();
    result result;
    i_dir_create_file(dir.handle, TEXT(path), &result);
    if (result.failed) return fail(&result.error);
    file->handle = result.handles[0];
    return SCRATCH_OK;
}

scratch_code scratch_dir_open_file(scratch_dir dir, const char *path, scratch_file *file) {
    file->handle = 0;
    if (!dir.handle) return closed();
    result result;
    i_dir_open_file(dir.handle, TEXT(path), &result);
    if (result.failed) return fail(&result.error);
    file->handle = result.handles[0];
    return SCRATCH_OK;
}

scratch_code scratch_dir_create_directory(scratch_dir dir, const char *path) {
    if (!dir.handle) return closed();
    result result;
    i_dir_create_directory(dir.handle, TEXT(path), &result);
    return done(&result);
}

scratch_code scratch_dir_metadata(scratch_dir dir, const char *path, scratch_kind *kind,
                                  uint64_t *size) {
    if (!dir.handle) return closed();
    result64 result;
    i_dir_metadata(dir.handle, TEXT(path), &result);
    if (result.failed) return fail(&result.error);
    *kind = (scratch_kind)result.metadata.kind;
    if (size) *size = result.metadata.size;
    return SCRATCH_OK;
}

scratch_code scratch_dir_rename(scratch_dir dir, const char *old_path, const char *new_path) {
    if (!dir.handle) return closed();
    result result;
    i_dir_rename(dir.handle, TEXT(old_path), TEXT(new_path), &result);
    return done(&result);
}

scratch_code scratch_dir_remove(scratch_dir dir, const char *path) {
    if (!dir.handle) return closed();
    result result;
    i_dir_remove(dir.handle, TEXT(path), &result);
    return done(&result);
}

scratch_code scratch_dir_entries(scratch_dir dir, const char *path, scratch_entry **entries,
                                 size_t *count) {
    if (!dir.handle) return closed();
    result result;
    i_dir_entries(dir.handle, TEXT(path), &result);
    if (result.failed) return fail(&result.error);
    raw_entry *raw = (raw_entry *)result.list.data;
    *count = result.list.length;
    *entries = calloc(*count + 1, sizeof **entries);
    if (!*entries) abort();
    for (size_t i = 0; i < *count; i++)
        (*entries)[i] = (scratch_entry){string(raw[i].name), (scratch_kind)raw[i].kind};
    list_free(result.list);
    return SCRATCH_OK;
}

void scratch_free_entries(scratch_entry *entries, size_t count) {
    for (size_t i = 0; i < count; i++) free(entries[i].name);
    free(entries);
}

static scratch_code dir_release(scratch_dir *dir, scratch_code code) {
    if (code && code != SCRATCH_NOT_DURABLE) return code;
    i_dir_drop(dir->handle);
    dir->handle = 0;
    return code;
}

scratch_code scratch_dir_persist(scratch_dir *dir, const char *target, scratch_replace mode,
                                 scratch_durability durability) {
    if (!dir->handle) return closed();
    result result;
    target = absolute(target);
    i_dir_persist(dir->handle, TEXT(target), mode, durability, &result);
    return dir_release(dir, done(&result));
}

scratch_code scratch_dir_keep(scratch_dir *dir, char **path) {
    if (!dir->handle) return closed();
    result result;
    i_dir_keep(dir->handle, &result);
    if (!result.failed) path ? (void)(*path = string(result.list)) : list_free(result.list);
    return dir_release(dir, done(&result));
}

scratch_code scratch_dir_close(scratch_dir *dir) {
    if (!dir->handle) return SCRATCH_OK;
    result result;
    i_dir_close(dir->handle, &result);
    if (!result.failed) return dir_release(dir, SCRATCH_OK);
    raw_failure *failures = (raw_failure *)result.list.data;
    scratch_code code = SCRATCH_OK;
    for (size_t i = 0; i < result.list.length; i++) {
        raw_error *error = &failures[i].error;
        if (i == 0) {
            code = fail(error);
            free(last_path);
            last_path = string(failures[i].path);
            continue;
        }
        list_free(failures[i].path);
        list_free(error->message);
        if (error->has_path) list_free(error->path);
    }
    list_free(result.list);
    return code ? code : fail_here(SCRATCH_OTHER, "the directory could not be removed (other)");
}

/* Paths and descriptors. */

/* Splits `path` into a directory, which the caller frees, and the prefix before the X's. */
static int split(char *path, char **directory, char **prefix, int *random) {
    size_t length = strlen(path), start = length;
    while (start > 0 && path[start - 1] == 'X') start--;
    char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (length - start < 6 || length - start > 255) {
        errno = EINVAL;
        return -1;
    }
    *random = (int)(length - start);
    /* Up to the slash, but for the root's. */
    size_t parent = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
    *directory = parent ? strndup(path, parent) : strdup(".");
    *prefix = strndup(name, (size_t)(path + start - name));
    if (!*directory || !*prefix) abort();
    return 0;
}

static int failed(scratch_code code) {
    errno = scratch_code_errno(code);
    return -1;
}

/* Writes the random characters over the X's. */
static void fill(char *path, const char *created, int random) {
    memcpy(path + strlen(path) - random, created + strlen(created) - random, (size_t)random);
}

/* Sets the message for a path that the interface made and `open` refused. Such a path is of no use
 * to anybody, so what it names goes. */
static void fail_open(const char *path, int cause) {
    /* It is there, so it is the directory around it that the plugin does not see. */
    const char *reason = cause == ENOENT ? "the plugin does not see this directory, as in a run "
                                           "that limits bytes, entries or file sizes"
                                         : strerror(cause);
    scratch_code code = cause == ENOENT ? SCRATCH_NO_ENTRY : SCRATCH_OTHER;
    char message[512];
    snprintf(message, sizeof message, "open %.300s: %s (%s)", path, reason, codes[code].name);
    fail_here(code, message);
}

/* Creates and opens a file. Its path is the caller's to free. */
static int create_open(const scratch_options *options, const char *directory, char **path) {
    scratch_location where = {.path = directory};
    scratch_file file;
    scratch_name name;
    scratch_code code = scratch_named(options, &where, &file, &name);
    if (code) return failed(code);
    scratch_close(&file);
    scratch_name_path(name, path);
    int descriptor = open(*path, O_RDWR);
    int cause = errno;
    if (descriptor < 0) {
        scratch_name_close(&name);
        fail_open(*path, cause);
        free(*path);
    } else {
        scratch_name_keep(&name, NULL);
    }
    errno = cause;
    return descriptor;
}

FILE *scratch_tmpfile(void) {
    char *path;
    int descriptor = create_open(NULL, NULL, &path);
    if (descriptor < 0) return NULL;
    unlink(path);
    free(path);
    FILE *stream = fdopen(descriptor, "w+");
    if (!stream) close(descriptor);
    return stream;
}

int scratch_mkstemp(char *path) {
    char *directory, *prefix, *created;
    int random;
    if (split(path, &directory, &prefix, &random)) return -1;
    scratch_options options = {.prefix = prefix, .random_chars = random};
    int descriptor = create_open(&options, directory, &created);
    if (descriptor >= 0) {
        fill(path, created, random);
        free(created);
    }
    free(directory);
    free(prefix);
    return descriptor;
}

char *scratch_mkdtemp(char *path) {
    char *directory, *prefix, *created;
    int random;
    if (split(path, &directory, &prefix, &random)) return NULL;
    scratch_options options = {.prefix = prefix, .random_chars = random};
    scratch_location where = {.path = directory};
    scratch_dir dir;
    scratch_code code = scratch_tempdir(&options, &where, &dir);
    if (!code) code = scratch_dir_path(dir, &created);
    free(directory);
    free(prefix);
    if (code) return failed(code), NULL;
    int descriptor = open(created, O_RDONLY | O_DIRECTORY);
    int cause = errno;
    if (descriptor >= 0) {
        close(descriptor);
        scratch_dir_keep(&dir, NULL);
        fill(path, created, random);
    } else {
        scratch_dir_close(&dir);
        fail_open(created, cause);
    }
    free(created);
    errno = cause;
    return descriptor < 0 ? NULL : path;
}
