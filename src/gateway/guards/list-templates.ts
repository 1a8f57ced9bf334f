import type { Upstream } from "../../dialog360/exchange.ts";
import type { Origins } from "../../dialog360/origins.ts";
import { createListTemplates } from "../../dialog360/templates.ts";
import type { ListTemplates } from "../../records/template-sync.ts";

/** How the cache of templates asks 360dialog: with the key of one of the WABA's numbers. */
export function createListTemplatesOfNumber(options: {
  upstream: Upstream;
  origins: Origins;
}): ListTemplates {
  const list = createListTemplates(options.upstream);
  return async (number) => {
    const origin = options.origins.resolve(number.baseUrl);
    const apiKey = number.apiKey();
    if (origin === undefined || apiKey === undefined) {
      return { kind: "failed", reason: "The number has no key, or none that may be sent there." };
    }
    const call = await list({ origin, apiKey });
    switch (call.kind) {
      case "ok":
        return { kind: "ok", templates: call.value };
      case "refused":
        return { kind: "failed", reason: `360dialog answered ${call.status}: ${call.detail}.` };
      case "key_rejected":
        return { kind: "failed", reason: "360dialog refused the number's key." };
      case "unreachable":
        return { kind: "failed", reason: "360dialog could not be reached." };
      default:
        return call satisfies never;
    }
  };
}
