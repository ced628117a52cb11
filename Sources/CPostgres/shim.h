#ifndef BELAY_CPOSTGRES_SHIM_H
#define BELAY_CPOSTGRES_SHIM_H

#include <libpq-fe.h>

#endif
