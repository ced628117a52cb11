#include <stdlib.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

/// Waits, and gives the system back what was freed; where the C library does that by itself, nothing.
static inline void belay_give_back_freed_memory_after(unsigned int seconds) {
#ifdef __GLIBC__
    sleep(seconds);
    malloc_trim(0);
#endif
}
