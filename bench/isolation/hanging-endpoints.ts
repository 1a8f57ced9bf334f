import type { Disturbance } from "./in-turn.ts";

const TENANTS = 10;
const ENDPOINTS_EACH = 10;

/** Endpoints on hosts of their own that accept and never answer: each attempt takes the whole timeout. */
export const hangingEndpoints: Disturbance = {
  name: "beside 100 endpoints that hang until the timeout",
  others: ({ ports }) =>
    Array.from({ length: TENANTS }, (_, tenant) => ({
      numbers: 1,
      endpoints: Array.from({ length: ENDPOINTS_EACH }, (__, place) => ({
        url: `http://127.0.0.1:${ports[1 + tenant * ENDPOINTS_EACH + place]}/hang/`,
      })),
    })),
  // To each of the hundred one a second: each could have its ten slots taken for good.
  othersPerSecond: TENANTS,
};
