/* The client's tests, as a plugin: one behaviour each. The plugin fails at the first that does. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"

static const char *test;

#define CHECK(condition) \
    do { \
        if (condition) break; \
        fprintf(stderr, "%s: line %d: %s (%s)\n", test, __LINE__, #condition, scratch_message()); \
        exit(EXIT_FAILURE); \
    } while (0)
#define OK(call) CHECK((call) == SCRATCH_OK)

static void a_file_has_what_was_written(void) {
    scratch_file file;
    char *all;
    size_t size;
    uint64_t length;
    OK(scratch_tempfile(NULL, &file));
    OK(scratch_write_all(file, "longer text", 11));
    OK(scratch_write_all(file, "text", 4));
    OK(scratch_write(file, "!", 1, 6));
    OK(scratch_size(file, &length));
    OK(scratch_read_all(file, &all, &size));
    CHECK(length == 7 && size == 7 && memcmp(all, "text\0\0!", 8) == 0);
    free(all);
    OK(scratch_truncate(file, 2));
    OK(scratch_sync(file, SCRATCH_FULL));
    OK(scratch_read_all(file, &all, &size));
    CHECK(strcmp(all, "te") == 0);
    free(all);
    CHECK(scratch_truncate(file, UINT64_MAX) == SCRATCH_INVALID);
    OK(scratch_close(&file));
}

static void several_mebibytes_in_and_out(void) {
    enum { SIZE = (3 << 20) + 5 };
    scratch_file file;
    char *data = malloc(SIZE), *all;
    size_t size;
    CHECK(data);
    for (size_t i = 0; i < SIZE; i++) data[i] = (char)(i % 251);
    OK(scratch_spooled(1 << 20, NULL, &file));
    OK(scratch_write_all(file, data, SIZE));
    OK(scratch_read_all(file, &all, &size));
    CHECK(size == SIZE && memcmp(all, data, SIZE) == 0);
    free(data);
    free(all);
    OK(scratch_close(&file));
}

static void a_spooled_file_moves_when_it_grows(void) {
    scratch_file file;
    scratch_storage storage;
    OK(scratch_spooled(4, NULL, &file));
    OK(scratch_write(file, "1234", 4, 0));
    OK(scratch_get_storage(file, &storage));
    CHECK(storage == SCRATCH_MEMORY);
    OK(scratch_write(file, "5", 1, 4));
    OK(scratch_get_storage(file, &storage));
    CHECK(storage == SCRATCH_DISK);
    OK(scratch_close(&file));
    OK(scratch_spooled(UINT64_MAX, NULL, &file));
    OK(scratch_roll_over(file));
    OK(scratch_get_storage(file, &storage));
    CHECK(storage == SCRATCH_DISK);
    OK(scratch_close(&file));
}

static void a_name_is_reopened_persisted_and_kept(void) {
    scratch_options options = {.prefix = "in-", .suffix = ".txt", .random_chars = 4};
    scratch_file file, again;
    scratch_name name;
    scratch_dir dir;
    char *path, *kept, *target, *directory, byte;
    size_t count;
    OK(scratch_tempdir(NULL, NULL, &dir));
    scratch_location where = {.dir = &dir};
    OK(scratch_dir_path(dir, &directory));
    OK(scratch_named(&options, &where, &file, &name));
    OK(scratch_name_path(name, &path));
    CHECK(strncmp(path, directory, strlen(directory)) == 0);
    CHECK(strlen(path) == strlen(directory) + strlen("/in-1234.txt"));
    OK(scratch_write_all(file, "x", 1));
    OK(scratch_name_reopen(name, &again));
    OK(scratch_read(again, &byte, 1, 0, &count));
    CHECK(count == 1 && byte == 'x');
    OK(scratch_close(&again));
    target = malloc(strlen(directory) + 8);
    CHECK(target);
    sprintf(target, "%s/target", directory);
    OK(scratch_name_persist(&name, target, SCRATCH_NO_CLOBBER, SCRATCH_DATA));
    CHECK(scratch_name_persist(&name, target, SCRATCH_OVERWRITE, SCRATCH_NONE) == SCRATCH_CLOSED);
    OK(scratch_close(&file));
    OK(scratch_named(NULL, &where, &file, &name));
    CHECK(scratch_name_persist(&name, target, SCRATCH_NO_CLOBBER, SCRATCH_NONE) == SCRATCH_EXIST);
    OK(scratch_name_keep(&name, &kept));
    OK(scratch_close(&file));
    scratch_entry *entries;
    OK(scratch_dir_entries(dir, "", &entries, &count));
    CHECK(count == 2 && entries[0].kind == SCRATCH_KIND_FILE);
    scratch_free_entries(entries, count);
    OK(scratch_dir_close(&dir));
    free(path), free(kept), free(target), free(directory);
}

static void a_fixed_name_that_is_taken_is_exist(void) {
    scratch_options options = {.prefix = "fixed", .random_chars = SCRATCH_FIXED, .label = "test"};
    scratch_file file, other;
    scratch_name name, other_name;
    OK(scratch_named(&options, NULL, &file, &name));
    CHECK(scratch_named(&options, NULL, &other, &other_name) == SCRATCH_EXIST);
    CHECK(other.handle == 0 && other_name.handle == 0);
    CHECK(strstr(scratch_message(), "fixed") && scratch_error_path());
    CHECK(strcmp(scratch_code_name(SCRATCH_EXIST), "exist") == 0);
    CHECK(scratch_code_errno(SCRATCH_EXIST) == EEXIST);
    OK(scratch_name_close(&name));
    OK(scratch_name_close(&name));
    OK(scratch_close(&file));
}

static void a_directory_has_files_and_directories(void) {
    scratch_dir dir;
    scratch_file file;
    scratch_kind kind;
    uint64_t size;
    OK(scratch_tempdir(NULL, NULL, &dir));
    OK(scratch_dir_create_directory(dir, "a"));
    OK(scratch_dir_create_file(dir, "a/b", &file));
    OK(scratch_write_all(file, "four", 4));
    OK(scratch_close(&file));
    OK(scratch_dir_rename(dir, "a/b", "a/c"));
    OK(scratch_dir_metadata(dir, "a/c", &kind, &size));
    CHECK(kind == SCRATCH_KIND_FILE && size == 4);
    OK(scratch_dir_metadata(dir, "a", &kind, NULL));
    CHECK(kind == SCRATCH_KIND_DIRECTORY);
    OK(scratch_dir_open_file(dir, "a/c", &file));
    OK(scratch_close(&file));
    CHECK(scratch_dir_create_file(dir, "../x", &file) == SCRATCH_INVALID_NAME);
    CHECK(scratch_dir_open_file(dir, "missing", &file) == SCRATCH_NO_ENTRY);
    OK(scratch_dir_remove(dir, "a"));
    OK(scratch_dir_close(&dir));
}

static void a_directory_is_persisted_and_kept(void) {
    scratch_dir dir;
    char *base, *target, *path;
    OK(scratch_default_directory(&base));
    target = malloc(strlen(base) + 11);
    CHECK(target);
    sprintf(target, "%s/persisted", base);
    OK(scratch_tempdir(NULL, NULL, &dir));
    OK(scratch_dir_persist(&dir, target, SCRATCH_OVERWRITE, SCRATCH_FULL));
    CHECK(scratch_dir_keep(&dir, NULL) == SCRATCH_CLOSED);
    OK(scratch_tempdir(NULL, NULL, &dir));
    OK(scratch_dir_keep(&dir, &path));
    free(base), free(target), free(path);
}

static void a_closed_handle_answers_closed(void) {
    scratch_file file = {0};
    scratch_name name = {0};
    scratch_dir dir = {0};
    scratch_location where = {.dir = &dir};
    char *path, byte;
    size_t size;
    OK(scratch_close(&file));
    OK(scratch_name_close(&name));
    OK(scratch_dir_close(&dir));
    CHECK(scratch_read(file, &byte, 1, 0, &size) == SCRATCH_CLOSED);
    CHECK(scratch_write(file, &byte, 1, 0) == SCRATCH_CLOSED);
    CHECK(scratch_read_all(file, &path, &size) == SCRATCH_CLOSED);
    CHECK(scratch_link(file, "/tmp/x", SCRATCH_NONE) == SCRATCH_CLOSED);
    CHECK(scratch_name_path(name, &path) == SCRATCH_CLOSED);
    CHECK(scratch_name_reopen(name, &file) == SCRATCH_CLOSED);
    CHECK(scratch_dir_path(dir, &path) == SCRATCH_CLOSED);
    CHECK(scratch_dir_remove(dir, "x") == SCRATCH_CLOSED);
    CHECK(scratch_tempfile(&where, &file) == SCRATCH_CLOSED);
    CHECK(scratch_tempdir(NULL, &where, &dir) == SCRATCH_CLOSED);
}

static void options_and_places_are_checked(void) {
    scratch_options many = {.random_chars = 256}, few = {.random_chars = -2};
    scratch_options slash = {.prefix = "a/b"};
    scratch_location nowhere = {.path = "/nowhere"};
    scratch_dir dir;
    scratch_file file;
    CHECK(scratch_tempdir(&many, NULL, &dir) == SCRATCH_INVALID);
    CHECK(scratch_tempdir(&few, NULL, &dir) == SCRATCH_INVALID);
    CHECK(scratch_tempdir(&slash, NULL, &dir) == SCRATCH_INVALID_NAME);
    CHECK(scratch_tempfile(&nowhere, &file) == SCRATCH_NO_ENTRY);
}

static void paths_and_descriptors(void) {
    char *base, byte = 0;
    struct stat status;
    OK(scratch_default_directory(&base));
    char path[256], directory[256];
    snprintf(path, sizeof path, "%s/name-XXXXXX", base);
    snprintf(directory, sizeof directory, "%s/dir-XXXXXXXX", base);

    int descriptor = scratch_mkstemp(path);
    CHECK(descriptor >= 0 && !strstr(path, "XXXXXX"));
    CHECK(write(descriptor, "x", 1) == 1 && close(descriptor) == 0);
    CHECK(stat(path, &status) == 0 && status.st_size == 1 && unlink(path) == 0);

    CHECK(scratch_mkdtemp(directory) == directory && !strstr(directory, "XXXXXX"));
    CHECK(stat(directory, &status) == 0 && S_ISDIR(status.st_mode) && rmdir(directory) == 0);

    FILE *stream = scratch_tmpfile();
    CHECK(stream && fputc('y', stream) == 'y');
    rewind(stream);
    CHECK(fread(&byte, 1, 1, stream) == 1 && byte == 'y' && fclose(stream) == 0);

    errno = 0;
    snprintf(path, sizeof path, "%s/name-XXXXX", base);
    CHECK(scratch_mkstemp(path) == -1 && errno == EINVAL);
    errno = 0;
    snprintf(path, sizeof path, "/nowhere/XXXXXX");
    CHECK(scratch_mkstemp(path) == -1 && errno == ENOENT && strstr(path, "XXXXXX"));
    CHECK(!scratch_mkdtemp(path) && errno == ENOENT);
    free(base);
}

/* The last test, since `/` is no directory that a plugin could go back to. */
static void relative_paths_are_from_the_current_directory(void) {
    char *base, name[] = "name-XXXXXX", dotted[] = "./name-XXXXXX", below[] = "sub/name-XXXXXX";
    char directory[] = "XXXXXXXX", nowhere[] = "name-XXXXXX", *path;
    struct stat status;
    CHECK(scratch_mkstemp(nowhere) == -1 && errno == ENOENT);
    OK(scratch_default_directory(&base));
    CHECK(chdir(base) == 0 && mkdir("sub", 0700) == 0);
    char *templates[] = {name, dotted, below};
    for (size_t i = 0; i < 3; i++) {
        int descriptor = scratch_mkstemp(templates[i]);
        CHECK(descriptor >= 0 && close(descriptor) == 0 && unlink(templates[i]) == 0);
    }
    CHECK(scratch_mkdtemp(directory) && stat(directory, &status) == 0 && rmdir(directory) == 0);

    scratch_location where = {.path = "sub"};
    scratch_file file;
    scratch_name temporary;
    scratch_dir dir;
    OK(scratch_named(NULL, &where, &file, &temporary));
    OK(scratch_name_path(temporary, &path));
    CHECK(strncmp(path, base, strlen(base)) == 0 && strstr(path, "/sub/tmp"));
    free(path);
    OK(scratch_close(&file));
    OK(scratch_name_persist(&temporary, "sub/file", SCRATCH_NO_CLOBBER, SCRATCH_NONE));
    OK(scratch_tempdir(NULL, &where, &dir));
    OK(scratch_dir_persist(&dir, "sub/dir", SCRATCH_NO_CLOBBER, SCRATCH_NONE));
    CHECK(unlink("sub/file") == 0 && rmdir("sub/dir") == 0 && rmdir("sub") == 0);
    free(base);
}

/* In a run with a limit on bytes. */
static void paths_that_cannot_be_opened_are_explained(void) {
    char file[] = "/tmp/name-XXXXXX", directory[] = "/tmp/dir-XXXXXX";
    const char *why = "the plugin does not see this directory, as in a run that limits bytes";
    errno = 0;
    CHECK(scratch_mkstemp(file) == -1 && errno == ENOENT && strstr(file, "XXXXXX"));
    CHECK(strstr(scratch_message(), "open /tmp/name-") && strstr(scratch_message(), why));
    errno = 0;
    CHECK(!scratch_mkdtemp(directory) && errno == ENOENT && strstr(directory, "XXXXXX"));
    CHECK(strstr(scratch_message(), "open /tmp/dir-") && strstr(scratch_message(), why));
    errno = 0;
    CHECK(!scratch_tmpfile() && errno == ENOENT && strstr(scratch_message(), why));
}

/* Ends the program: the script that runs it looks at what it prints. */
static void a_failed_check_ends_the_program(void) {
    scratch_file file = {0};
    scratch_check("name", scratch_close(&file));
    scratch_check("name", scratch_sync(file, SCRATCH_FULL));
}

#define RUN(name) (test = #name, name(), printf("%s: ok\n", #name))

int main(int count, char **arguments) {
    if (count > 1 && strcmp(arguments[1], "limited") == 0)
        return RUN(paths_that_cannot_be_opened_are_explained), EXIT_SUCCESS;
    if (count > 1 && strcmp(arguments[1], "check") == 0)
        return RUN(a_failed_check_ends_the_program), EXIT_SUCCESS;
    RUN(a_file_has_what_was_written);
    RUN(several_mebibytes_in_and_out);
    RUN(a_spooled_file_moves_when_it_grows);
    RUN(a_name_is_reopened_persisted_and_kept);
    RUN(a_fixed_name_that_is_taken_is_exist);
    RUN(a_directory_has_files_and_directories);
    RUN(a_directory_is_persisted_and_kept);
    RUN(a_closed_handle_answers_closed);
    RUN(options_and_places_are_checked);
    RUN(paths_and_descriptors);
    RUN(relative_paths_are_from_the_current_directory);
    return EXIT_SUCCESS;
}
