import { createHmac, hash, timingSafeEqual } from "node:crypto";
import type { Secret } from "../../secret.ts";

/** Whether `given` is the hex HMAC-SHA256 of the bytes by the platform secret; in constant time. */
export function isSigned(options: {
  body: Buffer;
  given: string;
  platformSecret: Secret;
}): boolean {
  const { body, given, platformSecret } = options;
  const expected = createHmac("sha256", platformSecret.reveal()).update(body).digest("hex");
  // Digests, because what is compared must be of one length.
  return timingSafeEqual(
    hash("sha256", given.toLowerCase(), "buffer"),
    hash("sha256", expected, "buffer"),
  );
}
