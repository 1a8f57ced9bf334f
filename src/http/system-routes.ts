import type { Contract } from "./contract.ts";
import type { Schemas } from "./contract-types.ts";
import { publicRoute, type Route } from "./route.ts";

/** Each check's answer: `ok`, or in words what is wrong. */
export type Readiness = Schemas["Readiness"];

/** Whether the process lives, whether it should get calls, and what it offers. */
export function systemRoutes(options: {
  contract: Contract;
  readiness: () => Promise<Readiness>;
}): Route[] {
  const { contract, readiness } = options;
  return [
    publicRoute({ method: "GET", path: "/healthz", operationId: "getHealth" }, () => ({
      status: 200,
      body: { status: "ok" },
    })),
    publicRoute({ method: "GET", path: "/readyz", operationId: "getReadiness" }, async () => {
      const body = await readiness();
      return { status: body.status === "unready" ? 503 : 200, body };
    }),
    publicRoute({ method: "GET", path: "/openapi.yaml", operationId: "getOpenApi" }, () => ({
      status: 200,
      headers: { "content-type": "application/yaml" },
      body: contract.text,
    })),
  ];
}
