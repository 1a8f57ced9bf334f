import { eventually } from "./eventually.ts";
import type { TestGateway } from "./gateway.ts";

/** Makes the number the next to be looked after, and waits until it has been. */
export async function lookAfterNow(
  { database: { db } }: Pick<TestGateway, "database">,
  numberId: string,
): Promise<void> {
  const due_at = new Date(0);
  await db
    .insertInto("number_watch")
    .values({ number_id: numberId, due_at })
    .onConflict((conflict) => conflict.column("number_id").doUpdateSet({ due_at }))
    .execute();
  await eventually(
    async () => {
      const row = await db
        .selectFrom("number_watch")
        .select("due_at")
        .where("number_id", "=", numberId)
        .executeTakeFirstOrThrow();
      return row.due_at > new Date();
    },
    { withinMs: 20_000 },
  );
}
