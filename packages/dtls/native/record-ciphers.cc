#include "record-ciphers.h"

#include <openssl/crypto.h>

namespace breakwater {

RecordKey::~RecordKey() {
  OPENSSL_cleanse(key.data(), key.size());
  OPENSSL_cleanse(fixed.data(), fixed.size());
}

RecordCiphers::~RecordCiphers() {
  for (Context& slot : sealing_) drop(slot);
  for (Context& slot : opening_) drop(slot);
}

void RecordCiphers::drop(Context& slot) {
  // OpenSSL erases the key schedule.
  EVP_CIPHER_CTX_free(slot.context);
  slot = {};
}

bool RecordCiphers::prepare(Context& slot, Aead aead, bool seals) {
  const AeadShape& shape = shapeOf(aead);
  slot.context = EVP_CIPHER_CTX_new();
  if (slot.context != nullptr && EVP_CipherInit_ex(slot.context, shape.cipher(), nullptr, nullptr, nullptr, seals) == 1 &&
      EVP_CIPHER_CTX_ctrl(slot.context, EVP_CTRL_AEAD_SET_IVLEN, kNonceBytes, nullptr) == 1 &&
      (!shape.ccm ||
       EVP_CIPHER_CTX_ctrl(slot.context, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(shape.tagBytes), nullptr) == 1))
    return true;
  drop(slot);
  return false;
}

EVP_CIPHER_CTX* RecordCiphers::ready(Context& slot, Aead aead, const RecordKey& key, const uint8_t* nonce, bool seals) {
  if (slot.context == nullptr && !prepare(slot, aead, seals)) return nullptr;
  const uint8_t* const bytes = slot.holder == &key ? nullptr : key.key.data();
  slot.holder = nullptr;
  if (EVP_CipherInit_ex(slot.context, nullptr, nullptr, bytes, nonce, seals) != 1) return nullptr;
  slot.holder = &key;
  return slot.context;
}

bool RecordCiphers::seal(Aead aead, const RecordKey& key, const AeadOperation& operation) {
  const AeadShape& shape = shapeOf(aead);
  EVP_CIPHER_CTX* context = ready(sealing_[static_cast<size_t>(aead)], aead, key, operation.nonce, true);
  if (context == nullptr) return false;
  const int length = static_cast<int>(operation.length);
  uint8_t* const tag = operation.out + operation.length;
  int done = 0;
  // CCM has to know the length before anything else.
  return (!shape.ccm || EVP_EncryptUpdate(context, nullptr, &done, nullptr, length) == 1) &&
         EVP_EncryptUpdate(context, nullptr, &done, operation.additional, static_cast<int>(operation.additionalLength)) == 1 &&
         EVP_EncryptUpdate(context, operation.out, &done, operation.in, length) == 1 &&
         EVP_EncryptFinal_ex(context, operation.out + done, &done) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(shape.tagBytes), tag) == 1;
}

bool RecordCiphers::open(Aead aead, const RecordKey& key, const AeadOperation& operation) {
  const AeadShape& shape = shapeOf(aead);
  EVP_CIPHER_CTX* context = ready(opening_[static_cast<size_t>(aead)], aead, key, operation.nonce, false);
  if (context == nullptr) return false;
  const int length = static_cast<int>(operation.length);
  auto* const tag = const_cast<uint8_t*>(operation.in + operation.length);
  int done = 0;
  return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(shape.tagBytes), tag) == 1 &&
         (!shape.ccm || EVP_DecryptUpdate(context, nullptr, &done, nullptr, length) == 1) &&
         EVP_DecryptUpdate(context, nullptr, &done, operation.additional, static_cast<int>(operation.additionalLength)) == 1 &&
         EVP_DecryptUpdate(context, operation.out, &done, operation.in, length) == 1 &&
         // CCM has verified by now.
         (shape.ccm || EVP_DecryptFinal_ex(context, operation.out + done, &done) == 1);
}

void RecordCiphers::forget(const RecordKey& key) {
  for (Context& slot : sealing_)
    if (slot.holder == &key) drop(slot);
  for (Context& slot : opening_)
    if (slot.holder == &key) drop(slot);
}

}  // namespace breakwater
