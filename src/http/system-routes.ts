import type { Contract } from "./contract.ts";
import type { Schemas } from "./contract-types.ts";
import { publicRoute, type Route } from "./route.ts";

/** Each check's answer: `ok`, or in words what is wrong. */
export type Readiness = Schemas["Readiness"];

/** `database` is what is wrong with it, if anything is. Without Redis all goes on, some of it later. */
export function assessReadiness(found: {
  stopping: boolean;
  database: string | undefined;
  redis: "ok" | "lost" | "absent";
}): Readiness {
  const { stopping, database, redis } = found;
  const ready = !stopping && database === undefined;
  return {
    status: ready ? (redis === "lost" ? "degraded" : "ready") : "unready",
    checks: {
      database: database ?? "ok",
      ...(redis !== "absent" && { redis }),
      ...(stopping && { process: "stopping" }),
    },
  };
}

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
