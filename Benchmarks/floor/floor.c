/* The floors: what the same work costs in plain C with the same libraries, and a stopwatch that costs nothing itself.
 *
 *   floor versions
 *   floor time COMMAND...                     runs it, prints "nanoseconds cpu-nanoseconds resident-kilobytes exit-code"
 *   floor events DIRECTORY REPETITIONS        libyaml events of every file, on one thread
 *   floor digests COUNT REPETITIONS           compares COUNT pairs of 32 bytes
 *   floor gets SPEC URLS TOKEN HANDLES        reads SPEC, its events, then GETs every line of URLS with HANDLES handles at once
 */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <yaml.h>

extern char **environ;

typedef struct { unsigned char *bytes; size_t count; } File;

static void fail(const char *what, const char *on) {
    fprintf(stderr, "floor: %s: %s%s%s\n", on, what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static File read_file(const char *path) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (descriptor < 0 || fstat(descriptor, &status) != 0) fail("cannot be opened", path);
    File file = {malloc(status.st_size + 1), 0};
    ssize_t count;
    while ((count = read(descriptor, file.bytes + file.count, status.st_size - file.count)) > 0) file.count += count;
    if (count < 0) fail("cannot be read", path);
    file.bytes[file.count] = 0;
    close(descriptor);
    return file;
}

static size_t events(File file, const char *name) {
    yaml_parser_t parser;
    yaml_event_t event;
    size_t count = 0;
    yaml_parser_initialize(&parser);
    yaml_parser_set_input_string(&parser, file.bytes, file.count);
    for (int done = 0; !done; count++) {
        if (!yaml_parser_parse(&parser, &event)) fail(parser.problem, name);
        done = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return count;
}

static int measure_events(const char *directory, int repetitions) {
    struct dirent **entries;
    int found = scandir(directory, &entries, NULL, alphasort), count = 0;
    if (found < 0) fail("cannot be listed", directory);
    File *files = calloc(found, sizeof *files);
    for (int i = 0; i < found; i++) {
        if (entries[i]->d_name[0] == '.') continue;
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
        files[count++] = read_file(path);
    }
    for (int repetition = -1; repetition < repetitions; repetition++) {
        int64_t start = now();
        for (int i = 0; i < count; i++) events(files[i], directory);
        if (repetition >= 0) printf("%lld ", (long long)(now() - start));
    }
    puts("");
    return 0;
}

static int measure_digests(int count, int repetitions) {
    unsigned char (*pairs)[2][32] = calloc(count, sizeof *pairs);
    for (int i = 0; i < count; i++) memset(pairs[i], i & 0xff, sizeof pairs[i]);
    for (int repetition = -1; repetition < repetitions; repetition++) {
        volatile int differing = 0;
        int64_t start = now();
        for (int i = 0; i < count; i++) if (memcmp(pairs[i][0], pairs[i][1], 32)) differing++;
        if (repetition >= 0) printf("%lld ", (long long)(now() - start));
    }
    puts("");
    return 0;
}

typedef struct { char *bytes; size_t count, capacity; } Body;

static size_t receive(char *bytes, size_t size, size_t count, void *user) {
    Body *body = user;
    size_t more = size * count;
    if (body->count + more > body->capacity) {
        body->capacity = 2 * (body->count + more);
        body->bytes = realloc(body->bytes, body->capacity);
    }
    memcpy(body->bytes + body->count, bytes, more);
    body->count += more;
    return more;
}

static void start(CURLM *multi, CURL *easy, Body *body, char **rest) {
    char *url = *rest, *end = strchr(url, '\n');
    *end = 0;
    *rest = end + 1;
    body->count = 0;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_multi_add_handle(multi, easy);
}

static int gets_all(const char *spec, const char *urls, const char *token, int handles) {
    events(read_file(spec), spec);
    char *rest = (char *)read_file(urls).bytes, authorization[512];
    snprintf(authorization, sizeof authorization, "Authorization: Bearer %s", token);
    struct curl_slist *headers = curl_slist_append(curl_slist_append(NULL, authorization), "Accept: application/json");
    const char *file = getenv("SSL_CERT_FILE"), *directory = getenv("SSL_CERT_DIR");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM *multi = curl_multi_init();
    CURL **easy = calloc(handles, sizeof *easy);
    Body *bodies = calloc(handles, sizeof *bodies);
    int active = 0, used = 0, bad = 0;
    for (; used < handles && *rest; used++) {
        easy[used] = curl_easy_init();
        curl_easy_setopt(easy[used], CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(easy[used], CURLOPT_WRITEFUNCTION, receive);
        curl_easy_setopt(easy[used], CURLOPT_WRITEDATA, &bodies[used]);
        curl_easy_setopt(easy[used], CURLOPT_PRIVATE, &bodies[used]);
        curl_easy_setopt(easy[used], CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy[used], CURLOPT_ACCEPT_ENCODING, "");
        /* Over TLS there is HTTP/2: one connection carries all. */
        curl_easy_setopt(easy[used], CURLOPT_PIPEWAIT, (long)!strncmp(rest, "https", 5));
        /* Both at once would make libcurl parse the bundle for every host. */
        if (file || directory) {
            curl_easy_setopt(easy[used], CURLOPT_CAINFO, file);
            curl_easy_setopt(easy[used], CURLOPT_CAPATH, directory);
        } else {
            curl_easy_setopt(easy[used], CURLOPT_CAINFO, NULL);
            curl_easy_setopt(easy[used], CURLOPT_CAPATH, "/etc/ssl/certs");
        }
        start(multi, easy[used], &bodies[used], &rest);
        active++;
    }
    while (active > 0) {
        int running, left;
        curl_multi_perform(multi, &running);
        for (CURLMsg *message; (message = curl_multi_info_read(multi, &left));) {
            CURL *done = message->easy_handle;
            long status = 0;
            Body *body;
            curl_easy_getinfo(done, CURLINFO_RESPONSE_CODE, &status);
            curl_easy_getinfo(done, CURLINFO_PRIVATE, &body);
            if (message->data.result != CURLE_OK || status != 200) {
                if (!bad++) fprintf(stderr, "floor: %s, status %ld\n", curl_easy_strerror(message->data.result), status);
            }
            curl_multi_remove_handle(multi, done);
            if (*rest) start(multi, done, body, &rest);
            else active--;
        }
        if (active > 0) curl_multi_poll(multi, NULL, 0, 10, NULL);
    }
    return bad != 0;
}

static int stopwatch(char **command) {
    pid_t child;
    struct rusage usage;
    int status, output = dup(1), silence = open("/dev/null", O_WRONLY);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, silence, 1);
    fcntl(output, F_SETFD, FD_CLOEXEC);
    int64_t start = now();
    if ((errno = posix_spawnp(&child, command[0], &actions, NULL, command, environ))) fail("cannot be started", command[0]);
    if (wait4(child, &status, 0, &usage) != child) fail("cannot be awaited", command[0]);
    int64_t end = now();
    long long cpu = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000LL + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000LL;
    printf("%lld %lld %ld %d\n", (long long)(end - start), cpu, usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
}

int main(int count, char **arguments) {
    const char *what = count > 1 ? arguments[1] : "";
    if (!strcmp(what, "versions")) {
        printf("glibc %s, %s, libyaml %s\n", gnu_get_libc_version(), curl_version(), yaml_get_version_string());
        return 0;
    }
    if (!strcmp(what, "time") && count > 2) return stopwatch(arguments + 2);
    if (!strcmp(what, "events") && count == 4) return measure_events(arguments[2], atoi(arguments[3]));
    if (!strcmp(what, "digests") && count == 4) return measure_digests(atoi(arguments[2]), atoi(arguments[3]));
    if (!strcmp(what, "gets") && count == 6) return gets_all(arguments[2], arguments[3], arguments[4], atoi(arguments[5]));
    fprintf(stderr, "usage: floor versions | time COMMAND... | events DIRECTORY REPETITIONS | digests COUNT REPETITIONS | gets SPEC URLS TOKEN HANDLES\n");
    return 64;
}
