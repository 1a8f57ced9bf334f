import { request } from "undici";
import { SIMULATED_PARTNER } from "../../../src/simulator/simulator.ts";

/** Calls of the simulated partner at this simulator's Partner API; paths begin after its id. */
export const hubOf =
  (url: string) =>
  async (
    method: "GET" | "POST" | "PATCH" | "DELETE",
    path: string,
    body?: object,
    headers: Record<string, string> = { "x-api-key": SIMULATED_PARTNER.apiKey },
  ) => {
    const { partnerId } = SIMULATED_PARTNER;
    const response = await request(`${url}/api/v2/partners/${partnerId}${path}`, {
      method,
      headers: { ...headers, "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
    });
    // oxlint-disable-next-line typescript/no-explicit-any -- whatever the hub wrote
    return { status: response.statusCode, json: (await response.body.json()) as any };
  };
