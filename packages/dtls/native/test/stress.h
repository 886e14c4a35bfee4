#pragma once

#include "../security-context.h"

namespace breakwater::stress {

/** The record path of two engines against a hostile wire. Prints one JSON object; another number than 0 on any fault. */
int stressEngines(double seconds, uint64_t seed, const CertificateSource& certificate);

}  // namespace breakwater::stress
