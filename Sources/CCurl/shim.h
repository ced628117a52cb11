#ifndef BELAY_CCURL_SHIM_H
#define BELAY_CCURL_SHIM_H

#include <curl/curl.h>
#include <sys/prctl.h>

// Swift does not import C variadics. Each wrapper fixes the one type that its options take;
// the parentheses step around the type-checking macros of the same names.

static inline CURLcode curl_set_long(CURL *easy, CURLoption option, long value) {
    return (curl_easy_setopt)(easy, option, value);
}

static inline CURLcode curl_set_size(CURL *easy, CURLoption option, curl_off_t value) {
    return (curl_easy_setopt)(easy, option, value);
}

static inline CURLcode curl_set_string(CURL *easy, CURLoption option, const char *value) {
    return (curl_easy_setopt)(easy, option, value);
}

static inline CURLcode curl_set_pointer(CURL *easy, CURLoption option, void *value) {
    return (curl_easy_setopt)(easy, option, value);
}

static inline CURLcode curl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return (curl_easy_setopt)(easy, option, value);
}

// libcurl keeps a copy; without bytes it forgets the one it had.
static inline CURLcode curl_set_blob(CURL *easy, CURLoption option, const void *bytes, size_t count) {
    struct curl_blob blob = {(void *)bytes, count, CURL_BLOB_COPY};
    return (curl_easy_setopt)(easy, option, bytes ? &blob : (struct curl_blob *)0);
}

static inline CURLcode curl_set_write(CURL *easy, CURLoption option, curl_write_callback callback) {
    return (curl_easy_setopt)(easy, option, callback);
}

static inline CURLcode curl_set_prerequest(CURL *easy, curl_prereq_callback callback) {
    return (curl_easy_setopt)(easy, CURLOPT_PREREQFUNCTION, callback);
}

static inline CURLcode curl_set_socket(CURL *easy, curl_sockopt_callback callback) {
    return (curl_easy_setopt)(easy, CURLOPT_SOCKOPTFUNCTION, callback);
}

static inline CURLcode curl_get_long(CURL *easy, CURLINFO info, long *value) {
    return (curl_easy_getinfo)(easy, info, value);
}

static inline CURLcode curl_get_pointer(CURL *easy, CURLINFO info, void **value) {
    return (curl_easy_getinfo)(easy, info, value);
}

static inline CURLMcode curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return (curl_multi_setopt)(multi, option, value);
}

static inline CURLcode curl_message_result(const CURLMsg *message) { return message->data.result; }

static inline const curl_version_info_data *curl_built_with(void) { return curl_version_info(CURLVERSION_NOW); }

// prctl is a variadic as well, and pthread_setname_np hides behind _GNU_SOURCE.
static inline void curl_name_thread(const char *name) { prctl(PR_SET_NAME, name); }

#endif
