// SPDX-License-Identifier: Apache-2.0

// The digest part of OpenSSL's libcrypto.

#ifndef CCRYPTO_SHIM_H
#define CCRYPTO_SHIM_H

#include <openssl/evp.h>

#endif
