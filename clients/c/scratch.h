/* Temporary files and directories for WebAssembly plugins in C: the interface `scratch:tempfile`.
 *
 * Every function that can fail returns a `scratch_code`: 0 (`SCRATCH_OK`), or why it failed.
 * `scratch_tmpfile`, `scratch_mkstemp` and `scratch_mkdtemp` set `errno` instead, as their
 * counterparts in the C library do. A handle of 0 is closed, and closing it again is no error. The
 * path of a location and the target of persist and link may be relative: they are taken from the
 * current directory, which is `/` until you call `chdir`. `wit/tempfile/tempfile.wit` has each
 * function's rules and errors. The functions are not thread-safe. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum scratch_code {
    SCRATCH_OK,
    SCRATCH_ACCESS,
    SCRATCH_BUSY,
    SCRATCH_CLOSED,
    SCRATCH_CROSS_DEVICE,
    SCRATCH_EXIST,
    SCRATCH_EXHAUSTED,
    SCRATCH_FILE_TOO_LARGE,
    SCRATCH_INVALID,
    SCRATCH_INVALID_NAME,
    SCRATCH_IO,
    SCRATCH_IS_DIRECTORY,
    SCRATCH_NAME_TOO_LONG,
    SCRATCH_NO_ENTRY,
    SCRATCH_NO_SCRATCH,
    SCRATCH_NO_SPACE,
    SCRATCH_NOT_DIRECTORY,
    SCRATCH_NOT_DURABLE,
    SCRATCH_NOT_EMPTY,
    SCRATCH_OTHER,
    SCRATCH_OUT_OF_HANDLES,
    SCRATCH_OUT_OF_MEMORY,
    SCRATCH_QUOTA,
    SCRATCH_READ_ONLY,
    SCRATCH_REPLACED,
    SCRATCH_UNSUPPORTED,
} scratch_code;

/* The interface's name of a code, such as "no-entry". */
const char *scratch_code_name(scratch_code code);
/* The `errno` that says the same, for callers who have no other words. */
int scratch_code_errno(scratch_code code);
/* One line about the last failure: the operation, the name and the cause. It stays until the next
 * failure. */
const char *scratch_message(void);
/* The path that the last failure was about, or NULL. */
const char *scratch_error_path(void);
/* Ends the program if a function failed: for those that have nothing else to do then. Prints
 * `program`, a colon and `scratch_message()` on standard error, and calls `exit(EXIT_FAILURE)`. */
void scratch_check(const char *program, scratch_code code);

typedef struct scratch_file { int32_t handle; } scratch_file;
typedef struct scratch_name { int32_t handle; } scratch_name;
typedef struct scratch_dir { int32_t handle; } scratch_dir;

typedef enum scratch_durability { SCRATCH_NONE, SCRATCH_DATA, SCRATCH_FULL } scratch_durability;
typedef enum scratch_replace { SCRATCH_OVERWRITE, SCRATCH_NO_CLOBBER } scratch_replace;
typedef enum scratch_storage { SCRATCH_MEMORY, SCRATCH_DISK } scratch_storage;
typedef enum scratch_kind { SCRATCH_KIND_FILE, SCRATCH_KIND_DIRECTORY, SCRATCH_KIND_OTHER }
    scratch_kind;

/* Where something is created: in `dir` if it is not NULL, else in the directory `path` if that is
 * not NULL, else in the default directory. A `scratch_location *` of NULL means the last. */
typedef struct scratch_location {
    const scratch_dir *dir;
    const char *path;
} scratch_location;

/* How something is named. All zeros, and a `scratch_options *` of NULL, mean "tmp" and 16 random
 * characters. */
typedef struct scratch_options {
    const char *prefix; /* NULL: "tmp" */
    const char *suffix;
    const char *label;
    int random_chars; /* 1 to 255; 0: 16; SCRATCH_FIXED: none */
} scratch_options;
#define SCRATCH_FIXED (-1)

/* Creation. Where it fails, the handles are set to 0. */
scratch_code scratch_tempfile(const scratch_location *where, scratch_file *file);
scratch_code scratch_named(const scratch_options *options, const scratch_location *where,
                           scratch_file *file, scratch_name *name);
/* Keeps up to `max_memory` bytes in memory; without a limit if it is UINT64_MAX. */
scratch_code scratch_spooled(uint64_t max_memory, const scratch_location *where,
                             scratch_file *file);
scratch_code scratch_tempdir(const scratch_options *options, const scratch_location *where,
                             scratch_dir *dir);
/* The path of the default directory. The caller frees it, and every other string and buffer that a
 * function returns through a pointer to a pointer. */
scratch_code scratch_default_directory(char **path);

/* Files. They have no cursor. */

/* Reads up to `size` bytes; `*count` is less only at the end of the file. */
scratch_code scratch_read(scratch_file file, void *buffer, size_t size, uint64_t offset,
                          size_t *count);
/* Writes all bytes. After a failure some of them may have been written. */
scratch_code scratch_write(scratch_file file, const void *buffer, size_t size, uint64_t offset);
/* Reads the whole file. A zero byte follows its `*size` bytes. */
scratch_code scratch_read_all(scratch_file file, char **data, size_t *size);
/* Makes the bytes the whole content of the file. */
scratch_code scratch_write_all(scratch_file file, const void *buffer, size_t size);
/* The size in bytes. */
scratch_code scratch_size(scratch_file file, uint64_t *size);
/* Truncates the file, or extends it with zeros: `size` in bytes, at most 2^63-1. */
scratch_code scratch_truncate(scratch_file file, uint64_t size);
/* Waits until written data is on stable storage. SCRATCH_NONE does nothing. */
scratch_code scratch_sync(scratch_file file, scratch_durability durability);
/* Where the bytes are. */
scratch_code scratch_get_storage(scratch_file file, scratch_storage *storage);
/* Moves the bytes of a spooled file to disk. */
scratch_code scratch_roll_over(scratch_file file);
/* Gives an unnamed file a permanent name, which must be free. SCRATCH_UNSUPPORTED where the host
 * cannot, as in a provider component. */
scratch_code scratch_link(scratch_file file, const char *target, scratch_durability durability);
/* Closes the file, and sets the handle to 0. Its name stays. */
scratch_code scratch_close(scratch_file *file);

/* Names. persist, keep and close take a pointer to the handle, and set the handle to 0 on success
 * and on SCRATCH_NOT_DURABLE. After any other failure it is unchanged. The same holds for the
 * functions of a directory. */

/* The path at which the file was created. */
scratch_code scratch_name_path(scratch_name name, char **path);
/* Opens the file at the name again. */
scratch_code scratch_name_reopen(scratch_name name, scratch_file *file);
/* Renames the file to `target`, where it stays. */
scratch_code scratch_name_persist(scratch_name *name, const char *target, scratch_replace mode,
                                  scratch_durability durability);
/* Leaves the file where it is. `path` may be NULL. */
scratch_code scratch_name_keep(scratch_name *name, char **path);
/* Removes the name. */
scratch_code scratch_name_close(scratch_name *name);

/* Directories. Paths are relative to the directory, and none leads out of it. */

typedef struct scratch_entry {
    char *name;
    scratch_kind kind;
} scratch_entry;

scratch_code scratch_dir_path(scratch_dir dir, char **path);
scratch_code scratch_dir_create_file(scratch_dir dir, const char *path, scratch_file *file);
scratch_code scratch_dir_open_file(scratch_dir dir, const char *path, scratch_file *file);
scratch_code scratch_dir_create_directory(scratch_dir dir, const char *path);
/* `size` may be NULL. */
scratch_code scratch_dir_metadata(scratch_dir dir, const char *path, scratch_kind *kind,
                                  uint64_t *size);
scratch_code scratch_dir_rename(scratch_dir dir, const char *old_path, const char *new_path);
scratch_code scratch_dir_remove(scratch_dir dir, const char *path);
/* Lists a directory; the path "" is `dir` itself. Free it with `scratch_free_entries`. */
scratch_code scratch_dir_entries(scratch_dir dir, const char *path, scratch_entry **entries,
                                 size_t *count);
void scratch_free_entries(scratch_entry *entries, size_t count);
scratch_code scratch_dir_persist(scratch_dir *dir, const char *target, scratch_replace mode,
                                 scratch_durability durability);
scratch_code scratch_dir_keep(scratch_dir *dir, char **path);
/* Removes the directory with everything in it. After a failure the last error is about the first
 * path that is left, and close can be tried again. */
scratch_code scratch_dir_close(scratch_dir *dir);

/* For code that works with paths and descriptors: what the C library calls `tmpfile`, `mkstemp` and
 * `mkdtemp`. They need a scratch directory that the plugin can open by its path (a run without
 * limits on files). Failures set `errno`, and `scratch_message()` as well. What they name stays
 * until the plugin removes it, or the host empties the directory, as this project's does at the end
 * of a run. */

/* An open stream without a name, or NULL. */
FILE *scratch_tmpfile(void);
/* Creates a file and returns a descriptor, or -1. `path` ends in X's, at least six of them, which
 * are replaced by random characters. Without a directory, such as "/tmp/", it is in the current
 * one, which no plugin can write to before it calls `chdir`. */
int scratch_mkstemp(char *path);
/* Creates a directory, as `scratch_mkstemp` does a file; returns `path`, or NULL. */
char *scratch_mkdtemp(char *path);

#ifdef __cplusplus
}
#endif
#endif
