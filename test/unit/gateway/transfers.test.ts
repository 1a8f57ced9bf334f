import { describe, expect, it } from "vitest";
import { createTransfer } from "../../../src/gateway/transfers.ts";

describe("the files that a tenant has under way", () => {
  it("are bounded for each tenant, and give their place back however they end", async () => {
    const transfer = createTransfer(2);
    const ends: PromiseWithResolvers<string>[] = [];
    const start = (tenantId: string) => {
      const end = Promise.withResolvers<string>();
      ends.push(end);
      return transfer(tenantId, () => end.promise);
    };
    const [first, second] = [start("a"), start("a")];
    await expect(start("a")).rejects.toThrow(
      expect.objectContaining({ code: "overloaded", status: 503 }),
    );
    const others = start("b");
    ends[0]?.reject(new Error("broken off"));
    await expect(first).rejects.toThrow("broken off");
    const third = start("a");
    ends.forEach(({ resolve }) => resolve("done"));
    expect(await Promise.all([second, others, third])).toEqual(["done", "done", "done"]);
  });
});
