#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

/// Gives the system back what was freed; where the C library does that by itself, nothing.
static inline void belay_give_back_freed_memory(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
