import { createHmac } from "node:crypto";
import { SIMULATED_PARTNER } from "../../src/simulator/simulator.ts";

/** The headers of a partner event as 360dialog sends it. */
export function signPartnerEvent(
  body: string,
  platformSecret: string = SIMULATED_PARTNER.platformSecret,
): Record<string, string> {
  const signature = createHmac("sha256", platformSecret).update(body).digest("hex");
  return { "content-type": "application/json", "x-360dialog-signature": signature };
}
