import type { components } from "../../openapi/openapi.d.ts";

/**
 * The shapes of `openapi.yaml`, made from it by `npm run openapi:types`. What a handler takes and a
 * presenter gives is one of these, so that the compiler holds the code against the contract.
 */
export type Schemas = components["schemas"];
