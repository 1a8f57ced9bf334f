import { ApiError } from "../errors.ts";

/** Makes an upload or a download as one of those that its tenant has under way. */
export type Transfer = <Result>(tenantId: string, make: () => Promise<Result>) => Promise<Result>;

/** An eighth of the connections that there are for files. */
const PER_TENANT_MAX = 64;

/**
 * How long a file takes is up to its tenant's client, so no tenant may hold all the connections that
 * there are for files. Counted in each process by itself.
 * The promise throws `overloaded`.
 */
export function createTransfer(perTenantMax = PER_TENANT_MAX): Transfer {
  const underWay = new Map<string, number>();
  return async (tenantId, make) => {
    const count = underWay.get(tenantId) ?? 0;
    if (count >= perTenantMax) {
      throw new ApiError(
        "overloaded",
        `This tenant has ${perTenantMax} uploads and downloads under way; nothing was sent.`,
        // What has come of a body so far is not read to its end.
        { headers: { "retry-after": "1", connection: "close" } },
      );
    }
    underWay.set(tenantId, count + 1);
    try {
      return await make();
    } finally {
      const left = (underWay.get(tenantId) ?? 1) - 1;
      if (left > 0) {
        underWay.set(tenantId, left);
      } else {
        underWay.delete(tenantId);
      }
    }
  };
}
