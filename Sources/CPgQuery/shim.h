#ifndef BELAY_CPGQUERY_SHIM_H
#define BELAY_CPGQUERY_SHIM_H

#include <pg_query.h>

#endif
