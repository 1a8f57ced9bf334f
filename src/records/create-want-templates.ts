import type { Database } from "../store/database.ts";
import { askForTemplates } from "./template-wants.ts";

const WABAS_MAX = 10_000;
const MINUTE_MS = 60_000;

/**
 * Asks for a WABA's templates beside a send that met one it does not know: nobody waits for it, and
 * for each WABA a process asks once a minute at most.
 */
export function createWantTemplates(options: {
  db: Database;
  /** Starts the sync, now that something is due. */
  poke: () => void;
  onError: (error: unknown) => void;
}): (tenantId: string, wabaId: string) => void {
  const { db, poke, onError } = options;
  const askedAtMs = new Map<string, number>();

  async function ask(tenantId: string, wabaId: string): Promise<void> {
    const asked = await askForTemplates(db, tenantId, {
      wabaIds: [wabaId],
      evenAfterFailure: false,
    });
    if (asked.length > 0) {
      poke();
    }
  }

  return (tenantId, wabaId) => {
    const key = `${tenantId} ${wabaId}`;
    const nowMs = performance.now();
    if (nowMs - (askedAtMs.get(key) ?? -Infinity) < MINUTE_MS) {
      return;
    }
    if (askedAtMs.size >= WABAS_MAX) {
      askedAtMs.clear();
    }
    askedAtMs.set(key, nowMs);
    ask(tenantId, wabaId).catch(onError);
  };
}
